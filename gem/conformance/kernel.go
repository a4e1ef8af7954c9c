package conformance

import (
	"cmp"
	"fmt"
	"os"
	"strings"
)

// Kernel is a version of Linux. The zero value is older than all.
type Kernel struct{ Major, Minor int }

// RunningKernel returns the version of the kernel below this process.
func RunningKernel() (Kernel, error) {
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return Kernel{}, err
	}
	return ParseKernel(string(release))
}

// ParseKernel reads the start of a release such as "6.12.117-amd64".
func ParseKernel(release string) (Kernel, error) {
	var k Kernel
	if _, err := fmt.Sscanf(strings.TrimSpace(release), "%d.%d", &k.Major, &k.Minor); err != nil {
		return Kernel{}, fmt.Errorf("kernel release %q: %w", release, err)
	}
	return k, nil
}

// Less says whether k is older than o.
func (k Kernel) Less(o Kernel) bool {
	return cmp.Or(cmp.Compare(k.Major, o.Major), cmp.Compare(k.Minor, o.Minor)) < 0
}

func (k Kernel) String() string { return fmt.Sprintf("%d.%d", k.Major, k.Minor) }

// checksItself says whether this kernel has lockdep, and is many times slower
// for it and what comes with it.
func checksItself() bool {
	_, err := os.Stat("/proc/lockdep_stats")
	return err == nil
}

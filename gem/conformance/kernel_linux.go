package conformance

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/debugfs"
	"github.com/gemtool/gemtool/drm/ioctl"
)

// Cases about the kernel itself. L04 and L05 come last but for M, and look at
// what the kernel found wrong in all that was before.
var kernelCases = []Case{
	{ID: "F23", Title: "a file's name stands among the device's clients", Needs: Needs{Since: Kernel{6, 13}}, Run: nameClient},
	{ID: "L04", Title: "KASAN has found nothing", Needs: Needs{Drivers: []string{"vkms"}}, Run: lookAtTaint},
	{ID: "L05", Title: "lockdep has found nothing, and still looks", Needs: Needs{Drivers: []string{"vkms"}}, Run: lookAtLockdep},
}

func nameClient(t T, env *Env) {
	dev := env.Open(t)
	const name = "conformance-F23"
	wantErr(t, "SetClientName", dev.SetClientName(name), nil)
	path := fmt.Sprintf("%s/dri/%d/clients", debugfs.Default, unix.Minor(dev.Rdev()))
	clients, err := os.ReadFile(path)
	if err != nil && env.Strict {
		t.Fatalf("%v", err)
	}
	if err == nil && !strings.Contains(string(clients), " "+name+" ") && !strings.Contains(string(clients), " "+name+"\n") {
		t.Errorf("%s does not have it:\n%s", path, clients)
	}
	wantErr(t, "64 bytes", dev.SetClientName(strings.Repeat("n", 64)), nil)
	for _, bad := range []string{strings.Repeat("n", 65), "a b", "a\n", "\x1b[31m", "ä"} {
		wantErr(t, fmt.Sprintf("the library with %q", bad), dev.SetClientName(bad), drm.ErrRange)
		var pin runtime.Pinner
		arg := rawClientName{length: uint64(len(bad)), name: ioctl.Addr(&pin, []byte(bad))}
		wantErr(t, fmt.Sprintf("the kernel with %q", bad), rawOpClientName.Do(dev.FD(), &arg), syscall.EINVAL)
		pin.Unpin()
	}
}

func lookAtTaint(t T, env *Env) {
	symbols, err := os.ReadFile("/proc/kallsyms")
	if err != nil || !strings.Contains(string(symbols), " kasan_report\n") {
		t.Skipf("this kernel has no KASAN")
	}
	text, err := os.ReadFile("/proc/sys/kernel/tainted")
	if err != nil {
		t.Fatalf("%v", err)
	}
	var taint uint64
	if _, err := fmt.Sscan(string(text), &taint); err != nil {
		t.Fatalf("%v", err)
	}
	// What KASAN reports taints like a BUG.
	for _, flag := range []struct {
		bit  int
		what string
	}{{5, "a bad page"}, {7, "a BUG"}, {9, "a WARNING"}, {14, "a lockup"}} {
		if taint&(1<<flag.bit) != 0 {
			t.Errorf("since its boot this kernel had %s (tainted %d)", flag.what, taint)
		}
	}
}

func lookAtLockdep(t T, env *Env) {
	text, err := os.ReadFile("/proc/lockdep_stats")
	if err != nil {
		t.Skipf("this kernel has no lockdep")
	}
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(line, ":")
		if strings.TrimSpace(key) != "debug_locks" {
			continue
		}
		// It switches itself off with its first report.
		if strings.TrimSpace(value) != "1" {
			t.Errorf("debug_locks is %s", strings.TrimSpace(value))
		}
		return
	}
	t.Errorf("/proc/lockdep_stats has no debug_locks:\n%s", text)
}

package matrix

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/gemtool/gemtool/cmd/gemtool/internal/words"
)

// holdings lists the descriptors and mappings of this process that are of
// devices and buffers. Without procfs there are none to see.
func holdings() ([]string, error) {
	const dir = "/proc/self/fd/"
	fds, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []string
	for _, fd := range fds {
		// The descriptor of the listing itself is gone.
		target, _ := os.Readlink(dir + fd.Name())
		if ofBuffer(target) {
			all = append(all, "descriptor "+fd.Name()+" of "+words.Escape(target))
		}
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(maps)) {
		// start-end perms offset dev inode path
		if f := strings.Fields(line); len(f) >= 6 && ofBuffer(f[5]) {
			all = append(all, "mapping "+f[0]+" of "+words.Escape(f[5]))
		}
	}
	return all, nil
}

func ofBuffer(target string) bool {
	return slices.ContainsFunc([]string{
		"/dev/dri/", "/dmabuf:", "/dev/udmabuf", "/dev/dma_heap/", "/memfd:gemtool", "anon_inode:sync_file",
	}, func(prefix string) bool { return strings.HasPrefix(target, prefix) })
}

// leaked says what is held now and was not before.
func leaked(before []string) error {
	after, err := holdings()
	if err != nil {
		return err
	}
	more := slices.DeleteFunc(after, func(s string) bool { return slices.Contains(before, s) })
	if len(more) > 0 {
		return fmt.Errorf("%w: %s", errLeak, strings.Join(more, ", "))
	}
	return nil
}

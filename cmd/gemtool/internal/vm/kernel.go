//go:build linux

package vm

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// DefaultKernel is the kernel a Config without one gets.
func DefaultKernel() string {
	if k := os.Getenv("GEMTOOL_KERNEL"); k != "" {
		return k
	}
	return "6.12"
}

// kernel is a bootable kernel and its modules. modules is empty for a kernel
// that has everything built in.
type kernel struct {
	image   string
	modules string
}

// CheckKernel says what keeps a Config's kernel from being booted.
func CheckKernel(name, modules string) error {
	_, err := findKernel(name, modules)
	return err
}

// findKernel resolves a --kernel argument and checks what can be checked
// before a boot.
func findKernel(name, modules string) (kernel, error) {
	k := kernel{modules: modules}
	switch {
	case name == "host":
		var uts unix.Utsname
		if err := unix.Uname(&uts); err != nil {
			return k, fmt.Errorf("uname: %w", err)
		}
		release := unix.ByteSliceToString(uts.Release[:])
		k.image = "/boot/vmlinuz-" + release
		if k.modules == "" {
			k.modules = "/lib/modules/" + release
		}
	case strings.Contains(name, "/"):
		k.image = name
	default:
		dir, err := cachePath("kernels", name)
		if err != nil {
			return k, err
		}
		k.image = filepath.Join(dir, "vmlinuz")
		if _, err := os.Stat(k.image); errors.Is(err, fs.ErrNotExist) {
			return k, configError("no kernel %q in the cache, which has %s: run \"make kernel KERNEL=%s\", or pass --kernel host, or --kernel PATH --modules DIR",
				name, cmp.Or(strings.Join(Kernels(), ", "), "none"), name)
		}
		if mods := filepath.Join(dir, "modules"); k.modules == "" && isDir(mods) {
			k.modules = mods
		}
	}
	if err := checkBzImage(k.image); err != nil {
		return k, err
	}
	if k.modules != "" {
		if _, err := os.Stat(filepath.Join(k.modules, "modules.builtin")); err != nil {
			return k, configError("kernel modules: %w (--modules wants the directory that holds modules.dep and modules.builtin)", err)
		}
	}
	return k, nil
}

// checkBzImage looks for the boot protocol's magic, so that a wrong or cut
// off file is one clear line and not a VM that never comes up.
func checkBzImage(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("kernel: %w: run \"sudo cat %s > vmlinuz\" and pass --kernel ./vmlinuz --modules DIR, or make it readable with \"sudo chmod a+r %s\"", err, path, path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return configError("kernel: %w", err)
	}
	if err != nil {
		return fmt.Errorf("kernel: %w", err)
	}
	defer f.Close()
	h, err := readBootHeader(f)
	if err != nil {
		return fmt.Errorf("kernel %s: %w", path, err)
	}
	st, err := f.Stat()
	if err != nil {
		return fmt.Errorf("kernel: %w", err)
	}
	if st.Size() < h.size() {
		return fmt.Errorf("kernel %s: cut off: %d bytes of %d", path, st.Size(), h.size())
	}
	return nil
}

// Kernels lists the kernels that the cache has, by the names that Config.Kernel
// takes.
func Kernels() (names []string) {
	dir, err := cachePath("kernels")
	if err != nil {
		return nil
	}
	images, _ := filepath.Glob(filepath.Join(dir, "*", "vmlinuz")) // the pattern is good
	for _, image := range images {
		names = append(names, filepath.Base(filepath.Dir(image)))
	}
	return names
}

func isDir(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.IsDir()
}

//go:build linux

package vm

import (
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/u-root/u-root/pkg/ldd"
	"golang.org/x/sys/unix"
)

// findProgram looks name up as a shell would and returns its absolute path.
func findProgram(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err != nil && !errors.Is(err, exec.ErrDot) {
		return "", configError("program: %w", err)
	}
	return filepath.Abs(path)
}

// program adds the executable src at its own path, with the shared libraries
// that its dynamic loader finds for it on this machine.
func (im *image) program(src string) error {
	f, err := elf.Open(src)
	var format *elf.FormatError
	switch {
	case errors.As(err, &format), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("program %s: not an ELF executable; for a script, name its interpreter and share its directory with --dir", src)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("program: %w", err)
	case err != nil:
		return fmt.Errorf("program %s: %w", src, err)
	}
	loader := slices.IndexFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP })
	if loader >= 0 {
		err = checkLoader(f.Progs[loader])
	}
	f.Close()
	if err != nil {
		return fmt.Errorf("program %s: %w", src, err)
	}

	if loader >= 0 {
		libs, err := ldd.FList(src)
		if err != nil {
			return fmt.Errorf("program %s: shared libraries: %w", src, err)
		}
		for _, lib := range libs {
			if err := im.library(lib); err != nil {
				return err
			}
		}
	}
	return im.copy(src, src)
}

// checkLoader looks at a program's dynamic loader, which is run on this machine
// to find the libraries: it must be one, and the system's or the user's own. The
// program itself may be anybody's.
func checkLoader(p *elf.Prog) error {
	b := make([]byte, min(p.Filesz, unix.PathMax))
	if _, err := p.ReadAt(b, 0); err != nil {
		return err
	}
	path := unix.ByteSliceToString(b)
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return fmt.Errorf("dynamic loader %q: %w", path, err)
	}
	base := filepath.Base(path)
	if !strings.HasPrefix(base, "ld-") && !strings.HasPrefix(base, "ld.") && !strings.HasPrefix(base, "ld64.") {
		return fmt.Errorf("%q does not look like a dynamic loader", path)
	}
	if st.Uid != 0 && st.Uid != uint32(os.Geteuid()) {
		return fmt.Errorf("dynamic loader %q is another user's", path)
	}
	return nil
}

func (im *image) library(path string) error {
	if !strings.HasPrefix(path, "/") {
		return fmt.Errorf("initramfs: library %q has no absolute path", path)
	}
	target, err := os.Readlink(path)
	if err != nil {
		return im.copy(path, path)
	}
	return im.symlink(path, target)
}

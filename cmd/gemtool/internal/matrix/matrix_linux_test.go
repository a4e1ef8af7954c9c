package matrix

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestLeaked passes if a descriptor and a mapping that are left open are
// noticed, and those of before are not.
func TestLeaked(t *testing.T) {
	memfd := func() int {
		fd, err := unix.MemfdCreate("gemtool", unix.MFD_CLOEXEC)
		if err != nil {
			t.Fatal(err)
		}
		if err := unix.Ftruncate(fd, 4096); err != nil {
			t.Fatal(err)
		}
		return fd
	}
	old := memfd()
	defer unix.Close(old)
	before, err := holdings()
	if err != nil {
		t.Fatal(err)
	}
	if err := leaked(before); err != nil {
		t.Errorf("nothing was left open: %v", err)
	}
	fd := memfd()
	if err := leaked(before); !errors.Is(err, errLeak) || !strings.Contains(err.Error(), "descriptor") {
		t.Errorf("a descriptor: %v", err)
	}
	mem, err := unix.Mmap(fd, 0, 4096, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	unix.Close(fd)
	if err := leaked(before); !errors.Is(err, errLeak) || !strings.Contains(err.Error(), "mapping") {
		t.Errorf("a mapping: %v", err)
	}
	if err := unix.Munmap(mem); err != nil {
		t.Fatal(err)
	}
	if err := leaked(before); err != nil {
		t.Errorf("everything is closed again: %v", err)
	}
}

package touch

import (
	"errors"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// TestTouch passes if memory that is gone is an error, and other panics stay.
func TestTouch(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(4096); err != nil {
		t.Fatal(err)
	}
	mem, err := unix.Mmap(int(f.Fd()), 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(mem)
	write := func() error { mem[9] = 1; return nil }
	if err := Try(write); err != nil {
		t.Errorf("memory that is there: %v", err)
	}
	if err := f.Truncate(0); err != nil {
		t.Fatal(err)
	}
	if err := Try(write); !errors.Is(err, ErrFault) {
		t.Errorf("memory that is gone: %v", err)
	}
	defer func() {
		if recover() != "other" {
			t.Error("another panic is swallowed")
		}
	}()
	Try(func() error { panic("other") })
}

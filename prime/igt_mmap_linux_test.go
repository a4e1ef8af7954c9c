package prime_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/drm/ioctl"
	"github.com/gemtool/gemtool/prime"
	"github.com/gemtool/gemtool/prime/internal/uapi"
)

var pattern = []byte{0xff, 0, 0, 0, 0, 0xff, 0, 0, 0, 0, 0xff, 0, 0, 0, 0, 0xff}

func fill(m []byte) {
	for i := range m {
		m[i] = pattern[i%len(pattern)]
	}
}

// wantPattern maps a buffer and looks for the pattern all over it.
func wantPattern(t *testing.T, b *prime.Buffer) {
	t.Helper()
	m, err := b.Map()
	if err != nil {
		t.Fatal(err)
	}
	defer shut(t, m)
	if !patterned(m.Bytes()) {
		t.Error("the pattern is not there")
	}
}

func patterned(m []byte) bool {
	return bytes.Equal(m, bytes.Repeat(pattern, len(m)/len(pattern)))
}

// igtBuffer makes a buffer of an object, with the pattern written through the
// object's own mapping.
func igtBuffer(t *testing.T, driver string) (*drm.Device, drm.Handle, *prime.Buffer) {
	t.Helper()
	d := drmtest.RequireDevice(t, driver)
	h := create(t, d)
	m := mapDumb(t, d, h)
	fill(m)
	drm.Munmap(m)
	return d, h, export(t, d, h)
}

// inChild maps a buffer in a process of its own: see [TestIGTMmap].
func inChild(t *testing.T, b *prime.Buffer, what string) {
	t.Helper()
	f, err := b.File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^TestIGTMmap$")
	cmd.Env = append(os.Environ(), "PRIME_TEST_MMAP="+what)
	cmd.ExtraFiles = []*os.File{f}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("child: %v\n%s", err, out)
	}
}

// TestIGTMmap passes if buffers are mapped as in IGT's prime_mmap.
//
// Cases D01, D02
func TestIGTMmap(t *testing.T) {
	if what := os.Getenv("PRIME_TEST_MMAP"); what != "" {
		b, err := prime.New(ioctl.NewFD(childFD))
		if err != nil {
			t.Fatal(err)
		}
		if what == "write" {
			writePattern(t, b)
		}
		wantPattern(t, b)
		return
	}
	onDrivers(t, "test_correct", func(t *testing.T, driver string) {
		d, h, b := igtBuffer(t, driver)
		wantPattern(t, b)
		own := mapDumb(t, d, h)
		defer drm.Munmap(own)
		if !patterned(own) {
			t.Error("the object has other contents")
		}
	})
	onDrivers(t, "test_map_unmap", func(t *testing.T, driver string) {
		_, _, b := igtBuffer(t, driver)
		wantPattern(t, b)
		wantPattern(t, b)
	})
	onDrivers(t, "test_reprime", func(t *testing.T, driver string) {
		d, h, b := igtBuffer(t, driver)
		m, err := b.Map()
		if err != nil {
			t.Fatal(err)
		}
		shut(t, b)
		if !patterned(m.Bytes()) {
			t.Error("the mapping of a closed buffer lost its contents")
		}
		shut(t, m)
		wantPattern(t, export(t, d, h))
	})
	onDrivers(t, "test_forked", func(t *testing.T, driver string) {
		_, _, b := igtBuffer(t, driver)
		inChild(t, b, "read")
	})
	onDrivers(t, "test_correct_cpu_write", func(t *testing.T, driver string) {
		d := drmtest.RequireDevice(t, driver)
		b := export(t, d, create(t, d))
		writePattern(t, b)
		wantPattern(t, b)
	})
	onDrivers(t, "test_forked_cpu_write", func(t *testing.T, driver string) {
		d := drmtest.RequireDevice(t, driver)
		b := export(t, d, create(t, d))
		inChild(t, b, "write")
		wantPattern(t, b)
	})
	onDrivers(t, "test_refcounting", func(t *testing.T, driver string) {
		d, h, b := igtBuffer(t, driver)
		if err := d.CloseHandle(h); err != nil {
			t.Error(err)
		}
		wantPattern(t, b)
	})
	onDrivers(t, "test_dup", func(t *testing.T, driver string) {
		_, _, b := igtBuffer(t, driver)
		dup, err := b.Dup()
		if err != nil {
			t.Fatal(err)
		}
		defer dup.Close()
		shut(t, b)
		wantPattern(t, dup)
	})
	onDrivers(t, "test_errors", mmapErrors)
	onDrivers(t, "test_invalid_sync_flags", func(t *testing.T, driver string) {
		d, h, _ := igtBuffer(t, driver)
		fd, err := d.HandleToFD(h)
		if err != nil {
			t.Fatal(err)
		}
		defer fd.Close()
		sync := func(flags uint64) error { return uapi.OpSync.Do(fd, &uapi.DMABufSync{Flags: flags}) }
		for _, flags := range []uint64{^uint64(0), 0, 4, 8, 3 + 4 + 1, 1 << 32} {
			if err := sync(flags); err != syscall.EINVAL {
				t.Errorf("flags %#x: %v, want EINVAL", flags, err)
			}
		}
		for _, flags := range []uint64{1, 2, 3} {
			if err := errors.Join(sync(flags), sync(flags|4)); err != nil {
				t.Errorf("start and end with %d: %v", flags, err)
			}
		}
	})
}

func writePattern(t *testing.T, b *prime.Buffer) {
	t.Helper()
	m, err := b.Map()
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	w, err := b.BeginAccess(t.Context(), prime.Write)
	if err != nil {
		t.Fatal(err)
	}
	fill(m.Bytes())
	if err := w.End(); err != nil {
		t.Error(err)
	}
}

func mmapErrors(t *testing.T, driver string) {
	d, h, b := igtBuffer(t, driver)
	for _, flags := range []uint32{unix.O_CLOEXEC - 1, unix.O_CLOEXEC + 1, unix.O_RDWR - 1, unix.O_RDWR + 1} {
		arg := primeHandle{Handle: uint32(h), Flags: flags}
		err := opHandleToFD.Do(d.FD(), &arg)
		if flags == 0 { // IGT does not look at the result of this one
			if err == nil {
				unix.Close(int(arg.FD))
			}
			continue
		}
		if err != syscall.EINVAL {
			t.Errorf("export with flags %#x: %v, want EINVAL", flags, err)
		}
	}
	f, err := b.File()
	if err != nil {
		t.Fatal(err)
	}
	n, size := int(f.Fd()), int(b.Size())
	mmap := func(offset int64, size int) error {
		m, err := unix.Mmap(n, offset, size, unix.PROT_READ, unix.MAP_SHARED)
		if err == nil {
			unix.Munmap(m)
		}
		return err
	}
	if err := mmap(0, 2*size); err != syscall.EINVAL {
		t.Errorf("twice the size: %v, want EINVAL", err)
	}
	if err := mmap(int64(size/4096/2*4096), size); err != syscall.EINVAL {
		t.Errorf("over the end: %v, want EINVAL", err)
	}
	f.Close()
	if err := mmap(0, size); err != syscall.EBADF {
		t.Errorf("closed: %v, want EBADF", err)
	}
	if err := d.CloseHandle(h); err != nil {
		t.Error(err)
	}
	if _, err := prime.Export(d, h); !errors.Is(err, syscall.ENOENT) {
		t.Errorf("export of a closed handle: %v, want ENOENT", err)
	}
}

package prime_test

import (
	"bytes"
	"errors"
	"io"
	"structs"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/drm/ioctl"
	"github.com/gemtool/gemtool/prime"
)

// igtFlink and igtOpen are struct drm_gem_flink and drm_gem_open: names that
// all of the device's users see, which this library has no use for.
type igtFlink struct {
	_            structs.HostLayout
	Handle, Name uint32
}

type igtOpen struct {
	_            structs.HostLayout
	Name, Handle uint32
	Size         uint64
}

var (
	opFlink = ioctl.ReadWrite[igtFlink]("GEM_FLINK", 'd', 0x0a)
	opOpen  = ioctl.ReadWrite[igtOpen]("GEM_OPEN", 'd', 0x0b)
)

// igtDrivers are those that the tests of IGT run on, which wants Intel's.
var igtDrivers = []string{"vgem", "vkms", "virtio_gpu"}

// onDrivers runs a subtest of IGT on each.
func onDrivers(t *testing.T, name string, run func(t *testing.T, driver string)) {
	t.Run(name, func(t *testing.T) {
		for _, driver := range igtDrivers {
			t.Run(driver, func(t *testing.T) {
				guard(t)
				run(t, driver)
			})
		}
	})
}

// sameMemory checks that two objects are the same memory, with what was last
// written into it.
func sameMemory(t *testing.T, d1 *drm.Device, h1 drm.Handle, d2 *drm.Device, h2 drm.Handle, counter *byte) {
	t.Helper()
	m1, m2 := mapDumb(t, d1, h1), mapDumb(t, d2, h2)
	defer drm.Munmap(m1)
	defer drm.Munmap(m2)
	for _, m := range [][]byte{m1, m2} {
		if bytes.Count(m, []byte{*counter}) != len(m) {
			t.Errorf("it has other contents than %d", *counter)
		}
	}
	*counter++
	for i := range m1 {
		m1[i] = *counter
	}
	if !bytes.Equal(m1, m2) {
		t.Error("they are two pieces of memory")
	}
}

func mapDumb(t *testing.T, d *drm.Device, h drm.Handle) []byte {
	t.Helper()
	offset, err := d.MapDumb(h)
	if err != nil {
		t.Fatal(err)
	}
	m, err := d.Mmap(offset, 64*48*4)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func create(t *testing.T, d *drm.Device) drm.Handle {
	t.Helper()
	o, err := d.CreateDumb(64, 48, 32)
	if err != nil {
		t.Fatal(err)
	}
	return o.Handle
}

// shut closes what must close, in the middle of a test.
func shut(t *testing.T, files ...io.Closer) {
	t.Helper()
	for _, f := range files {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

func importInto(t *testing.T, d *drm.Device, b *prime.Buffer) drm.Handle {
	t.Helper()
	h, err := b.Import(d)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// TestIGTSelfImport passes if a device imports its own buffers through another
// file as in IGT's prime_self_import.
func TestIGTSelfImport(t *testing.T) {
	onDrivers(t, "basic-with_one_bo", func(t *testing.T, driver string) {
		d1, d2 := drmtest.RequireDevice(t, driver), drmtest.RequireDevice(t, driver)
		var counter byte
		h := create(t, d1)
		b := export(t, d1, h)
		h2 := importInto(t, d2, b)
		sameMemory(t, d1, h, d2, h2, &counter)
		if again := importInto(t, d2, b); again != h2 {
			t.Errorf("imported again as %v, want %v", again, h2)
		}
		if own := importInto(t, d1, b); own != h {
			t.Errorf("imported where it is from as %v, want %v", own, h)
		}
		shut(t, b)
		sameMemory(t, d1, h, d2, h2, &counter)
		if err := d1.CloseHandle(h); err != nil {
			t.Error(err)
		}
		sameMemory(t, d2, h2, d2, h2, &counter)
		// Back into the exporter, without a handle in between.
		b = export(t, d2, h2)
		if err := d2.CloseHandle(h2); err != nil {
			t.Error(err)
		}
		h, h2 = importInto(t, d1, b), importInto(t, d2, b)
		sameMemory(t, d1, h, d2, h2, &counter)
		shut(t, d1)
		sameMemory(t, d2, h2, d2, h2, &counter)
	})
	onDrivers(t, "basic-with_one_bo_two_files", func(t *testing.T, driver string) {
		d1, d2 := drmtest.RequireDevice(t, driver), drmtest.RequireDevice(t, driver)
		// Both were their device's master as they were opened: so both may.
		h := create(t, d1)
		b1 := export(t, d1, h)
		flink := igtFlink{Handle: uint32(h)}
		if err := opFlink.Do(d1.FD(), &flink); err != nil {
			t.Fatal(err)
		}
		open := igtOpen{Name: flink.Name}
		if err := opOpen.Do(d2.FD(), &open); err != nil {
			t.Fatal(err)
		}
		b2 := export(t, d2, drm.Handle(open.Handle))
		if got := importInto(t, d2, b2); got != drm.Handle(open.Handle) {
			t.Errorf("imported as %v, opened as %v", got, open.Handle)
		}
		if b1.Inode() != b2.Inode() {
			t.Error("one object is two buffers")
		}
	})
	onDrivers(t, "basic-with_two_bos", func(t *testing.T, driver string) {
		d1, d2 := drmtest.RequireDevice(t, driver), drmtest.RequireDevice(t, driver)
		var counter byte
		first, second := create(t, d1), create(t, d1)
		b := export(t, d1, first)
		importInto(t, d2, b)
		shut(t, b)
		if err := d1.CloseHandle(first); err != nil {
			t.Error(err)
		}
		b = export(t, d1, second)
		h2 := importInto(t, d2, b)
		sameMemory(t, d1, second, d2, h2, &counter)
		if err := d1.CloseHandle(second); err != nil {
			t.Error(err)
		}
		shut(t, b)
		sameMemory(t, d2, h2, d2, h2, &counter)
	})
	onDrivers(t, "basic-with_fd_dup", func(t *testing.T, driver string) {
		d1, d2 := drmtest.RequireDevice(t, driver), drmtest.RequireDevice(t, driver)
		var counter byte
		h := create(t, d1)
		b := export(t, d1, h)
		if err := d1.CloseHandle(h); err != nil {
			t.Error(err)
		}
		dup, err := b.Dup()
		if err != nil {
			t.Fatal(err)
		}
		shut(t, b)
		h = importInto(t, d2, dup)
		sameMemory(t, d2, h, d2, h, &counter)
		shut(t, dup)
		sameMemory(t, d2, h, d2, h, &counter)
	})
	onDrivers(t, "export-vs-gem_close-race", func(t *testing.T, driver string) {
		d := drmtest.RequireDevice(t, driver)
		race(t, func() error {
			o, err := d.CreateDumb(32, 32, 32)
			if err != nil {
				return err
			}
			if o.Handle != 1 {
				d.CloseHandle(o.Handle)
			}
			if fd, err := d.HandleToFD(1); err == nil {
				fd.Close()
			}
			d.CloseHandle(1) // another's too, or nobody's
			return nil
		})
	})
	onDrivers(t, "reimport-vs-gem_close-race", func(t *testing.T, driver string) {
		d := drmtest.RequireDevice(t, driver)
		b := export(t, d, create(t, d))
		race(t, func() error {
			h, err := b.Import(d)
			if err != nil {
				return err
			}
			d.CloseHandle(h) // the same for all
			return nil
		})
	})
	onDrivers(t, "basic-llseek-size", func(t *testing.T, driver string) {
		d := drmtest.RequireDevice(t, driver)
		for i := range 10 {
			o, err := d.CreateDumb(1024, 1<<i, 32)
			if err != nil {
				t.Fatal(err)
			}
			b := export(t, d, o.Handle)
			d.CloseHandle(o.Handle)
			if b.Size() != 4096<<i {
				t.Errorf("size %d, want %d", b.Size(), 4096<<i)
			}
			shut(t, b)
		}
	})
	onDrivers(t, "basic-llseek-bad", func(t *testing.T, driver string) {
		d := drmtest.RequireDevice(t, driver)
		f, err := export(t, d, create(t, d)).File()
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		const size = 64 * 48 * 4
		for _, to := range []struct {
			offset int64
			whence int
		}{{-1, unix.SEEK_END}, {1, unix.SEEK_SET}, {size, unix.SEEK_SET}, {size + 1, unix.SEEK_SET}, {size - 1, unix.SEEK_SET}} {
			if _, err := f.Seek(to.offset, to.whence); !errors.Is(err, syscall.EINVAL) {
				t.Errorf("seek to %v: %v, want EINVAL", to, err)
			}
		}
	})
}

// race does it on four threads for a while.
func race(t *testing.T, do func() error) {
	t.Helper()
	var workers sync.WaitGroup
	var rounds atomic.Int64
	end := time.Now().Add(300 * time.Millisecond)
	for range 4 {
		workers.Go(func() {
			for time.Now().Before(end) {
				if err := do(); err != nil {
					t.Error(err)
					return
				}
				rounds.Add(1)
			}
		})
	}
	workers.Wait()
	t.Logf("%d rounds", rounds.Load())
}

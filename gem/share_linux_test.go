package gem_test

import (
	"errors"
	"os"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/gem"
	"github.com/gemtool/gemtool/prime"
)

// open opens the node of another Device once more: another file.
func open(t *testing.T, d *drm.Device) *drm.Device {
	t.Helper()
	other, err := drm.Open(d.Path(), drm.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { other.Close() })
	return other
}

// dup makes a Device of a duplicate of another's descriptor: the same file.
func dup(t *testing.T, d *drm.Device) *drm.Device {
	t.Helper()
	var n int
	err := d.FD().Use(func(fd int) (err error) {
		n, err = unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(n), d.Path())
	defer f.Close()
	other, err := drm.FromFile(f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { other.Close() })
	return other
}

// TestStoreOfDup passes if a duplicate of a device's descriptor has the same
// Store, which works on when either is closed, and another file has another.
func TestStoreOfDup(t *testing.T) {
	drmtest.CheckLeaks(t)
	first := open(t, drmtest.RequireDevice(t, "vgem"))
	store := gem.StoreOf(first)
	second := dup(t, first)
	if !drm.SameFile(first, second) || gem.StoreOf(second) != store {
		t.Fatal("a duplicate has another Store")
	}
	if other := open(t, first); drm.SameFile(first, other) || gem.StoreOf(other) == store {
		t.Error("another file has the same Store")
	}
	o, again := create(t, store), create(t, store)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	vunmap(t, vmap(t, o))
	if err := o.Close(); err != nil {
		t.Error(err)
	}
	if _, err := second.MapDumb(o.Handle()); !errors.Is(err, syscall.ENOENT) {
		t.Errorf("a closed handle: %v, want ENOENT", err)
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Errorf("Close when the file is closed: %v", err)
	}
}

// TestTwoFiles passes if an object of one file is no import on another file of
// its device, but an import on another device.
//
// Case H07
func TestTwoFiles(t *testing.T) {
	vgem, vkms := stores(t)
	o := create(t, vgem)
	b := export(t, o)
	same, other := importOn(t, gem.StoreOf(open(t, vgem.Device())), b), importOn(t, vkms, b)
	if same.Imported() || !other.Imported() {
		t.Errorf("imported on its device: %v, on another: %v", same.Imported(), other.Imported())
	}
	sameMemory(t, o, same)
	sameMemory(t, o, other)
}

// TestBufferKeepsMemory passes if memory whose objects are closed is still
// known as long as an exported Buffer lives, and forgotten with the last.
func TestBufferKeepsMemory(t *testing.T) {
	vgem, _ := stores(t)
	o := create(t, vgem)
	b := export(t, o)
	second, err := b.Dup()
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(o.Close(), b.Close()); err != nil {
		t.Fatal(err)
	}
	again := importOn(t, vgem, second)
	if again.Imported() || again.Reservation() != o.Reservation() {
		t.Error("the memory came back as another's")
	}
	file, err := second.File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := errors.Join(again.Close(), second.Close()); err != nil {
		t.Fatal(err)
	}
	received, err := prime.FromFile(file)
	if err != nil {
		t.Fatal(err)
	}
	defer received.Close()
	if x := importOn(t, vgem, received); !x.Imported() {
		t.Error("forgotten memory is known")
	}
}

// TestHold passes if a hold keeps the handle over the object's Close, and ends
// once.
func TestHold(t *testing.T) {
	vgem, _ := stores(t)
	o := create(t, vgem)
	closes := countCloses(t)
	one, err := o.Hold()
	if err != nil {
		t.Fatal(err)
	}
	two, err := o.Hold()
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Hold(); !errors.Is(err, gem.ErrClosed) {
		t.Errorf("Hold of a closed object: %v, want ErrClosed", err)
	}
	one()
	one()
	if n := closes.Load(); n != 0 {
		t.Errorf("%d handles closed under a hold", n)
	}
	if _, err := vgem.Device().MapDumb(o.Handle()); err != nil {
		t.Errorf("the handle under a hold: %v", err)
	}
	two()
	if n := closes.Load(); n != 1 {
		t.Errorf("%d handles closed, want 1", n)
	}
}

// TestCloseExportRace passes if a Close beside exports, holds and imports of
// the same object leaves each of them whole or refused.
//
// Case H01
func TestCloseExportRace(t *testing.T) {
	vgem, vkms := stores(t)
	for range 200 {
		o := create(t, vgem)
		var wg sync.WaitGroup
		wg.Go(func() {
			b, err := o.Export()
			if err != nil {
				if !errors.Is(err, gem.ErrClosed) {
					t.Error(err)
				}
				return
			}
			x, err := vkms.Import(b)
			if err != nil {
				t.Error(err)
				return
			}
			if err := errors.Join(x.Close(), b.Close()); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() {
			release, err := o.Hold()
			if err != nil {
				if !errors.Is(err, gem.ErrClosed) {
					t.Error(err)
				}
				return
			}
			release()
		})
		wg.Go(func() {
			if err := o.Close(); err != nil {
				t.Error(err)
			}
		})
		wg.Wait()
	}
}

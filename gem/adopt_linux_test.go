package gem_test

import (
	"errors"
	"testing"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/fourcc"
	"github.com/gemtool/gemtool/drm/kms"
	"github.com/gemtool/gemtool/gem"
)

// framebuffer puts an object behind a framebuffer until the test ends.
func framebuffer(t *testing.T, o *gem.Object, d *drm.Device) kms.FBID {
	t.Helper()
	dumb, _ := o.Dumb()
	id, err := kms.AddFB2(d, kms.FB{
		Width: dumb.Width, Height: dumb.Height, Format: fourcc.XRGB8888, Modifier: fourcc.ModInvalid,
		Planes: []kms.FBPlane{{Handle: o.Handle(), Pitch: dumb.Pitch}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := kms.RmFB(d, id); err != nil {
			t.Error(err)
		}
	})
	return id
}

func getFB2(t *testing.T, d *drm.Device, id kms.FBID) drm.Handle {
	t.Helper()
	fb, err := kms.GetFB2(d, id)
	if err != nil {
		t.Fatal(err)
	}
	return fb.Planes[0].Handle
}

func adopt(t *testing.T, s *gem.Store, h drm.Handle) *gem.Object {
	t.Helper()
	o, err := s.Adopt(h)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := o.Close(); err != nil && !errors.Is(err, gem.ErrClosed) {
			t.Error(err)
		}
	})
	return o
}

// sameMemory fails unless two objects have one reservation and one content.
func sameMemory(t *testing.T, a, b *gem.Object) {
	t.Helper()
	if a.Reservation() != b.Reservation() {
		t.Errorf("%v and %v have two reservations", a.Handle(), b.Handle())
		return
	}
	ma, mb := vmap(t, a), vmap(t, b)
	ma.Bytes()[4000] = 40
	if mb.Bytes()[4000] != 40 {
		t.Errorf("%v and %v show different bytes", a.Handle(), b.Handle())
	}
	vunmap(t, ma)
	vunmap(t, mb)
}

// TestAdopt passes if the handles of GETFB2, a new one at each call, come to be
// objects of the memory that the framebuffer was made of, each with a close of
// its own, and whether it was exported before or not.
func TestAdopt(t *testing.T) {
	t.Run("not exported", func(t *testing.T) { testAdopt(t, false) })
	t.Run("exported", func(t *testing.T) { testAdopt(t, true) })
}

func testAdopt(t *testing.T, exported bool) {
	_, vkms := stores(t)
	d := vkms.Device()
	o := create(t, vkms)
	if exported {
		export(t, o)
	}
	id := framebuffer(t, o, d)
	one, two := adopt(t, vkms, getFB2(t, d, id)), adopt(t, vkms, getFB2(t, d, id))
	if one.Handle() == two.Handle() || one.Handle() == o.Handle() {
		t.Errorf("handles %v, %v, %v", o.Handle(), one.Handle(), two.Handle())
	}
	if one.Imported() {
		t.Error("an import on its own device")
	}
	sameMemory(t, o, one)
	sameMemory(t, o, two)

	// The kernel answers an import with any of the handles.
	imported := importOn(t, vkms, export(t, o))
	sameMemory(t, o, imported)
	closes := countCloses(t)
	for _, x := range []*gem.Object{o, one, two, imported} {
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	}
	if n := closes.Load(); n != 3 {
		t.Errorf("%d handles closed, want 3", n)
	}
}

// TestAdoptHeld passes if memory is known again whose object is closed and
// that a hold or a map keeps, as when a display holds what it shows.
func TestAdoptHeld(t *testing.T) {
	_, vkms := stores(t)
	d := vkms.Device()
	for _, keep := range []func(o *gem.Object) (end func()){
		func(o *gem.Object) func() {
			release, err := o.Hold()
			if err != nil {
				t.Fatal(err)
			}
			return release
		},
		func(o *gem.Object) func() {
			m := vmap(t, o)
			return func() { vunmap(t, m) }
		},
	} {
		o := create(t, vkms)
		id := framebuffer(t, o, d)
		end := keep(o)
		if err := o.Close(); err != nil {
			t.Fatal(err)
		}
		again := adopt(t, vkms, getFB2(t, d, id))
		if again.Imported() || again.Reservation() != o.Reservation() {
			t.Errorf("imported %v, another reservation %v", again.Imported(), again.Reservation() != o.Reservation())
		}
		end()
	}
}

// TestAdoptRefused passes if a handle that is an object's is not taken twice,
// and one that does not exist not at all.
func TestAdoptRefused(t *testing.T) {
	_, vkms := stores(t)
	o := create(t, vkms)
	if _, err := vkms.Adopt(o.Handle()); !errors.Is(err, gem.ErrHandle) {
		t.Errorf("Adopt of an object's handle: %v, want ErrHandle", err)
	}
	if _, err := vkms.Adopt(4711); err == nil {
		t.Error("Adopt of no handle succeeded")
	}
	export(t, o)
	h := getFB2(t, vkms.Device(), framebuffer(t, o, vkms.Device()))
	adopt(t, vkms, h)
	if _, err := vkms.Adopt(h); !errors.Is(err, gem.ErrHandle) {
		t.Errorf("second Adopt: %v, want ErrHandle", err)
	}
}

// TestAdoptForeign passes if the memory of another process's framebuffer is an
// import, which is mapped through its dma-buf.
func TestAdoptForeign(t *testing.T) {
	_, vkms := stores(t)
	d := vkms.Device()
	dumb, err := d.CreateDumb(64, 64, 32) // behind the library's back, as another process would
	if err != nil {
		t.Fatal(err)
	}
	id, err := kms.AddFB2(d, kms.FB{
		Width: 64, Height: 64, Format: fourcc.XRGB8888, Modifier: fourcc.ModInvalid,
		Planes: []kms.FBPlane{{Handle: dumb.Handle, Pitch: dumb.Pitch}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kms.RmFB(d, id) })
	o := adopt(t, vkms, getFB2(t, d, id))
	if err := d.DestroyDumb(dumb.Handle); err != nil {
		t.Fatal(err)
	}
	if !o.Imported() || o.Size() != dumb.Size {
		t.Errorf("imported %v, size %d, want true, %d", o.Imported(), o.Size(), dumb.Size)
	}
	m := vmap(t, o)
	m.Bytes()[0] = 1
	vunmap(t, m)
	if err := o.Pin(t.Context()); !errors.Is(err, gem.ErrImported) {
		t.Errorf("Pin: %v, want ErrImported", err)
	}
}

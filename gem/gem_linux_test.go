package gem_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/drm/fourcc"
	"github.com/gemtool/gemtool/gem"
	"github.com/gemtool/gemtool/prime"
)

// stores opens vgem and vkms.
func stores(t *testing.T) (vgem, vkms *gem.Store) {
	t.Helper()
	drmtest.GuardKernelLog(t)
	drmtest.CheckLeaks(t)
	return gem.StoreOf(drmtest.RequireDevice(t, "vgem")), gem.StoreOf(drmtest.RequireDevice(t, "vkms"))
}

func create(t testing.TB, s *gem.Store) *gem.Object {
	t.Helper()
	o, err := s.Create(64, 64, 32)
	return closing(t, o, err)
}

// closing closes o at the end of the test, unless the test has.
func closing(t testing.TB, o *gem.Object, err error) *gem.Object {
	t.Helper()
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

func export(t *testing.T, o *gem.Object) *prime.Buffer {
	t.Helper()
	b, err := o.Export()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func importOn(t *testing.T, s *gem.Store, b *prime.Buffer) *gem.Object {
	t.Helper()
	o, err := s.Import(b)
	return closing(t, o, err)
}

func vmap(t *testing.T, o *gem.Object) gem.Map {
	t.Helper()
	m, err := o.VMap(t.Context(), prime.ReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func vunmap(t *testing.T, m gem.Map) {
	t.Helper()
	if err := m.VUnmap(); err != nil {
		t.Error(err)
	}
}

func wantStats(t *testing.T, o *gem.Object, want gem.Stats) {
	t.Helper()
	want.Mapped = want.VMapUse > 0
	got, ok, err := o.Stats(t.Context())
	if err != nil || !ok || got != want {
		t.Errorf("counters %+v, %v, %v, want %+v", got, ok, err, want)
	}
}

// countCloses counts the handles that are closed from now on.
func countCloses(t *testing.T) *atomic.Int64 {
	t.Helper()
	const gemClose = 0x40086409
	var n atomic.Int64
	drmtest.Intercept(t, func(c drmtest.Call) (syscall.Errno, bool) {
		if c.Request == gemClose {
			n.Add(1)
		}
		return 0, false
	})
	return &n
}

// TestImportTwice passes if two imports of one buffer are two objects with one
// handle, which is closed once, with the second of them.
//
// Case C20
func TestImportTwice(t *testing.T) {
	vgem, vkms := stores(t)
	b := export(t, create(t, vgem))
	closes := countCloses(t)
	first, second := importOn(t, vkms, b), importOn(t, vkms, b)
	if first.Handle() != second.Handle() {
		t.Errorf("handles %d and %d", first.Handle(), second.Handle())
	}
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	if n := closes.Load(); n != 0 {
		t.Errorf("%d handles closed while an object lives", n)
	}
	export(t, second) // the handle still works
	if err := first.Close(); !errors.Is(err, gem.ErrClosed) {
		t.Errorf("second Close: %v, want ErrClosed", err)
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
	if n := closes.Load(); n != 1 {
		t.Errorf("%d handles closed, want 1", n)
	}
}

// TestSelfImport passes if an import of an own export keeps the original's
// handle open, and shares its memory.
//
// Case C21
func TestSelfImport(t *testing.T) {
	vgem, _ := stores(t)
	original := create(t, vgem)
	again := importOn(t, vgem, export(t, original))
	if again.Handle() != original.Handle() || again.Imported() {
		t.Errorf("handle %d, imported %v: want the original's %d, and no import", again.Handle(), again.Imported(), original.Handle())
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
	m := vmap(t, original)
	m.Bytes()[0] = 1
	vunmap(t, m)
}

// TestCounters passes if maps of an object and of its import in this process
// are counted once, on the memory, with the rules of Linux 7.2.
func TestCounters(t *testing.T) {
	vgem, vkms := stores(t)
	o := create(t, vgem)
	wantStats(t, o, gem.Stats{})
	first := vmap(t, o)
	wantStats(t, o, gem.Stats{PagesUse: 1, PagesPin: 1, VMapUse: 1})
	imported := importOn(t, vkms, export(t, o))
	second := vmap(t, imported)
	wantStats(t, o, gem.Stats{PagesUse: 1, PagesPin: 1, VMapUse: 2})
	second.Bytes()[7] = 77
	if first.Bytes()[7] != 77 {
		t.Error("two mappings of one memory differ")
	}
	vunmap(t, first)
	wantStats(t, o, gem.Stats{PagesUse: 1, PagesPin: 1, VMapUse: 1})
	vunmap(t, second)
	wantStats(t, o, gem.Stats{})

	// With the creator gone, the import maps through the dma-buf.
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	m := vmap(t, imported)
	if m.Bytes()[7] != 77 {
		t.Error("the content is lost")
	}
	wantStats(t, o, gem.Stats{PagesUse: 1, PagesPin: 1, VMapUse: 1}) // also of a closed object
	if _, ok, err := imported.Stats(t.Context()); ok || err != nil {
		t.Errorf("counters of an import: %v, %v", ok, err)
	}
	vunmap(t, m)
}

// foreign makes memory behind the library's back, as another process would.
func foreign(t *testing.T, s *gem.Store) *prime.Buffer {
	t.Helper()
	d := s.Device()
	dumb, err := d.CreateDumb(64, 64, 32)
	if err != nil {
		t.Fatal(err)
	}
	b, err := prime.Export(d, dumb.Handle)
	if err := errors.Join(err, d.DestroyDumb(dumb.Handle)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// TestForeign passes if memory that this process did not make has no counters
// here, and is mapped through its dma-buf.
func TestForeign(t *testing.T) {
	vgem, vkms := stores(t)
	b := foreign(t, vkms)
	one, two := importOn(t, vgem, b), importOn(t, vkms, b)
	if !one.Imported() || one.Size() != 16384 {
		t.Errorf("imported %v, size %d", one.Imported(), one.Size())
	}
	m1, m2 := vmap(t, one), vmap(t, two)
	m1.Bytes()[9000] = 9
	if m2.Bytes()[9000] != 9 {
		t.Error("two devices see different bytes")
	}
	if _, ok, _ := one.Stats(t.Context()); ok {
		t.Error("foreign memory has counters")
	}
	vunmap(t, m1)
	vunmap(t, m2)
	if err := m1.VUnmap(); !errors.Is(err, gem.ErrStale) {
		t.Errorf("second VUnmap: %v, want ErrStale", err)
	}
}

// TestMapOutlivesClose passes if bytes stay valid until their VUnmap.
//
// Case M09
func TestMapOutlivesClose(t *testing.T) {
	vgem, _ := stores(t)
	o := create(t, vgem)
	m := vmap(t, o)
	m.Bytes()[100] = 1
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	if m.Bytes()[100] != 1 {
		t.Error("the content is lost")
	}
	if _, err := o.VMap(t.Context(), prime.Read); !errors.Is(err, gem.ErrClosed) {
		t.Errorf("VMap of a closed object: %v, want ErrClosed", err)
	}
	if _, err := o.Export(); !errors.Is(err, gem.ErrClosed) {
		t.Errorf("Export of a closed object: %v, want ErrClosed", err)
	}
	vunmap(t, m)
}

// TestStale passes if a Map ends once, also when its place is used again.
//
// Cases B21, F17
func TestStale(t *testing.T) {
	vgem, _ := stores(t)
	o := create(t, vgem)
	old := vmap(t, o)
	vunmap(t, old)
	now := vmap(t, o)
	if err := old.VUnmap(); !errors.Is(err, gem.ErrStale) {
		t.Errorf("VUnmap of an ended Map: %v, want ErrStale", err)
	}
	if old.Bytes() != nil {
		t.Error("an ended Map has bytes")
	}
	wantStats(t, o, gem.Stats{PagesUse: 1, PagesPin: 1, VMapUse: 1})
	if now.Bytes() == nil {
		t.Error("the living Map has no bytes")
	}
	vunmap(t, now)
	if err := (gem.Map{}).VUnmap(); !errors.Is(err, gem.ErrStale) {
		t.Errorf("VUnmap of no Map: %v, want ErrStale", err)
	}
}

// TestIdentity passes if memory that came in behind the library's back is
// known again on the device it is of, and is not taken for two pieces where it
// cannot be.
func TestIdentity(t *testing.T) {
	vgem, vkms := stores(t)
	raw := func(o *gem.Object) *prime.Buffer {
		b, err := prime.Export(vgem.Device(), o.Handle())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { b.Close() })
		return b
	}
	o := create(t, vgem)
	same := importOn(t, vgem, raw(o))
	if same.Imported() || same.Handle() != o.Handle() {
		t.Errorf("handle %v of %v, imported %v", same.Handle(), o.Handle(), same.Imported())
	}
	sameMemory(t, o, same)
	sameMemory(t, o, importOn(t, vkms, export(t, o)))

	o = create(t, vgem)
	again := importOn(t, gem.StoreOf(open(t, vgem.Device())), raw(o))
	if again.Imported() {
		t.Error("an import on another file of its device")
	}
	sameMemory(t, o, again)

	o = create(t, vgem)
	imported := importOn(t, vkms, raw(o)) // nothing there tells whose it is
	if _, err := o.Export(); !errors.Is(err, gem.ErrIdentity) {
		t.Errorf("Export: %v, want ErrIdentity", err)
	}
	if _, err := vgem.Import(raw(o)); !errors.Is(err, gem.ErrIdentity) {
		t.Errorf("Import: %v, want ErrIdentity", err)
	}
	if err := imported.Close(); err != nil {
		t.Fatal(err)
	}
	export(t, o)
}

// TestCloseRace passes if imports and closes of one buffer from many
// goroutines never meet a handle that another has closed, and leave nothing.
//
// Case H02
func TestCloseRace(t *testing.T) {
	vgem, vkms := stores(t)
	b := export(t, create(t, vgem))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				o, err := vkms.Import(b)
				if err != nil {
					t.Error(err)
					return
				}
				m, err := o.VMap(t.Context(), prime.ReadWrite)
				if err != nil {
					t.Error(err)
				}
				again, err := o.Export()
				if err != nil {
					t.Error(err)
					return
				}
				again.Close()
				if err := o.Close(); err != nil {
					t.Error(err)
				}
				if err := m.VUnmap(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	closes := countCloses(t)
	if err := importOn(t, vkms, b).Close(); err != nil || closes.Load() != 1 {
		t.Errorf("after all closes, one more closes %d handles: %v", closes.Load(), err)
	}
}

// TestImage passes if the view of a mapping uses the buffer's pitch.
func TestImage(t *testing.T) {
	vgem, _ := stores(t)
	o, err := vgem.Create(63, 3, 32)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	dumb, ok := o.Dumb()
	if !ok {
		t.Fatal("no geometry")
	}
	m := vmap(t, o)
	defer vunmap(t, m)
	img, err := o.Image(m, fourcc.XRGB8888)
	if err != nil {
		t.Fatal(err)
	}
	if b := img.Bounds(); b.Dx() != 63 || b.Dy() != 3 {
		t.Errorf("bounds %v", b)
	}
	img.Set(1, 2, img.ColorModel().Convert(img.At(0, 0)))
	m.Bytes()[2*dumb.Pitch+4] = 0xff // blue of (1, 2)
	if _, _, blue, _ := img.At(1, 2).RGBA(); blue != 0xffff {
		t.Errorf("blue of (1, 2) is %#x", blue)
	}
}

// TestGone passes if closing what was made on a closed device succeeds: its
// handles are gone.
func TestGone(t *testing.T) {
	drmtest.CheckLeaks(t)
	dev, err := drm.Open(drmtest.RequireDevice(t, "vgem").Path(), drm.Options{})
	if err != nil {
		t.Fatal(err)
	}
	o := create(t, gem.StoreOf(dev))
	if err := dev.Close(); err != nil {
		t.Fatal(err)
	}
	if err := o.Close(); err != nil {
		t.Errorf("Close after the device's: %v", err)
	}
}

// TestStoreOf passes if a device has one Store, so that an object that is
// exported and imported on one device is counted in one place.
func TestStoreOf(t *testing.T) {
	vgem, vkms := stores(t)
	if gem.StoreOf(vgem.Device()) != vgem || vgem == vkms {
		t.Error("StoreOf does not find the device's Store")
	}
	obj, err := share(t.Context(), vgem.Device(), vgem.Device())
	if err != nil {
		t.Fatal(err)
	}
	export(t, obj) // its handle is open
	if err := obj.Close(); err != nil {
		t.Error(err)
	}
}

// TestBytesRace passes if Bytes beside VUnmap gives all of the memory or
// nothing, and the race detector is silent.
func TestBytesRace(t *testing.T) {
	vgem, _ := stores(t)
	o := create(t, vgem)
	defer vunmap(t, vmap(t, o)) // keeps the memory mapped
	for range 200 {
		m := vmap(t, o)
		var wg sync.WaitGroup
		wg.Go(func() {
			if n := len(m.Bytes()); n != 0 && uint64(n) != o.Size() {
				t.Errorf("%d bytes", n)
			}
		})
		wg.Go(func() { vunmap(t, m) })
		wg.Wait()
		vunmap(t, vmap(t, o)) // uses the place again
	}
}

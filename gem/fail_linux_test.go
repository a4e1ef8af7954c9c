package gem_test

import (
	"errors"
	"fmt"
	"sync"
	"syscall"
	"testing"

	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/gem"
	"github.com/gemtool/gemtool/prime"
)

// TestPins passes if three pins are three in pages_pin_count and one in
// pages_use_count, with one mapping.
//
// Case F09, the library's half
func TestPins(t *testing.T) {
	f, s, _, _ := fakeStores(t)
	o := fakeObject(t, s)
	for i := range uint32(3) {
		if err := o.Pin(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantStats(t, o, gem.Stats{PagesPin: i + 1, PagesUse: 1})
	}
	if n := f.Calls(drmtest.FakeMmap); n != 1 {
		t.Errorf("%d mmaps", n)
	}
	for i := range uint32(3) {
		if err := o.Unpin(); err != nil {
			t.Fatal(err)
		}
		wantStats(t, o, gem.Stats{PagesPin: 2 - i, PagesUse: min(1, 2-i)})
	}
	if n := f.Calls(drmtest.FakeMunmap); n != 1 {
		t.Errorf("%d munmaps", n)
	}
}

// TestOrders passes if two pins and two maps, in every order of their
// beginnings and ends, have the counters of Linux 7.2 all the time, and one
// mapping while there is any of them.
//
// Case F10
func TestOrders(t *testing.T) {
	f, s, _, _ := fakeStores(t)
	o := fakeObject(t, s)
	var pins, vmaps uint32
	var maps []gem.Map
	orders := 0
	check := func() {
		use := min(1, pins+vmaps)
		want := gem.Stats{PagesPin: pins + min(1, vmaps), PagesUse: use, VMapUse: vmaps, Mapped: vmaps > 0}
		wantStats(t, o, want)
		if n := f.Count().Mappings; n != int(use) {
			t.Fatalf("%d mappings with %+v", n, want)
		}
	}
	pin := func() error { pins++; return o.Pin(t.Context()) }
	unpin := func() error { pins--; return o.Unpin() }
	vmap := func() error {
		vmaps++
		m, err := o.VMap(t.Context(), prime.Read)
		maps = append(maps, m)
		return err
	}
	vunmap := func() error {
		vmaps--
		m := maps[0]
		maps = maps[1:]
		return m.VUnmap()
	}
	// Every walk that ends where it began, of a depth.
	var walk func(path []func() error, begun, depth int)
	walk = func(path []func() error, begun, depth int) {
		if depth == 0 {
			orders++
			pins, vmaps = 0, 0
			for i, step := range path {
				if err := step(); err != nil {
					t.Fatalf("step %d: %v", i, err)
				}
				check()
			}
			return
		}
		if pins+vmaps < uint32(depth) {
			pins++
			walk(append(path, pin), begun+1, depth-1)
			pins--
			vmaps++
			walk(append(path, vmap), begun+1, depth-1)
			vmaps--
		}
		if pins > 0 {
			pins--
			walk(append(path, unpin), begun, depth-1)
			pins++
		}
		if vmaps > 0 {
			vmaps--
			walk(append(path, vunmap), begun, depth-1)
			vmaps++
		}
	}
	walk(nil, 0, 6)
	if orders < 50 {
		t.Errorf("only %d orders", orders)
	}
}

// TestImportCounts passes if maps of an import move the counters of its
// exporter and show nothing of its own, and of foreign memory nobody's.
//
// Cases F12, F13
func TestImportCounts(t *testing.T) {
	f, s, _, other := fakeStores(t)
	o := fakeObject(t, s)
	i := importOn(t, other, export(t, o))
	none := func(i *gem.Object) {
		t.Helper()
		if st, ok, err := i.Stats(t.Context()); ok || err != nil || st != (gem.Stats{}) {
			t.Errorf("an import has counters: %+v, %v, %v", st, ok, err)
		}
	}
	none(i)
	var maps []gem.Map
	for n := range uint32(5) {
		maps = append(maps, vmap(t, i))
		wantStats(t, o, gem.Stats{PagesPin: 1, PagesUse: 1, VMapUse: n + 1, Mapped: true})
		none(i)
	}
	if err := i.Pin(t.Context()); !errors.Is(err, gem.ErrImported) {
		t.Errorf("Pin of an import: %v, want ErrImported", err)
	}
	if n := f.Count().Mappings; n != 1 {
		t.Errorf("%d mappings", n)
	}
	for _, m := range maps {
		vunmap(t, m)
	}
	wantStats(t, o, gem.Stats{})

	b, err := prime.New(f.NewBuffer(4096, false))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	foreign := importOn(t, s, b)
	first, second := vmap(t, foreign), vmap(t, foreign)
	none(foreign)
	if n := f.Count().Mappings; n != 1 {
		t.Errorf("%d mappings of foreign memory", n)
	}
	vunmap(t, first)
	vunmap(t, second)
}

// TestPagesFail passes if pages that cannot be had change nothing, whoever
// wants them and whatever fails, and the next try works.
//
// Cases F14, F15
func TestPagesFail(t *testing.T) {
	f, s, _, other := fakeStores(t)
	o := fakeObject(t, s)
	imported := importOn(t, other, export(t, fakeObject(t, s)))
	ctx := t.Context()
	for name, use := range map[string]func(*gem.Object) (func() error, error){
		"Pin":  func(o *gem.Object) (func() error, error) { return o.Unpin, o.Pin(ctx) },
		"VMap": func(o *gem.Object) (func() error, error) { m, err := o.VMap(ctx, prime.Read); return m.VUnmap, err },
		"Local": func(o *gem.Object) (func() error, error) {
			return func() error { return nil }, o.Local(ctx, prime.Read, func(gem.View) error { return nil })
		},
	} {
		for _, o := range []*gem.Object{o, imported} {
			if o == imported && name == "Pin" {
				continue
			}
			t.Run(fmt.Sprintf("%s/imported=%v", name, o == imported), func(t *testing.T) {
				f.Fail(drmtest.FakeMmap, syscall.ENOMEM)
				defer f.On(drmtest.FakeMmap, nil)
				if _, err := use(o); !errors.Is(err, syscall.ENOMEM) {
					t.Errorf("%v, want ENOMEM", err)
				}
				if n := f.Count().Mappings; n != 0 {
					t.Errorf("%d mappings", n)
				}
				if o != imported {
					wantStats(t, o, gem.Stats{})
				}
				end, err := use(o)
				if err != nil {
					t.Fatalf("second try: %v", err)
				}
				if err := end(); err != nil {
					t.Error(err)
				}
				if n := f.Count().Mappings; n != 0 {
					t.Errorf("%d mappings at the end", n)
				}
			})
		}
	}
}

// TestCreateFails passes if an object that cannot be made leaves no handle.
//
// Case F14
func TestCreateFails(t *testing.T) {
	f, s, _, _ := fakeStores(t)
	for _, call := range []string{"MODE_CREATE_DUMB", "MODE_MAP_DUMB"} {
		f.Fail(call, syscall.ENOMEM)
		if _, err := s.Create(32, 32, 32); !errors.Is(err, syscall.ENOMEM) {
			t.Errorf("%s fails: Create: %v, want ENOMEM", call, err)
		}
		f.On(call, nil)
		if got := f.Count(); got != (drmtest.FakeCount{}) {
			t.Errorf("%s fails: left %+v", call, got)
		}
		fakeObject(t, s).Close()
	}
}

// TestUnderflow passes if what is given back too often is a typed error and
// moves nothing, and the pin of a map is nobody's to give back.
//
// Case F17
func TestUnderflow(t *testing.T) {
	_, s, _, other := fakeStores(t)
	o := fakeObject(t, s)
	warnings := 0
	defer gem.OnWarn(func(gem.Warning) { warnings++ })()
	if err := o.Unpin(); !errors.Is(err, gem.ErrUnderflow) || warnings != 1 {
		t.Errorf("%d warnings", warnings)
		t.Errorf("Unpin at 0: %v, want ErrUnderflow", err)
	}
	wantStats(t, o, gem.Stats{})
	m := vmap(t, o)
	if err := o.Unpin(); !errors.Is(err, gem.ErrUnderflow) {
		t.Errorf("Unpin of the pin of a map: %v, want ErrUnderflow", err)
	}
	wantStats(t, o, gem.Stats{PagesPin: 1, PagesUse: 1, VMapUse: 1, Mapped: true})
	vunmap(t, m)
	if err := m.VUnmap(); !errors.Is(err, gem.ErrStale) {
		t.Errorf("VUnmap at 0: %v, want ErrStale", err)
	}
	if err := (gem.Map{}).VUnmap(); !errors.Is(err, gem.ErrStale) {
		t.Errorf("VUnmap of no Map: %v, want ErrStale", err)
	}
	wantStats(t, o, gem.Stats{})

	// With the release of the last pin in the queue there is none left.
	if err := o.Pin(t.Context()); err != nil {
		t.Fatal(err)
	}
	held, err := o.Reservation().Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Unpin(); err != nil {
		t.Error(err)
	}
	if err := o.Unpin(); !errors.Is(err, gem.ErrUnderflow) {
		t.Errorf("Unpin of the queued pin: %v, want ErrUnderflow", err)
	}
	if st, _, err := o.StatsLocked(held); err != nil || st != (gem.Stats{PagesPin: 1, PagesUse: 1}) {
		t.Errorf("before the end of the hold: %+v, %v", st, err)
	}
	if err := held.Unlock(); err != nil {
		t.Error(err)
	}
	wantStats(t, o, gem.Stats{})
	if err := importOn(t, other, export(t, o)).Unpin(); !errors.Is(err, gem.ErrImported) {
		t.Errorf("Unpin of an import: %v, want ErrImported", err)
	}
}

// TestCloseInUse passes if memory lives until the last map and pin of it end,
// the imbalance at the close of its last object is told once, and what was
// only to wait for the reservation is none.
//
// Case F19
func TestCloseInUse(t *testing.T) {
	f, s, _, _ := fakeStores(t)
	var mu sync.Mutex
	var warnings []gem.Warning
	t.Cleanup(gem.OnWarn(func(w gem.Warning) {
		mu.Lock()
		defer mu.Unlock()
		warnings = append(warnings, w)
	}))
	wantWarnings := func(want int) {
		t.Helper()
		mu.Lock()
		defer mu.Unlock()
		if len(warnings) != want {
			t.Errorf("warnings %v, want %d", warnings, want)
		}
		warnings = nil
	}
	o := fakeObject(t, s)
	m := vmap(t, o)
	if err := o.Pin(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.Bytes()[9] = 9
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	wantWarnings(1)
	if got := f.Count(); got != (drmtest.FakeCount{Mappings: 1}) || m.Bytes()[9] != 9 {
		t.Errorf("after Close: %+v", got)
	}
	vunmap(t, m)
	wantStats(t, o, gem.Stats{PagesPin: 1, PagesUse: 1})
	if err := o.Unpin(); err != nil {
		t.Error(err)
	}
	if got := f.Count(); got != (drmtest.FakeCount{}) {
		t.Errorf("at the end: %+v", got)
	}

	o = fakeObject(t, s)
	m = vmap(t, o)
	held, err := o.Reservation().Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	vunmap(t, m)
	if err := held.Unlock(); err != nil {
		t.Error(err)
	}
	o = fakeObject(t, s)
	m = vmap(t, o)
	if held, err = o.Reservation().Lock(t.Context()); err != nil {
		t.Fatal(err)
	}
	vunmap(t, m)
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	if err := held.Unlock(); err != nil {
		t.Error(err)
	}
	wantWarnings(1) // of the first of the two: it had a map when it was closed
	if got := f.Count(); got != (drmtest.FakeCount{}) {
		t.Errorf("at the end: %+v", got)
	}
}

// TestLocalAllEnd passes if the error of a window that cannot be closed is
// LocalAll's, as it is Local's.
func TestLocalAllEnd(t *testing.T) {
	f, s, _, _ := fakeStores(t)
	one, two := fakeObject(t, s), fakeObject(t, s)
	export(t, one)
	fail := func() { f.Fail("DMA_BUF_IOCTL_SYNC", 0, syscall.EIO) }
	defer f.On("DMA_BUF_IOCTL_SYNC", nil)
	fail()
	err := one.Local(t.Context(), prime.Read, func(gem.View) error { return nil })
	if !errors.Is(err, syscall.EIO) {
		t.Errorf("Local: %v, want EIO", err)
	}
	fail()
	err = gem.LocalAll(t.Context(), func([]gem.View) error { return nil },
		gem.Use{Object: one, Access: prime.Read}, gem.Use{Object: two, Access: prime.Read})
	if !errors.Is(err, syscall.EIO) {
		t.Errorf("LocalAll: %v, want EIO", err)
	}
}

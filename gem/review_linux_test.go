package gem_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/gem"
	"github.com/gemtool/gemtool/prime"
	"github.com/gemtool/gemtool/prime/primetest"
	"github.com/gemtool/gemtool/prime/resv"
)

// The tests of this file are named after the points of the review that asked
// for one lock, pass-through imports and symmetrical maps in the kernel's
// shmem helper. Most of them run on a fake kernel, as they are about what this
// library does; those about devices run on real ones, too.

// party is memory and three ways to it.
type party struct {
	fake     *drmtest.Fake // nil on real devices
	home     *gem.Store    // of own
	away     *gem.Store    // of imported
	own      *gem.Object   // where it was made
	imported *gem.Object   // of own, on another device
	other    *gem.Object   // the same once more, on a third open file
	foreign  *gem.Object   // an import of memory that was made elsewhere
}

// newParty makes all of it on fake cards.
func newParty(t *testing.T) *party {
	t.Helper()
	drmtest.CheckLeaks(t)
	f := primetest.NewFake(t)
	exporter, importer := f.NewCard("exporter"), f.NewCard("importer")
	p := &party{fake: f, home: gem.StoreOf(exporter.Open()), away: gem.StoreOf(importer.Open())}
	p.own = create(t, p.home)
	b := export(t, p.own)
	p.imported, p.other = importOn(t, p.away, b), importOn(t, gem.StoreOf(importer.Open()), b)
	elsewhere, err := prime.New(f.NewBuffer(16384, false))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { elsewhere.Close() })
	p.foreign = importOn(t, p.away, elsewhere)
	return p
}

// realParty makes it on vgem and vkms.
func realParty(t *testing.T) *party {
	t.Helper()
	vgem, vkms := stores(t)
	p := &party{home: vgem, away: vkms, own: create(t, vgem)}
	b := export(t, p.own)
	p.imported = importOn(t, vkms, b)
	p.other = importOn(t, gem.StoreOf(open(t, vkms.Device())), b)
	// Behind the library's back, so that it cannot know the memory.
	dev := open(t, vgem.Device())
	dumb, err := dev.CreateDumb(64, 64, 32)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere, err := prime.Export(dev, dumb.Handle)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { elsewhere.Close() })
	p.foreign = importOn(t, vkms, elsewhere)
	return p
}

// everywhere runs a test on the fake kernel, and on the real one where there
// is one.
func everywhere(t *testing.T, f func(t *testing.T, p *party)) {
	t.Run("fake", func(t *testing.T) { f(t, newParty(t)) })
	t.Run("devices", func(t *testing.T) { f(t, realParty(t)) })
}

// mappings counts those of nodes and dma-bufs in this process.
func (p *party) mappings(t *testing.T) (n int) {
	t.Helper()
	if p.fake != nil {
		return p.fake.Count().Mappings
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(maps), " /dev/dri/") + strings.Count(string(maps), " /dmabuf:")
}

func (p *party) all() map[string]*gem.Object {
	return map[string]*gem.Object{"own": p.own, "imported": p.imported, "other": p.other, "foreign": p.foreign}
}

func lock(t *testing.T, o *gem.Object) resv.Held {
	t.Helper()
	h, err := o.Reservation().Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func unlock(t *testing.T, h resv.Held) {
	t.Helper()
	if err := h.Unlock(); err != nil {
		t.Error(err)
	}
}

// ways are all ways to map an object. Each returns how the map ends.
var ways = map[string]func(t *testing.T, o *gem.Object) (bytes func() []byte, end func()){
	"VMap": func(t *testing.T, o *gem.Object) (func() []byte, func()) {
		m := vmap(t, o)
		return m.Bytes, func() { vunmap(t, m) }
	},
	"VMapLocked": func(t *testing.T, o *gem.Object) (func() []byte, func()) {
		h := lock(t, o)
		defer unlock(t, h)
		m, err := o.VMapLocked(h, prime.ReadWrite)
		if err != nil {
			t.Fatal(err)
		}
		return m.Bytes, func() { vunmap(t, m) }
	},
	"LocalLocked": func(t *testing.T, o *gem.Object) (func() []byte, func()) {
		h := lock(t, o)
		l, err := o.LocalLocked(h, prime.ReadWrite)
		if err != nil {
			t.Fatal(err)
		}
		return l.Bytes, func() {
			if err := l.Unmap(); err != nil {
				t.Error(err)
			}
			unlock(t, h)
		}
	},
}

// counters returns what the memory of an object counts, without the lock for
// who has it already.
func counters(t *testing.T, o *gem.Object) gem.Stats {
	t.Helper()
	var s gem.Stats
	var err error
	if h, ok := o.Reservation().TryLock(); ok {
		s, _, err = o.StatsLocked(h)
		unlock(t, h)
	} else {
		t.Fatal("the reservation is held")
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSR1 passes if the branch for imports stands outside of the counted path,
// in every way to map: an import has no counters, what its exporter counts is
// the same as if it were mapped itself, and foreign memory is counted nowhere.
func TestSR1(t *testing.T) {
	everywhere(t, func(t *testing.T, p *party) {
		want := map[string]gem.Stats{
			"VMap":        {PagesPin: 1, PagesUse: 1, VMapUse: 1, Mapped: true},
			"VMapLocked":  {PagesPin: 1, PagesUse: 1, VMapUse: 1, Mapped: true},
			"LocalLocked": {PagesUse: 1},
		}
		for way, mapIt := range ways {
			for name, o := range p.all() {
				bytes, end := mapIt(t, o)
				if uint64(len(bytes())) != o.Size() {
					t.Errorf("%s of %s: %d bytes", way, name, len(bytes()))
				}
				if s, ok, err := o.Stats(expired()); name != "own" && (ok || err != nil || s != (gem.Stats{})) {
					t.Errorf("%s of %s: counters %+v, %v, %v of an import", way, name, s, ok, err)
				}
				if way != "LocalLocked" { // which has the reservation
					s := want[way]
					if name == "foreign" {
						s = gem.Stats{}
					}
					if got := counters(t, p.own); got != s {
						t.Errorf("%s of %s: its exporter counts %+v, want %+v", way, name, got, s)
					}
				}
				end()
				if got := counters(t, p.own); got != (gem.Stats{}) {
					t.Errorf("after %s of %s: %+v", way, name, got)
				}
			}
		}
	})
}

// expired is the context of a call that must not wait.
func expired() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// TestSR2 passes if a map of an import takes no lock but its exporter's
// reservation: the two are one, and whoever holds it can map either.
//
// Case G10
func TestSR2(t *testing.T) {
	p := newParty(t)
	for name, o := range map[string]*gem.Object{"imported": p.imported, "other": p.other} {
		if o.Reservation() != p.own.Reservation() {
			t.Errorf("%s has a reservation of its own", name)
		}
	}
	if p.foreign.Reservation() == p.own.Reservation() {
		t.Error("two memories have one reservation")
	}
	var set resv.Set
	if err := gem.LockAll(t.Context(), &set, p.imported, p.own, p.other, p.foreign); err != nil {
		t.Fatal(err)
	}
	if err := set.Add(t.Context(), p.imported.Reservation()); !errors.Is(err, resv.ErrAlready) {
		t.Errorf("the import once more: %v, want EALREADY", err)
	}
	for name, o := range p.all() {
		h, ok := set.Held(o.Reservation())
		if !ok {
			t.Fatalf("%s is not locked", name)
		}
		m, err := o.VMapLocked(h, prime.ReadWrite)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		l, err := o.LocalLocked(h, prime.ReadWrite)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := errors.Join(l.Unmap(), m.VUnmap()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := set.Unlock(); err != nil {
		t.Error(err)
	}
	if got := counters(t, p.own); got != (gem.Stats{}) {
		t.Errorf("in the end %+v", got)
	}
}

// TestSR3 passes if maps of imports are cached by the exporter and by nobody
// else: any number of them, through any object, is one mapping of the
// exporter's memory, and with the last of them it is gone.
//
// Cases F12, G08, G09
func TestSR3(t *testing.T) {
	everywhere(t, func(t *testing.T, p *party) {
		var maps []gem.Map
		for range 3 {
			for _, o := range []*gem.Object{p.imported, p.other, p.own} {
				maps = append(maps, vmap(t, o))
			}
		}
		first := &maps[0].Bytes()[0]
		for i, m := range maps {
			if &m.Bytes()[0] != first {
				t.Errorf("map %d is another mapping", i)
			}
		}
		if got, want := counters(t, p.own), (gem.Stats{PagesPin: 1, PagesUse: 1, VMapUse: 9, Mapped: true}); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
		if n := p.mappings(t); n != 1 {
			t.Errorf("%d mappings, want 1", n)
		}
		for _, m := range maps {
			vunmap(t, m)
		}
		// Nothing is kept for the next time either, of foreign memory too.
		for range 3 {
			if n := p.mappings(t); n != 0 {
				t.Errorf("%d mappings are left", n)
			}
			vunmap(t, vmap(t, p.imported))
			vunmap(t, vmap(t, p.foreign))
		}
		if p.fake != nil && p.fake.Calls(drmtest.FakeMmap) != 1+3*2 {
			t.Errorf("%d calls of mmap, want 7", p.fake.Calls(drmtest.FakeMmap))
		}
	})
}

// TestSR4 passes if vmap_use_count changes under one lock only, on every path:
// while somebody holds the reservation it does not move, whichever object is
// mapped or unmapped, and what was unmapped meanwhile is counted at the end.
func TestSR4(t *testing.T) {
	p := newParty(t)
	maps := []gem.Map{vmap(t, p.own), vmap(t, p.imported), vmap(t, p.other)}
	h := lock(t, p.own)
	want := gem.Stats{PagesPin: 1, PagesUse: 1, VMapUse: 3, Mapped: true}
	still := func(what string) {
		t.Helper()
		if s, _, err := p.own.StatsLocked(h); err != nil || s != want {
			t.Errorf("after %s: %+v, %v, want %+v", what, s, err, want)
		}
	}
	for name, o := range map[string]*gem.Object{"own": p.own, "imported": p.imported, "other": p.other} {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		failed := make(chan error)
		go func() {
			_, err := o.VMap(ctx, prime.Read)
			failed <- err
		}()
		if err := <-failed; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("VMap of %s while another holds the reservation: %v", name, err)
		}
		cancel()
		still("VMap of " + name)
	}
	for _, m := range maps {
		vunmap(t, m)
		still("VUnmap")
	}
	m, err := p.imported.VMapLocked(h, prime.Read)
	if err != nil {
		t.Fatal(err)
	}
	want.VMapUse++
	still("VMapLocked")
	vunmap(t, m)
	unlock(t, h)
	if got := counters(t, p.own); got != (gem.Stats{}) {
		t.Errorf("in the end %+v", got)
	}
}

// TestSR5 passes if vaddr is set while the memory has a lasting map, and never
// for an import.
func TestSR5(t *testing.T) {
	p := newParty(t)
	mapped := func(want bool) {
		t.Helper()
		if got := counters(t, p.own); got.Mapped != want {
			t.Errorf("mapped is %v: %v", got.Mapped, got)
		}
		for name, o := range map[string]*gem.Object{"imported": p.imported, "other": p.other, "foreign": p.foreign} {
			if s, _, err := o.Stats(t.Context()); err != nil || s.Mapped {
				t.Errorf("%s has a vaddr: %v, %v", name, s, err)
			}
		}
	}
	mapped(false)
	m, f := vmap(t, p.imported), vmap(t, p.foreign)
	mapped(true)
	if err := p.own.Pin(t.Context()); err != nil {
		t.Fatal(err)
	}
	vunmap(t, m)
	vunmap(t, f)
	mapped(false) // a pin has pages, and no vaddr
	if m.Bytes() != nil || f.Bytes() != nil {
		t.Error("ended maps have bytes")
	}
	if err := p.own.Unpin(); err != nil {
		t.Error(err)
	}
}

// TestSR6 passes if imports have no statistics, however they are mapped, also
// for the holder of the reservation, and those of the exporter are right.
//
// Case F13
func TestSR6(t *testing.T) {
	everywhere(t, func(t *testing.T, p *party) {
		m, f := vmap(t, p.imported), vmap(t, p.foreign)
		for name, o := range p.all() {
			h := lock(t, o)
			s, ok, err := o.StatsLocked(h)
			unlock(t, h)
			if err != nil || ok != (name == "own") || !ok && s != (gem.Stats{}) {
				t.Errorf("%s: %+v, %v, %v", name, s, ok, err)
			}
			if again, ok2, err := o.Stats(t.Context()); again != s || ok2 != ok || err != nil {
				t.Errorf("%s: Stats %+v, %v, %v, StatsLocked %+v, %v", name, again, ok2, err, s, ok)
			}
		}
		const want = "pages_pin_count=1\npages_use_count=1\nvmap_use_count=1\nvaddr=mapped\n"
		if got := counters(t, p.own).String(); got != want {
			t.Errorf("the exporter prints %q, want %q", got, want)
		}
		vunmap(t, m)
		vunmap(t, f)
	})
}

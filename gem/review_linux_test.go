package gem_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"syscall"
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

// elsewhere calls f on another goroutine, and fails the test if f waits.
func elsewhere[T any](t *testing.T, what string, f func() T) (result T) {
	t.Helper()
	done := make(chan T, 1)
	go func() { done <- f() }()
	select {
	case result = <-done:
	case <-time.After(10 * time.Second):
		t.Fatalf("%s waits", what)
	}
	return result
}

// acquiring has the calls that begin something under the reservation, for which
// they wait as long as their context.
func acquiring(o *gem.Object) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"Pin": func(ctx context.Context) error {
			if err := o.Pin(ctx); err != nil {
				return err
			}
			return o.Unpin()
		},
		"VMap": func(ctx context.Context) error {
			m, err := o.VMap(ctx, prime.Read)
			if err != nil {
				return err
			}
			return m.VUnmap()
		},
		"Local":       func(ctx context.Context) error { return o.Local(ctx, prime.Read, func(gem.View) error { return nil }) },
		"Madvise":     func(ctx context.Context) error { _, err := o.Madvise(ctx, gem.DontNeed); return err },
		"IsPurgeable": func(ctx context.Context) error { _, err := o.IsPurgeable(ctx); return err },
		"Purge":       o.Purge,
		"Stats":       func(ctx context.Context) error { _, _, err := o.Stats(ctx); return err },
		"LockAll": func(ctx context.Context) error {
			var s resv.Set
			return errors.Join(gem.LockAll(ctx, &s, o), s.Unlock())
		},
		"LocalAll": func(ctx context.Context) error {
			return gem.LocalAll(ctx, func([]gem.View) error { return nil }, gem.Use{Object: o, Access: prime.Read})
		},
	}
}

// TestSR7 passes if the reservation is the one and only lock: its holder can do
// everything, what others begin meanwhile waits as long as its context and
// changes nothing, and what they end does not wait at all.
func TestSR7(t *testing.T) {
	p := newParty(t)
	o := create(t, p.home)
	h := lock(t, o)
	for name, f := range acquiring(o) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		if err := elsewhere(t, name, func() error { return f(ctx) }); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s while another holds the reservation: %v", name, err)
		}
		cancel()
		if s, _, err := o.StatsLocked(h); err != nil || s != (gem.Stats{}) {
			t.Errorf("%s has changed the counters to %+v, %v", name, s, err)
		}
	}

	// Everything under one hold.
	m, err := o.VMapLocked(h, prime.ReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	l, err := o.LocalLocked(h, prime.ReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	if err := o.PinLocked(h); err != nil {
		t.Fatal(err)
	}
	if s, _, err := o.StatsLocked(h); err != nil || s != (gem.Stats{PagesPin: 2, PagesUse: 2, VMapUse: 1, Mapped: true}) {
		t.Errorf("%+v, %v", s, err)
	}
	if err := errors.Join(m.VUnmap(), l.Unmap(), o.Unpin()); err != nil {
		t.Error(err)
	}
	unlock(t, h)
	h = lock(t, o)
	if retained, err := o.MadviseLocked(h, gem.DontNeed); err != nil || !retained {
		t.Errorf("MadviseLocked: %v, %v", retained, err)
	}
	if ok, err := o.IsPurgeableLocked(h); err != nil || !ok {
		t.Errorf("IsPurgeableLocked: %v, %v", ok, err)
	}
	if err := o.PurgeLocked(h); err != nil {
		t.Error(err)
	}
	unlock(t, h)

	// What ends never waits.
	o = create(t, p.home)
	if err := o.Pin(t.Context()); err != nil {
		t.Fatal(err)
	}
	m = vmap(t, o)
	w, err := o.BeginAccess(t.Context(), prime.Read)
	if err != nil {
		t.Fatal(err)
	}
	release, err := o.Hold()
	if err != nil {
		t.Fatal(err)
	}
	h = lock(t, o)
	for name, f := range map[string]func() error{
		"VUnmap": m.VUnmap, "Unpin": o.Unpin, "End": w.End, "release": func() error { release(); return nil },
		"Shrink": func() error { p.home.Shrink(1 << 30); return nil },
	} {
		if err := elsewhere(t, name, f); err != nil {
			t.Errorf("%s while another holds the reservation: %v", name, err)
		}
	}
	if err := elsewhere(t, "Close", o.Close); err != nil {
		t.Errorf("Close while another holds the reservation: %v", err)
	}
	unlock(t, h)
	if got := counters(t, o); got != (gem.Stats{}) {
		t.Errorf("in the end %+v", got)
	}
}

// TestSR8 passes if the reservation is the outermost lock: nothing of the
// library is locked while somebody waits for one, so that all that needs no
// reservation goes on. A caller who takes it under a lock of his own, as the
// driver did whose deadlock the review foretold, is reported by a debug build.
//
// Case G19
func TestSR8(t *testing.T) {
	p := newParty(t)
	free := create(t, p.home)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	h := lock(t, p.own)
	var waiting sync.WaitGroup
	for name, f := range acquiring(p.own) {
		if name == "Purge" || name == "Madvise" || name == "LockAll" {
			continue // would change what is used below
		}
		waiting.Go(func() {
			if err := f(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v, want Canceled", name, err)
			}
		})
	}
	time.Sleep(10 * time.Millisecond) // let them wait
	for name, f := range map[string]func() error{
		"Create and Close": func() error {
			o, err := p.home.Create(64, 64, 32)
			return errors.Join(err, o.Close())
		},
		"Export and Import of the same memory": func() error {
			b, err := p.own.Export()
			if err != nil {
				return err
			}
			defer b.Close()
			o, err := p.away.Import(b)
			return errors.Join(err, o.Close())
		},
		"Hold of the same memory": func() error {
			release, err := p.own.Hold()
			if err == nil {
				release()
			}
			return err
		},
		"Shrink": func() error { p.home.Shrink(1); return nil },
		"VMap of other memory": func() error {
			m, err := free.VMap(ctx, prime.Read)
			return errors.Join(err, m.VUnmap())
		},
	} {
		if err := elsewhere(t, name, f); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	cancel()
	waiting.Wait()
	unlock(t, h)

	var reports []resv.Report
	defer resv.OnReport(func(r resv.Report) { reports = append(reports, r) })()
	private := resv.Mutex{Name: "exynos"}
	for name := range acquiring(free) {
		reports = nil
		f := acquiring(create(t, p.home))[name]
		private.Lock()
		if err := f(t.Context()); err != nil && !errors.Is(err, gem.ErrNotPurgeable) {
			t.Errorf("%s: %v", name, err)
		}
		private.Unlock()
		switch {
		case !debugBuild && len(reports) == 0:
		case !debugBuild || len(reports) != 1 || reports[0].Rule != resv.RuleOutermost || reports[0].Other != "exynos" ||
			!strings.Contains(reports[0].Stack, "gem.") || !strings.Contains(reports[0].OtherStack, "TestSR8"):
			t.Errorf("%s under a lock of the caller: reports %v", name, reports)
		}
	}
}

// TestSR11 passes if a local map lives under the reservation to its Unmap, and
// neither pins nor takes the lock itself.
//
// Cases G01, G02, G03, G06
func TestSR11(t *testing.T) {
	p := newParty(t)
	for name, o := range p.all() {
		if _, err := o.LocalLocked(resv.Held{}, prime.Read); !errors.Is(err, gem.ErrNotLocked) {
			t.Errorf("%s: local map without the lock: %v, want ErrNotLocked", name, err)
		}
		wrong := lock(t, p.foreign)
		if o.Reservation() != p.foreign.Reservation() {
			if _, err := o.LocalLocked(wrong, prime.Read); !errors.Is(err, gem.ErrNotLocked) {
				t.Errorf("%s: local map with another's lock: %v, want ErrNotLocked", name, err)
			}
		}
		unlock(t, wrong)

		h := lock(t, o)
		l, err := o.LocalLocked(h, prime.ReadWrite)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		again, err := o.LocalLocked(h, prime.ReadWrite)
		if err != nil || &again.Bytes()[0] != &l.Bytes()[0] {
			t.Errorf("%s: a second local map is another mapping: %v", name, err)
		}
		if s, ok, err := o.StatsLocked(h); err != nil || ok && s != (gem.Stats{PagesUse: 1}) {
			t.Errorf("%s: %+v, %v, want pages and no pin", name, s, err)
		}
		if err := h.Unlock(); !errors.Is(err, gem.ErrLocalMapsLive) {
			t.Errorf("%s: Unlock: %v, want ErrLocalMapsLive", name, err)
		}
		l.Bytes()[0] = 1 // it lives on
		for _, one := range []gem.Local{l, again} {
			if _, ok := o.Reservation().TryLock(); ok {
				t.Fatalf("%s: the reservation is free under a local map", name)
			}
			if err := one.Unmap(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if err := one.Unmap(); !errors.Is(err, gem.ErrStale) {
				t.Errorf("%s: second Unmap: %v, want ErrStale", name, err)
			}
		}
		if got := counters(t, p.own); got != (gem.Stats{}) {
			t.Errorf("%s: in the end %+v", name, got)
		}
	}
	if n := p.fake.Count().Mappings; n != 0 {
		t.Errorf("%d mappings are left", n)
	}
}

// TestSR12 passes if an exporter that the CPU cannot map is a typed error in
// every way to map, changes nothing, and the next try works.
//
// Every driver of the VM lets the CPU map what it exports, so this is for the
// fake kernel alone.
func TestSR12(t *testing.T) {
	p := newParty(t)
	for name, o := range p.all() {
		for _, errno := range []syscall.Errno{syscall.EINVAL, syscall.ENODEV} { // what dma_buf_mmap and mmap say
			before := p.fake.Count()
			p.fake.On(drmtest.FakeMmap, func(drmtest.Call) syscall.Errno { return errno })
			h := lock(t, o)
			_, locked := o.VMapLocked(h, prime.Read)
			_, local := o.LocalLocked(h, prime.Read)
			unlock(t, h)
			_, lasting := o.VMap(t.Context(), prime.Read)
			scoped := o.Local(t.Context(), prime.Read, func(gem.View) error { return nil })
			all := gem.LocalAll(t.Context(), func([]gem.View) error { return nil }, gem.Use{Object: o, Access: prime.Read})
			p.fake.On(drmtest.FakeMmap, nil)
			for way, err := range map[string]error{
				"VMapLocked": locked, "LocalLocked": local, "VMap": lasting, "Local": scoped, "LocalAll": all,
			} {
				var e *gem.Error
				if !errors.Is(err, errno) || !errors.As(err, &e) {
					t.Errorf("%s of %s: %v, want a *gem.Error of %v", way, name, err, errno)
				}
				if name == "foreign" && !errors.Is(err, prime.ErrNotSupported) {
					t.Errorf("%s of %s: %v, want ErrNotSupported", way, name, err)
				}
			}
			if after := p.fake.Count(); after != before {
				t.Errorf("%s: %+v became %+v", name, before, after)
			}
			if got := counters(t, p.own); got != (gem.Stats{}) {
				t.Errorf("%s: counters %+v", name, got)
			}
			for _, mapIt := range ways {
				_, end := mapIt(t, o)
				end()
			}
		}
	}
}

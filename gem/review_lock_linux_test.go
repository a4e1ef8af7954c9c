package gem_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/gem"
	"github.com/gemtool/gemtool/gem/conformance"
	"github.com/gemtool/gemtool/prime"
	"github.com/gemtool/gemtool/prime/resv"
)

// The second half of the review: the lock, its order, and what lives under it.

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

// TestSR12Device passes if what a driver exports and the CPU cannot map says so to
// who imports it, on the way that is there for imports, and is mapped all the
// same through the device that made it.
func TestSR12Device(t *testing.T) {
	kernel, err := conformance.RunningKernel()
	if err != nil {
		t.Fatal(err)
	}
	if drmtest.InVM() && !kernel.Less(conformance.Kernel{Major: 6, Minor: 12}) {
		t.Skipf("on Linux 6.1 qxl exports what the CPU cannot map, and nothing does on %v", kernel)
	}
	dev, other := drmtest.RequireDevice(t, "qxl"), drmtest.RequireDevice(t, "qxl")
	drmtest.CheckLeaks(t)
	own, err := gem.StoreOf(dev).Create(64, 64, 32)
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	b, err := own.Export()
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	foreign, err := gem.StoreOf(other).Import(b)
	if err != nil {
		t.Fatal(err)
	}
	defer foreign.Close()
	_, lasting := foreign.VMap(t.Context(), prime.Read)
	scoped := foreign.Local(t.Context(), prime.Read, func(gem.View) error { return nil })
	for way, err := range map[string]error{"VMap": lasting, "Local": scoped} {
		if !errors.Is(err, syscall.ENOSYS) || !errors.Is(err, prime.ErrNotSupported) {
			t.Errorf("%s: %v, want ENOSYS and ErrNotSupported", way, err)
		}
	}
	if got := counters(t, own); got != (gem.Stats{}) {
		t.Errorf("counters %+v", got)
	}
	if err := own.Local(t.Context(), prime.ReadWrite, func(v gem.View) error { v.Bytes()[0] = 1; return nil }); err != nil {
		t.Errorf("through the device: %v", err)
	}
}

// TestSR12 passes if an exporter that the CPU cannot map is a typed error in
// every way to map, changes nothing, and the next try works.
//
// Of the VM's drivers qxl of Linux 6.1 is such an exporter: TestSR12Device.
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

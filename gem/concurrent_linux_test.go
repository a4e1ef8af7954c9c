package gem_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/gem"
	"github.com/gemtool/gemtool/prime"
)

// times is n, or as many as a soak is to have, or the few that the debug build
// has the time for.
func times(n, soaking int) int {
	switch {
	case soak():
		return soaking
	case debugBuild:
		return n / 10
	}
	return n
}

// TestPinRaceSoak passes if whoever holds the reservation finds pages exactly
// while there are pins, whatever the lock-free paths of Pin and Unpin do
// meanwhile, and Unpins beyond the pins fail without harm.
//
// Case G25
func TestPinRaceSoak(t *testing.T) {
	f, s, _, _ := fakeStores(t)
	o := fakeObject(t, s)
	const workers = 4
	rounds := times(200_000, 10_000_000) / workers
	var done atomic.Int32
	var underflows atomic.Int64
	var wg sync.WaitGroup
	for i := range workers {
		wg.Go(func() {
			defer done.Add(1)
			for n := range rounds {
				if err := o.Pin(t.Context()); err != nil {
					t.Error(err)
					return
				}
				if i == 0 && n%8 == 0 { // steals a pin, which somebody then lacks
					_ = o.Unpin()
				}
				if err := o.Unpin(); errors.Is(err, gem.ErrUnderflow) {
					underflows.Add(1)
				} else if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	seen := map[bool]int{}
	for done.Load() < workers {
		held, err := o.Reservation().Lock(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			st, _, err := o.StatsLocked(held)
			if err != nil {
				t.Fatal(err)
			}
			if n := f.Count().Mappings; (st.PagesPin > 0) != (st.PagesUse > 0) || n != int(st.PagesUse) {
				t.Fatalf("under the reservation: %+v, %d mappings", st, n)
			}
			seen[st.PagesPin > 0]++
		}
		if err := held.Unlock(); err != nil {
			t.Fatal(err)
		}
	}
	wg.Wait()
	for o.Unpin() == nil {
	}
	wantStats(t, o, gem.Stats{})
	t.Logf("%d rounds; under the reservation pinned %d times, not pinned %d; %d underflows",
		rounds*workers, seen[true], seen[false], underflows.Load())
}

// storm maps an object in all ways from many goroutines.
func storm(t *testing.T, o, imported *gem.Object, rounds int) {
	t.Helper()
	ctx := t.Context()
	uses := []func() error{
		func() error {
			m, err := o.VMap(ctx, prime.ReadWrite)
			if err != nil {
				return err
			}
			if m.Bytes()[0] != 0x5a {
				return fmt.Errorf("a map shows %#x", m.Bytes()[0])
			}
			return m.VUnmap()
		},
		func() error {
			m, err := imported.VMap(ctx, prime.Read)
			if err != nil {
				return err
			}
			defer m.VUnmap()
			if m.Bytes()[0] != 0x5a {
				return fmt.Errorf("a map of the import shows %#x", m.Bytes()[0])
			}
			return nil
		},
		func() error {
			if err := o.Pin(ctx); err != nil {
				return err
			}
			return o.Unpin()
		},
		func() error {
			held, err := imported.Reservation().Lock(ctx)
			if err != nil {
				return err
			}
			l, err := o.LocalLocked(held, prime.Read)
			if err != nil {
				return errors.Join(err, held.Unlock())
			}
			if err := held.Unlock(); !errors.Is(err, gem.ErrLocalMapsLive) {
				return fmt.Errorf("Unlock with a local map: %v", err)
			}
			if l.Bytes()[0] != 0x5a {
				return fmt.Errorf("a local map shows %#x", l.Bytes()[0])
			}
			return l.Unmap()
		},
		func() error {
			return gem.LocalAll(ctx, func(v []gem.View) error {
				if &v[0].Bytes()[0] != &v[1].Bytes()[0] {
					return errors.New("one memory at two places")
				}
				return nil
			}, gem.Use{Object: o, Access: prime.Read}, gem.Use{Object: imported, Access: prime.Read})
		},
	}
	var wg sync.WaitGroup
	for i, use := range append(uses, uses...) {
		wg.Go(func() {
			for range rounds {
				if err := use(); err != nil {
					t.Errorf("use %d: %v", i%len(uses), err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// stormed makes an object and an import of it, with 0x5a in its first byte.
func stormed(t *testing.T) (f *drmtest.Fake, o, imported *gem.Object) {
	t.Helper()
	f, s, _, other := fakeStores(t)
	o = fakeObject(t, s)
	imported = importOn(t, other, export(t, o))
	m := vmap(t, o)
	m.Bytes()[0] = 0x5a
	vunmap(t, m)
	return f, o, imported
}

// TestMapStormSoak passes if all ways to map one memory, at the same time and
// from two devices, see its bytes and leave its counters as they were.
//
// Case H04
func TestMapStormSoak(t *testing.T) {
	f, o, imported := stormed(t)
	storm(t, o, imported, times(2000, 100_000))
	wantStats(t, o, gem.Stats{})
	if got := f.Count(); got.Mappings != 0 || got.Windows != 0 {
		t.Errorf("left: %+v", got)
	}
}

// TestMapStormProcessesSoak passes if the same is true while the process starts
// others.
//
// Case H05
func TestMapStormProcessesSoak(t *testing.T) {
	f, o, imported := stormed(t)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	started := 0
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			if err := exec.Command(os.Args[0], "-test.run=^$").Run(); err != nil {
				t.Error(err)
				return
			}
			started++
		}
	})
	storm(t, o, imported, times(500, 20_000))
	close(stop)
	wg.Wait()
	wantStats(t, o, gem.Stats{})
	if got := f.Count(); got.Mappings != 0 || got.Windows != 0 || started == 0 {
		t.Errorf("left: %+v, after %d processes", got, started)
	}
}

// TestPurgeRaceSoak passes if of a purge and a use at the same moment one is
// refused: what was pinned, mapped or held stays, and what was purged is gone.
func TestPurgeRaceSoak(t *testing.T) {
	f, s, _, _ := fakeStores(t)
	ctx := t.Context()
	outcomes := make(map[string]int)
	uses := map[string]func(*gem.Object) (end func() error, err error){
		"pin": func(o *gem.Object) (func() error, error) { return o.Unpin, o.Pin(ctx) },
		"map": func(o *gem.Object) (func() error, error) { m, err := o.VMap(ctx, prime.Read); return m.VUnmap, err },
		"hold": func(o *gem.Object) (func() error, error) {
			release, err := o.Hold()
			return func() error { release(); return nil }, err
		},
		"export": func(o *gem.Object) (func() error, error) {
			b, err := o.Export()
			if err != nil {
				return nil, err
			}
			return b.Close, nil
		},
		"need": func(o *gem.Object) (func() error, error) {
			retained, err := o.Madvise(ctx, gem.WillNeed)
			if err == nil && !retained {
				err = gem.ErrPurged
			}
			return func() error { return nil }, err
		},
	}
	for range times(300, 10_000) {
		for name, use := range uses {
			o, err := s.Create(32, 32, 32)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := o.Madvise(ctx, gem.DontNeed); err != nil {
				t.Fatal(err)
			}
			var end func() error
			var usedErr, purgeErr error
			var shrunk uint64
			var wg sync.WaitGroup
			wg.Go(func() { end, usedErr = use(o) })
			wg.Go(func() { purgeErr = o.Purge(ctx) })
			wg.Go(func() { shrunk = s.Shrink(1) })
			wg.Wait()
			purged := purgeErr == nil || shrunk > 0
			switch {
			case purgeErr == nil && shrunk > 0:
				t.Fatalf("%s: purged twice", name)
			case purgeErr != nil && !errors.Is(purgeErr, gem.ErrNotPurgeable):
				t.Fatalf("%s: Purge: %v", name, purgeErr)
			case usedErr != nil && !errors.Is(usedErr, gem.ErrPurged), (usedErr != nil) != purged:
				t.Fatalf("%s: %v, Purge: %v, Shrink: %d", name, usedErr, purgeErr, shrunk)
			}
			outcomes[fmt.Sprintf("%s %v", name, purged)]++
			want := drmtest.FakeCount{Handles: btoi(!purged)}
			if usedErr == nil {
				want.Mappings = btoi(name == "pin" || name == "map")
				if got := f.Count(); got != want {
					t.Fatalf("%s: held %+v, want %+v", name, got, want)
				}
				if err := end(); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
			}
			if err := o.Close(); err != nil {
				t.Fatal(err)
			}
			if got := f.Count(); got != (drmtest.FakeCount{}) {
				t.Fatalf("%s: left %+v", name, got)
			}
		}
	}
	t.Log(outcomes)
}

// TestCloseImportRaceSoak passes if an import and the last close of the same
// handle never meet a handle that the other has closed.
//
// Case H02
func TestCloseImportRaceSoak(t *testing.T) {
	f, s, again, other := fakeStores(t)
	for _, store := range []*gem.Store{s, again, other} {
		for range times(100, 5000) {
			o, err := s.Create(32, 32, 32)
			if err != nil {
				t.Fatal(err)
			}
			b, err := o.Export()
			if err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			wg.Go(func() {
				if err := o.Close(); err != nil {
					t.Error(err)
				}
			})
			for range 3 {
				wg.Go(func() {
					i, err := store.Import(b)
					if err != nil {
						t.Error(err)
						return
					}
					if i.Imported() != (store == other) {
						t.Errorf("imported %v", i.Imported())
					}
					m, err := i.VMap(t.Context(), prime.Read)
					if err != nil {
						t.Error(err)
					}
					e, err := i.Export() // the handle works
					if err != nil {
						t.Error(err)
					} else {
						e.Close()
					}
					if err := errors.Join(i.Close(), m.VUnmap()); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			b.Close()
			if got := f.Count(); got != (drmtest.FakeCount{}) {
				t.Fatalf("left: %+v", got)
			}
		}
	}
}

// TestExportPurgeableRaceSoak passes if Export, IsPurgeable and Madvise of one
// object at the same time end at all.
func TestExportPurgeableRaceSoak(t *testing.T) {
	_, s, _, _ := fakeStores(t)
	for range times(200, 10_000) {
		o, err := s.Create(32, 32, 32)
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			b, err := o.Export()
			if err != nil {
				t.Error(err)
				return
			}
			b.Close()
		})
		wg.Go(func() {
			if _, err := o.IsPurgeable(t.Context()); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() {
			if _, err := o.Madvise(t.Context(), gem.DontNeed); err != nil {
				t.Error(err)
			}
		})
		wg.Wait()
		if err := o.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestFailRaceSoak passes if maps that fail beside maps that do not leave the
// counters right.
func TestFailRaceSoak(t *testing.T) {
	f, s, _, _ := fakeStores(t)
	o := fakeObject(t, s)
	var n atomic.Int64
	f.On(drmtest.FakeMmap, func(drmtest.Call) syscall.Errno {
		// The first fails: on one CPU the goroutines may go round in step, and
		// then the object, once mapped, is never unmapped before the end.
		if n.Add(1)%3 != 0 {
			return syscall.ENOMEM
		}
		return 0
	})
	var wg sync.WaitGroup
	var failed atomic.Int64
	for range 4 {
		wg.Go(func() {
			for range times(2000, 50_000) {
				m, err := o.VMap(t.Context(), prime.Read)
				if errors.Is(err, syscall.ENOMEM) {
					failed.Add(1)
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				if err := m.VUnmap(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	wantStats(t, o, gem.Stats{})
	if f.Count().Mappings != 0 || failed.Load() == 0 {
		t.Errorf("%d mappings left, %d maps failed", f.Count().Mappings, failed.Load())
	}
}

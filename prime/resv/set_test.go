package resv_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gemtool/gemtool/prime/resv"
)

// TestDRMExec ports the kernel's drm_exec_test.c by name.
//
// Cases G10, G15
func TestDRMExec(t *testing.T) {
	t.Run("sanitycheck", func(t *testing.T) {
		var s resv.Set
		if err := s.Unlock(); err != nil {
			t.Error(err)
		}
	})
	t.Run("test_lock", func(t *testing.T) {
		var s resv.Set
		var r resv.Reservation
		if err := s.Until(t.Context(), func(s *resv.Set) error { return s.Add(t.Context(), &r) }); err != nil {
			t.Fatal(err)
		}
		if h, ok := s.Held(&r); !ok || !h.Holds(&r) {
			t.Error("the set does not hold it")
		}
		if err := s.Unlock(); err != nil {
			t.Error(err)
		}
		mustBeFree(t, &r)
	})
	t.Run("test_lock_unlock", func(t *testing.T) {
		var s resv.Set
		var r resv.Reservation
		if err := s.Until(t.Context(), func(s *resv.Set) error {
			if err := s.Add(t.Context(), &r); err != nil {
				return err
			}
			if err := s.Unlock(); err != nil {
				return err
			}
			return s.Add(t.Context(), &r)
		}); err != nil {
			t.Fatal(err)
		}
		if err := s.Unlock(); err != nil {
			t.Error(err)
		}
		mustBeFree(t, &r)
	})
	t.Run("test_duplicates", func(t *testing.T) {
		var s resv.Set
		var r resv.Reservation
		if err := s.Lock(t.Context(), &r, &r); err != nil {
			t.Fatal(err)
		}
		if err := s.Add(t.Context(), &r); !errors.Is(err, syscall.EALREADY) || !errors.Is(err, resv.ErrAlready) {
			t.Errorf("Add of what the set has: %v, want EALREADY", err)
		}
		if err := s.Unlock(); err != nil {
			t.Error(err)
		}
		mustBeFree(t, &r)
	})
	t.Run("test_prepare", func(t *testing.T) {
		// The kernel reserves a fence slot with the lock; there are none
		// here, so what is left is that Lock takes one object.
		var s resv.Set
		var r resv.Reservation
		if err := s.Lock(t.Context(), &r); err != nil {
			t.Fatal(err)
		}
		if _, ok := r.TryLock(); ok {
			t.Error("it is not locked")
		}
		if err := s.Unlock(); err != nil {
			t.Error(err)
		}
	})
	t.Run("test_prepare_array", func(t *testing.T) {
		var s resv.Set
		var a, b resv.Reservation
		if err := s.Lock(t.Context(), &a, &b); err != nil {
			t.Fatal(err)
		}
		if err := s.Unlock(); err != nil {
			t.Error(err)
		}
		mustBeFree(t, &a, &b)
	})
	t.Run("test_multiple_loops", func(t *testing.T) {
		for range 2 {
			var s resv.Set
			for range 2 {
				if err := s.Until(t.Context(), func(*resv.Set) error { return nil }); err != nil {
					t.Error(err)
				}
			}
			if err := s.Unlock(); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestABBA passes if of two sets that want each other's reservation the
// younger is told to back off, the older waits, and both finish.
//
// Cases G12, G17
func TestABBA(t *testing.T) {
	severalParties(t)
	ctx := t.Context()
	var a, b resv.Reservation
	var old, young resv.Set
	if err := old.Add(ctx, &a); err != nil {
		t.Fatal(err)
	}
	if err := young.Add(ctx, &b); err != nil {
		t.Fatal(err)
	}
	got := make(chan error)
	go func() { got <- old.Add(ctx, &b) }()
	if err := young.Add(ctx, &a); !errors.Is(err, resv.ErrBackoff) || !errors.Is(err, syscall.EDEADLK) {
		t.Fatalf("the younger gets %v, want ErrBackoff", err)
	}
	var other resv.Reservation
	if err := young.Add(ctx, &other); !errors.Is(err, resv.ErrBackoff) {
		t.Errorf("Add before backing off: %v, want ErrBackoff", err)
	}
	if err := young.Unlock(); err != nil {
		t.Error(err)
	}
	if err := <-got; err != nil {
		t.Errorf("the older gets %v", err)
	}
	if err := old.Unlock(); err != nil {
		t.Error(err)
	}
	mustBeFree(t, &a, &b, &other)
}

// TestWaiterYields passes if a young set that waits is sent away when an
// older one comes to the same queue.
func TestWaiterYields(t *testing.T) {
	severalParties(t)
	ctx := t.Context()
	var wanted, mine, olds resv.Reservation
	var old, young resv.Set
	if err := old.Add(ctx, &olds); err != nil {
		t.Fatal(err)
	}
	if err := young.Add(ctx, &mine); err != nil {
		t.Fatal(err)
	}
	h, err := wanted.Lock(ctx) // by nobody's set
	if err != nil {
		t.Fatal(err)
	}
	youngGot, oldGot := make(chan error), make(chan error)
	go func() { youngGot <- young.Add(ctx, &wanted) }()
	time.Sleep(5 * time.Millisecond) // into the queue, or not: both must do
	go func() { oldGot <- old.Add(ctx, &wanted) }()
	if err := <-youngGot; !errors.Is(err, resv.ErrBackoff) {
		t.Errorf("the younger gets %v, want ErrBackoff", err)
	}
	if err := h.Unlock(); err != nil {
		t.Error(err)
	}
	if err := <-oldGot; err != nil {
		t.Errorf("the older gets %v", err)
	}
	if err := errors.Join(young.Unlock(), old.Unlock()); err != nil {
		t.Error(err)
	}
	mustBeFree(t, &wanted, &mine, &olds)
}

// TestNothingPartial passes if a Lock that fails holds nothing more than
// before, and an error of a function of Until gives everything back.
func TestNothingPartial(t *testing.T) {
	severalParties(t)
	var a, b, c resv.Reservation
	h, _ := c.TryLock()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	var s resv.Set
	if err := s.Lock(ctx, &a, &b, &c); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Lock: %v", err)
	}
	mustBeFree(t, &a, &b)
	boom := errors.New("boom")
	if err := s.Until(t.Context(), func(s *resv.Set) error {
		if err := s.Add(t.Context(), &a); err != nil {
			return err
		}
		return boom
	}); !errors.Is(err, boom) {
		t.Errorf("Until: %v", err)
	}
	if err := s.Lock(t.Context(), &a); err != nil {
		t.Fatal(err)
	}
	if err := s.Lock(ctx, &b, &c); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Lock of a set that holds something: %v", err)
	}
	mustBeFree(t, &b)
	if _, ok := s.Held(&a); !ok {
		t.Error("what the set had before is gone")
	}
	if err := errors.Join(s.Unlock(), h.Unlock()); err != nil {
		t.Error(err)
	}
	mustBeFree(t, &a, &b, &c)
}

// TestContendedFirst passes if a set that backed off takes what was in its
// way first, also when the function does not ask for it any more.
//
// Case G16
func TestContendedFirst(t *testing.T) {
	ctx := t.Context()
	var a, b resv.Reservation
	var old, young resv.Set
	if err := old.Add(ctx, &a); err != nil {
		t.Fatal(err)
	}
	rounds := 0
	done := make(chan error)
	go func() {
		done <- young.Until(ctx, func(s *resv.Set) error {
			if rounds++; rounds == 1 {
				if err := s.Add(ctx, &b); err != nil {
					return err
				}
				return s.Add(ctx, &a)
			}
			if h, ok := s.Held(&a); !ok || !h.Holds(&a) {
				t.Error("what was in the way is not held in the second round")
			}
			if _, ok := s.Held(&b); ok {
				t.Error("the rest was not given back")
			}
			return nil
		})
	}()
	time.Sleep(5 * time.Millisecond)
	if err := old.Unlock(); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := young.Unlock(); err != nil {
		t.Error(err)
	}
	mustBeFree(t, &a, &b)
}

// TestRing passes if of sets that hold one reservation of a ring each, and want
// their neighbour's, exactly those are told to back off whose neighbour is
// older, and all finish.
//
// Case G13
func TestRing(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for n := 2; n <= 64; n++ {
		// The neighbours of all but the youngest are younger, or those of all
		// but the oldest are older.
		ring(t, ctx, n, 1, []int{n - 1})
		var young []int
		for i := 1; i < n; i++ {
			young = append(young, i)
		}
		ring(t, ctx, n, n-1, young)
	}
}

// ring is TestRing for n sets, of which the i-th wants the reservation that is
// distance on from its own.
func ring(t *testing.T, ctx context.Context, n, distance int, want []int) {
	t.Helper()
	rs, sets := make([]resv.Reservation, n), make([]resv.Set, n)
	for i := range sets {
		sets[i].Enlist() // from old to young
	}
	var holding, all sync.WaitGroup
	holding.Add(n)
	var mu sync.Mutex
	var died []int
	dead := make(chan struct{}) // closed when as many have died as must
	die := func(i int) {
		mu.Lock()
		if died = append(died, i); len(died) == len(want) {
			close(dead)
		}
		mu.Unlock()
		// What it gives back could save the next.
		select {
		case <-dead:
		case <-ctx.Done():
		}
	}
	for i := range sets {
		all.Go(func() {
			first := true
			if err := sets[i].Until(ctx, func(s *resv.Set) error {
				if err := s.Add(ctx, &rs[i]); err != nil {
					return err
				}
				if !first {
					return s.Add(ctx, &rs[(i+distance)%n])
				}
				first = false
				holding.Done()
				holding.Wait()
				err := s.Add(ctx, &rs[(i+distance)%n])
				if errors.Is(err, resv.ErrBackoff) {
					die(i)
				}
				return err
			}); err != nil {
				t.Errorf("set %d of a ring of %d: %v", i, n, err)
			}
			if err := sets[i].Unlock(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if slices.Sort(died); !slices.Equal(died, want) {
		t.Errorf("ring of %d, neighbours %d on: %v backed off, want %v", n, distance, died, want)
	}
}

// TestUnlockKeepsAge passes if a set that unlocks after ErrBackoff, and locks
// anew without Until, is as old as before and takes what was in its way first;
// and one that unlocks twice is new.
func TestUnlockKeepsAge(t *testing.T) {
	severalParties(t)
	ctx := t.Context()
	for _, twice := range []bool{false, true} {
		var a, b, c resv.Reservation
		var old, young, youngest resv.Set
		if err := errors.Join(old.Add(ctx, &a), young.Add(ctx, &b), youngest.Add(ctx, &c)); err != nil {
			t.Fatal(err)
		}
		if err := young.Add(ctx, &a); !errors.Is(err, resv.ErrBackoff) {
			t.Fatalf("Add of an older one's: %v, want ErrBackoff", err)
		}
		if err := errors.Join(young.Unlock(), old.Unlock()); err != nil {
			t.Error(err)
		}
		if twice {
			if err := young.Unlock(); err != nil {
				t.Error(err)
			}
		}
		if err := young.Lock(ctx, &b); err != nil {
			t.Fatal(err)
		}
		if _, ok := young.Held(&a); ok == twice {
			t.Errorf("unlocked twice %v: what was in the way is held %v", twice, ok)
		}
		got := make(chan error)
		waits, cancel := context.WithCancel(ctx)
		go func() { got <- young.Add(waits, &c) }()
		if twice { // it is younger than all
			if err := <-got; !errors.Is(err, resv.ErrBackoff) {
				t.Errorf("Add of an older one's: %v, want ErrBackoff", err)
			}
		} else {
			waitForQueue(t, &c, 1)
			cancel()
			if err := <-got; !errors.Is(err, context.Canceled) {
				t.Errorf("Add of a younger one's: %v, want Canceled", err)
			}
		}
		cancel()
		if err := errors.Join(young.Unlock(), youngest.Unlock()); err != nil {
			t.Error(err)
		}
		mustBeFree(t, &a, &b, &c)
	}
}

// TestEndedHoldHasAge passes if a set does not wait for the local map that an
// older one has left behind, while it holds what the older one may want.
func TestEndedHoldHasAge(t *testing.T) {
	severalParties(t)
	ctx := t.Context()
	var a, b resv.Reservation
	var old, young resv.Set
	if err := errors.Join(old.Add(ctx, &a), young.Add(ctx, &b)); err != nil {
		t.Fatal(err)
	}
	h, _ := old.Held(&a)
	if err := a.Enter(h); err != nil {
		t.Fatal(err)
	}
	a.Keep()
	if err := h.Unlock(); !errors.Is(err, resv.ErrLocalMapsLive) {
		t.Errorf("Unlock: %v, want ErrLocalMapsLive", err)
	}
	if err := young.Add(ctx, &a); !errors.Is(err, resv.ErrBackoff) {
		t.Errorf("Add: %v, want ErrBackoff", err)
	}
	a.Reenter()
	a.Leave()
	if err := young.Unlock(); err != nil {
		t.Error(err)
	}
	mustBeFree(t, &a, &b)
}

// TestReverse passes if a set gives its reservations back in the reverse order,
// as drm_exec does.
func TestReverse(t *testing.T) {
	var rs [4]resv.Reservation
	var s resv.Set
	if err := s.Lock(t.Context(), &rs[2], &rs[0], &rs[3], &rs[1]); err != nil {
		t.Fatal(err)
	}
	var order []int
	for i := range rs {
		rs[i].Defer(func() { order = append(order, i) })
	}
	if err := s.Unlock(); err != nil {
		t.Error(err)
	}
	if want := []int{1, 3, 0, 2}; !slices.Equal(order, want) {
		t.Errorf("unlocked in the order %v, want %v", order, want)
	}
}

// TestUntilStale passes if a set whose function unlocks what belongs to the
// set is an error, and the set is as new after it.
func TestUntilStale(t *testing.T) {
	severalParties(t)
	ctx := t.Context()
	var a, b resv.Reservation
	var old, young resv.Set
	if err := old.Add(ctx, &a); err != nil {
		t.Fatal(err)
	}
	err := young.Until(ctx, func(s *resv.Set) error {
		if err := s.Add(ctx, &b); err != nil {
			return err
		}
		var c resv.Reservation
		if err := s.Add(ctx, &c); err != nil {
			return err
		}
		if h, ok := s.Held(&c); !ok || h.Unlock() != nil {
			t.Error("cannot unlock a Held of the set")
		}
		return s.Add(ctx, &a)
	})
	if !errors.Is(err, resv.ErrStale) || errors.Is(err, resv.ErrBackoff) {
		t.Errorf("Until: %v, want ErrStale", err)
	}
	if err := young.Lock(ctx, &b); err != nil {
		t.Errorf("Lock afterwards: %v", err)
	}
	if err := errors.Join(young.Unlock(), old.Unlock()); err != nil {
		t.Error(err)
	}
	mustBeFree(t, &a, &b)
}

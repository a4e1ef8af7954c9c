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

// mustBeOver passes if h is over, and the reservation is not free for that.
func mustBeOver(t *testing.T, r *resv.Reservation, h resv.Held) {
	t.Helper()
	if _, ok := r.TryLock(); ok {
		t.Error("the reservation is free while it has users")
	}
	if err := r.Enter(h); !errors.Is(err, resv.ErrNotLocked) || !errors.Is(err, resv.ErrStale) {
		t.Errorf("Enter under an ended hold: %v, want ErrNotLocked and ErrStale", err)
	}
	if h.Holds(r) {
		t.Error("Holds of an ended hold")
	}
	if err := h.Unlock(); !errors.Is(err, resv.ErrStale) {
		t.Errorf("Unlock of an ended hold: %v, want ErrStale", err)
	}
}

// TestLocalMaps passes if Unlock under live local maps says so, ends the hold
// at once, and the last map releases the reservation, to those who wait first.
//
// Case G03
func TestLocalMaps(t *testing.T) {
	severalParties(t)
	for maps := range 4 {
		var r resv.Reservation
		h := lock(t, &r)
		for range maps {
			if err := r.Enter(h); err != nil {
				t.Fatal(err)
			}
			r.Keep()
		}
		next := make(chan resv.Held)
		go func() {
			h, err := r.Lock(context.Background())
			if err != nil {
				t.Error(err)
			}
			next <- h
		}()
		waitForQueue(t, &r, 1)
		if maps == 0 {
			unlock(t, h)
		} else if err := h.Unlock(); !errors.Is(err, resv.ErrLocalMapsLive) {
			t.Errorf("Unlock with %d local maps: %v, want ErrLocalMapsLive", maps, err)
		}
		for range maps {
			mustBeOver(t, &r, h)
			if r.Waiting() != 1 {
				t.Fatal("the next holds the reservation together with local maps")
			}
			r.Reenter()
			r.Leave()
		}
		unlock(t, <-next)
		mustBeFree(t, &r)
	}
}

// TestUsersGo passes if a hold whose users have ended before it is as one that
// never had any.
func TestUsersGo(t *testing.T) {
	var r resv.Reservation
	h := lock(t, &r)
	for range 3 {
		if err := r.Enter(h); err != nil {
			t.Fatal(err)
		}
		r.Keep()
	}
	for range 3 {
		r.Reenter()
		r.Leave()
	}
	if !h.Holds(&r) {
		t.Error("the last user has ended the hold")
	}
	unlock(t, h)
	mustBeFree(t, &r)
}

// TestCallInFlight passes if a hold that another goroutine unlocks during a
// call is over for new calls, and the reservation is not released before the
// call has ended.
func TestCallInFlight(t *testing.T) {
	severalParties(t)
	var r resv.Reservation
	h := lock(t, &r)
	if err := r.Enter(h); err != nil {
		t.Fatal(err)
	}
	got := make(chan error)
	go func() { got <- h.Unlock() }()
	if err := <-got; !errors.Is(err, resv.ErrLocalMapsLive) {
		t.Errorf("Unlock during a call: %v, want ErrLocalMapsLive", err)
	}
	mustBeOver(t, &r, h)
	r.Leave()
	mustBeFree(t, &r)
}

// TestCallsExclude passes if goroutines that share a Held are one after the
// other inside, and Unlock by any of them makes the reservation free with the
// last.
func TestCallsExclude(t *testing.T) {
	for range 200 {
		var r resv.Reservation
		h := lock(t, &r)
		inside := 0
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				for n := range 10 {
					if err := r.Enter(h); err != nil {
						if !errors.Is(err, resv.ErrStale) {
							t.Error(err)
						}
						return
					}
					if inside++; inside != 1 {
						t.Error("two inside")
					}
					inside--
					if n%2 == 0 {
						r.Keep()
						r.Reenter()
						inside++
						inside--
					}
					r.Leave()
				}
				if i == 0 {
					if err := h.Unlock(); err != nil && !errors.Is(err, resv.ErrLocalMapsLive) {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		mustBeFree(t, &r)
	}
}

// TestEnterRefused passes if a call under what is not the hold of this
// reservation is ErrNotLocked, and leaves no user behind.
//
// Cases G01, G02
func TestEnterRefused(t *testing.T) {
	severalParties(t)
	// In step, so that it is not the generations that tell holds apart.
	var r, other resv.Reservation
	past := lock(t, &r)
	unlock(t, past)
	unlock(t, lock(t, &other))
	now, wrong := lock(t, &r), lock(t, &other)
	refused := func() {
		t.Helper()
		for name, h := range map[string]resv.Held{"no": {}, "another reservation's": wrong, "an ended": past} {
			if err := r.Enter(h); !errors.Is(err, resv.ErrNotLocked) {
				t.Errorf("Enter under %s hold: %v, want ErrNotLocked", name, err)
			}
		}
	}
	refused()
	unlock(t, now)
	refused()
	mustBeFree(t, &r)
	unlock(t, wrong)
}

// TestOverflow passes if a hold refuses more users than it can count, and
// loses none of those that it has.
func TestOverflow(t *testing.T) {
	severalParties(t)
	var r resv.Reservation
	h := lock(t, &r)
	for range resv.MaxUsers {
		if err := r.Enter(h); err != nil {
			t.Fatal(err)
		}
		r.Keep()
	}
	for range 2 {
		if err := r.Enter(h); !errors.Is(err, resv.ErrOverflow) || !errors.Is(err, syscall.EOVERFLOW) {
			t.Fatalf("one more: %v, want ErrOverflow", err)
		}
	}
	if err := h.Unlock(); !errors.Is(err, resv.ErrLocalMapsLive) {
		t.Errorf("Unlock: %v, want ErrLocalMapsLive", err)
	}
	for range resv.MaxUsers {
		if _, ok := r.TryLock(); ok {
			t.Fatal("free before the last user has ended")
		}
		r.Reenter()
		r.Leave()
	}
	mustBeFree(t, &r)
}

// TestSetLocalMaps passes if a set that unlocks under a live local map says
// so, and everything else that it held is free.
func TestSetLocalMaps(t *testing.T) {
	severalParties(t)
	var a, b resv.Reservation
	var s resv.Set
	if err := s.Lock(t.Context(), &a, &b); err != nil {
		t.Fatal(err)
	}
	h, _ := s.Held(&a)
	if err := a.Enter(h); err != nil {
		t.Fatal(err)
	}
	a.Keep()
	if err := s.Unlock(); !errors.Is(err, resv.ErrLocalMapsLive) || errors.Is(err, resv.ErrStale) {
		t.Errorf("Unlock: %v, want ErrLocalMapsLive", err)
	}
	mustBeFree(t, &b)
	mustBeOver(t, &a, h)
	// It is nobody's now: the set is new, and may wait for it as for any.
	ended, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := s.Lock(ended, &b, &a); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Lock of what has a local map: %v", err)
	}
	a.Reenter()
	a.Leave()
	mustBeFree(t, &a, &b)
}

// TestDefer passes if what is deferred runs under the reservation, before
// Defer returns if that is free, and otherwise before the call returns that
// releases it, in the order of the Defers.
func TestDefer(t *testing.T) {
	severalParties(t)
	var r resv.Reservation
	var ran []int
	f := func(n int) func() {
		return func() {
			if _, ok := r.TryLock(); ok {
				t.Error("a deferred function runs without the reservation")
			}
			ran = append(ran, n)
		}
	}
	want := func(when string, n ...int) {
		t.Helper()
		if !slices.Equal(ran, n) {
			t.Errorf("%s: ran %v, want %v", when, ran, n)
		}
		ran = nil
	}
	r.Defer(f(1))
	want("free", 1)
	mustBeFree(t, &r)

	h := lock(t, &r)
	r.Defer(f(1))
	r.Defer(f(2))
	r.Defer(func() { r.Defer(f(4)); f(3)() })
	want("held")
	unlock(t, h)
	want("unlocked", 1, 2, 3, 4)
	mustBeFree(t, &r)

	h = lock(t, &r)
	if err := r.Enter(h); err != nil {
		t.Fatal(err)
	}
	r.Defer(f(1))
	r.Keep()
	if err := h.Unlock(); !errors.Is(err, resv.ErrLocalMapsLive) {
		t.Errorf("Unlock: %v, want ErrLocalMapsLive", err)
	}
	r.Defer(f(2))
	r.Reenter()
	r.Defer(f(3))
	want("a local map lives")
	r.Leave()
	want("the last local map has ended", 1, 2, 3)
	mustBeFree(t, &r)

	// Inside of a Defer on a free reservation, too.
	r.Defer(func() { r.Defer(f(2)); f(1)() })
	want("nested", 1, 2)
	mustBeFree(t, &r)
}

// TestDeferBeforeWaiters passes if what is deferred is done before the next
// holds the reservation, whether those who wait stay or give up.
func TestDeferBeforeWaiters(t *testing.T) {
	severalParties(t)
	var r resv.Reservation
	h := lock(t, &r)
	done := false
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	gaveUp, next := make(chan error), make(chan resv.Held)
	go func() {
		_, err := r.Lock(ctx)
		gaveUp <- err
	}()
	waitForQueue(t, &r, 1)
	go func() {
		var s resv.Set
		if err := s.Lock(t.Context(), &r); err != nil {
			t.Error(err)
		}
		if !done {
			t.Error("the next has the reservation before what was deferred is done")
		}
		h, _ := s.Held(&r)
		next <- h
	}()
	waitForQueue(t, &r, 2)
	r.Defer(func() {
		// The first in the queue gives up while nobody has a hold.
		cancel()
		if err := <-gaveUp; !errors.Is(err, context.Canceled) {
			t.Errorf("Lock: %v, want Canceled", err)
		}
		if _, err := r.Lock(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("Lock with an ended context: %v", err)
		}
		done = true
	})
	unlock(t, h)
	unlock(t, <-next)
	mustBeFree(t, &r)
}

// TestDeferRaces passes if nothing that is deferred is lost, done twice, or
// done while another is inside, whoever holds, waits, gives up or has local
// maps meanwhile.
func TestDeferRaces(t *testing.T) {
	const each = 400
	var r resv.Reservation
	did, inside := 0, 0
	in := func() {
		if inside++; inside != 1 {
			t.Error("two inside")
		}
		inside--
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range each {
				r.Defer(func() { in(); did++ })
			}
		})
		wg.Go(func() {
			for range each {
				h, ok := r.TryLock()
				if !ok {
					continue
				}
				in()
				if err := r.Enter(h); err != nil {
					t.Error(err)
				}
				r.Keep()
				if err := h.Unlock(); !errors.Is(err, resv.ErrLocalMapsLive) {
					t.Errorf("Unlock: %v", err)
				}
				r.Reenter()
				in()
				r.Leave()
			}
		})
		wg.Go(func() {
			for n := range each {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(n)*time.Microsecond)
				if h, err := r.Lock(ctx); err == nil {
					in()
					if err := h.Unlock(); err != nil {
						t.Error(err)
					}
				}
				cancel()
			}
		})
	}
	wg.Wait()
	h := lock(t, &r)
	if did != 4*each {
		t.Errorf("%d done, want %d", did, 4*each)
	}
	unlock(t, h)
	mustBeFree(t, &r)
}

// TestDeferPanics passes if a deferred function that panics does so to whoever
// runs it, and neither the others nor the reservation are lost.
func TestDeferPanics(t *testing.T) {
	var r resv.Reservation
	caught := func(f func()) (p any) {
		defer func() { p = recover() }()
		f()
		return nil
	}
	boom := func() { panic("boom") }
	if p := caught(func() { r.Defer(boom) }); p != "boom" {
		t.Errorf("Defer on a free reservation panics with %v", p)
	}
	mustBeFree(t, &r)
	h := lock(t, &r)
	done := false
	r.Defer(boom)
	r.Defer(func() { done = true })
	if p := caught(func() { h.Unlock() }); p != "boom" {
		t.Errorf("Unlock panics with %v", p)
	}
	if !done {
		t.Error("what was deferred after it is lost")
	}
	mustBeFree(t, &r)
}

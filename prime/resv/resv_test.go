package resv_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/gemtool/gemtool/prime/resv"
)

// TestHeld passes if a Held is the proof of one hold and of no other.
func TestHeld(t *testing.T) {
	severalParties(t)
	var r, other resv.Reservation
	h, err := r.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !h.Holds(&r) || h.Holds(&other) || (resv.Held{}).Holds(&r) || (resv.Held{}).Holds(nil) {
		t.Error("Holds does not know whose hold it is")
	}
	if _, ok := r.TryLock(); ok {
		t.Error("TryLock of a held reservation")
	}
	if err := h.Unlock(); err != nil {
		t.Error(err)
	}
	if h.Holds(&r) {
		t.Error("Holds after Unlock")
	}
	for range 2 {
		if err := h.Unlock(); !errors.Is(err, resv.ErrStale) {
			t.Errorf("second Unlock: %v, want ErrStale", err)
		}
	}
	next, ok := r.TryLock()
	if !ok {
		t.Fatal("a free reservation cannot be taken")
	}
	if err := h.Unlock(); !errors.Is(err, resv.ErrStale) || !next.Holds(&r) {
		t.Errorf("Unlock by an earlier holder: %v, want ErrStale and no change", err)
	}
	if err := (resv.Held{}).Unlock(); !errors.Is(err, resv.ErrStale) {
		t.Errorf("Unlock of nothing: %v, want ErrStale", err)
	}
}

// TestOrder passes if the reservation goes to those who wait in the order in
// which they came, and TryLock does not pass them.
func TestOrder(t *testing.T) {
	var r resv.Reservation
	h, _ := r.Lock(t.Context())
	var order []int
	var wg sync.WaitGroup
	for i := range 5 {
		wg.Go(func() {
			h, err := r.Lock(context.Background())
			if err != nil {
				t.Error(err)
				return
			}
			order = append(order, i) // the reservation is the lock
			if err := h.Unlock(); err != nil {
				t.Error(err)
			}
		})
		waitForQueue(t, &r, i+1)
	}
	if err := h.Unlock(); err != nil {
		t.Error(err)
	}
	wg.Wait()
	for i, n := range order {
		if i != n {
			t.Fatalf("served in the order %v", order)
		}
	}
}

// TestCancel passes if a cancelled wait returns the context's error, and the
// reservation goes on to the next: no wake-up is lost.
//
// Case G20
func TestCancel(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	var r resv.Reservation
	if _, err := r.Lock(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("Lock with an ended context: %v", err)
	}
	for range 300 {
		var r resv.Reservation
		h, _ := r.Lock(t.Context())
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				h, err := r.Lock(ctx)
				if err == nil {
					err = h.Unlock()
				} else if errors.Is(err, context.Canceled) {
					err = nil
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Go(func() {
			h, err := r.Lock(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			h.Unlock()
		})
		go cancel()
		h.Unlock()
		wg.Wait()
		if h, ok := r.TryLock(); !ok {
			t.Fatal("the reservation is not free when all are done")
		} else {
			h.Unlock()
		}
		cancel()
	}
}

// TestCancelAtTurn passes if a wait whose context ends in the moment in which it
// gets the reservation gives it back.
//
// Case G20
func TestCancelAtTurn(t *testing.T) {
	// With one processor the waiter, which the end of its context has made
	// ready, does not run before it was handed the reservation.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for n := range 100 {
		var r resv.Reservation
		h := lock(t, &r)
		ctx, cancel := context.WithCancel(t.Context())
		failed := make(chan error)
		go func() {
			var err error
			if n%2 == 0 {
				_, err = r.Lock(ctx)
			} else {
				err = new(resv.Set).Lock(ctx, &r)
			}
			failed <- err
		}()
		waitForQueue(t, &r, 1)
		r.Defer(cancel)
		unlock(t, h)
		if err := <-failed; !errors.Is(err, context.Canceled) {
			t.Errorf("Lock: %v, want Canceled", err)
		}
		mustBeFree(t, &r)
	}
}

// TestCancelRaces passes if waits that end at any moment, of sets and without
// one, lose no wake-up: everybody finishes, and all is free in the end. Nobody
// else wakes those who wait for ever here.
//
// Case G20
func TestCancelRaces(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	var rs [3]resv.Reservation
	var wg sync.WaitGroup
	end := time.Now().Add(soak() / 2)
	for g := range 12 {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(seed, uint64(g)))
			for time.Now().Before(end) {
				ctx, cancel := context.WithCancel(context.Background())
				if g%3 > 0 {
					yields := rnd.IntN(100) // from before the wait to after it
					go func() {
						for range yields {
							runtime.Gosched()
						}
						cancel()
					}()
				}
				var s resv.Set
				var err error
				if order := rnd.Perm(len(rs)); g%2 == 0 {
					err = s.Lock(ctx, &rs[order[0]], &rs[order[1]])
				} else {
					var h resv.Held
					if h, err = rs[order[0]].Lock(ctx); err == nil {
						err = h.Unlock()
					}
				}
				if err = errors.Join(err, s.Unlock()); err != nil && !(g%3 > 0 && errors.Is(err, context.Canceled)) {
					t.Error(err)
				}
				cancel()
			}
		})
	}
	wg.Wait()
	for i := range rs {
		mustBeFree(t, &rs[i])
		if n := rs[i].Waiting(); n != 0 {
			t.Errorf("%d left in queue %d", n, i)
		}
	}
}

// TestExclusion passes if nobody is inside with another.
func TestExclusion(t *testing.T) {
	var r resv.Reservation
	inside, sum := 0, 0
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 2000 {
				h, err := r.Lock(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				if inside++; inside != 1 {
					t.Error("two inside")
				}
				sum++
				inside--
				if err := h.Unlock(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if sum != 16000 {
		t.Errorf("sum %d", sum)
	}
}

package resv_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gemtool/gemtool/prime/resv"
)

// witness knows which sets want or have a reservation, without asking the
// reservation.
type witness struct {
	mu     sync.Mutex
	ages   map[uint64]bool    // who wants or has it
	oldest map[uint64]*uint64 // by who tries to take it: his oldest rival meanwhile
}

// try notes that the set of an age wants the reservation, and returns its
// oldest rival to the end of the attempt.
func (w *witness) try(age uint64) (oldest *uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ages == nil {
		w.ages, w.oldest = make(map[uint64]bool), make(map[uint64]*uint64)
	}
	rival := uint64(math.MaxUint64)
	for a := range w.ages {
		if a != age {
			rival = min(rival, a)
		}
	}
	for _, o := range w.oldest {
		*o = min(*o, age)
	}
	w.ages[age], w.oldest[age] = true, &rival
	return &rival
}

// tried ends the attempt; the set goes on to want the reservation, or has it.
func (w *witness) tried(age uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.oldest, age)
}

// left notes that a set neither has the reservation any more nor wants it.
func (w *witness) left(age uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.ages, age)
}

// crowd is all that runs in a stress test.
type crowd struct {
	*testing.T
	rs     [128]resv.Reservation
	seen   [128]witness
	inside [128]int // guarded by the reservation

	mu     sync.Mutex // orders births with what is known of them
	active map[uint64]bool

	finished, died atomic.Int64
}

func (c *crowd) isOldest(age uint64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for a := range c.active {
		if a < age {
			return false
		}
	}
	return true
}

// transact takes some reservations as one set.
func (c *crowd) transact(ctx context.Context, mine []int) {
	var s resv.Set
	c.mu.Lock()
	age := s.Enlist()
	c.active[age] = true
	c.mu.Unlock()
	wanted := make(map[int]bool)
	leave := func(except int) {
		for n := range wanted {
			if n != except {
				c.seen[n].left(age)
				delete(wanted, n)
			}
		}
	}
	inTheWay := -1
	err := s.Until(ctx, func(s *resv.Set) error {
		leave(inTheWay) // Until has unlocked them
		inTheWay = -1
		for _, n := range mine {
			first := c.isOldest(age)
			rival := c.seen[n].try(age)
			wanted[n] = true
			err := s.Add(ctx, &c.rs[n])
			c.seen[n].tried(age)
			if errors.Is(err, resv.ErrBackoff) {
				c.died.Add(1)
				inTheWay = n
				if first {
					c.Errorf("the oldest set of all, %d, backs off", age)
				}
				if *rival > age {
					c.Errorf("set %d backs off for younger ones: the oldest is %d", age, *rival)
				}
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		c.Errorf("set %d: %v", age, err)
	} else {
		for _, n := range mine {
			if c.inside[n]++; c.inside[n] != 1 {
				c.Error("two inside")
			}
		}
		for _, n := range mine {
			c.inside[n]--
		}
	}
	if err := s.Unlock(); err != nil {
		c.Error(err)
	}
	leave(-1)
	c.mu.Lock()
	delete(c.active, age)
	c.mu.Unlock()
	c.finished.Add(1)
}

// TestStressSoak passes if 64 goroutines with sets of up to 32 of 128
// reservations, and some without a set, all finish, no two are inside of one
// reservation, and whoever backs off does so for an older one: the oldest of
// all never does. A deadlock ends with the context.
//
// Case G14
func TestStressSoak(t *testing.T) {
	const goroutines = 64
	ctx, cancel := context.WithTimeout(t.Context(), soak()+time.Minute)
	defer cancel()
	c := &crowd{T: t, active: make(map[uint64]bool)}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	end := time.Now().Add(soak())
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(seed, uint64(g)))
			for time.Now().Before(end) && !t.Failed() {
				c.transact(ctx, rnd.Perm(len(c.rs))[:1+rnd.IntN(32)])
				if rnd.IntN(4) > 0 {
					continue
				}
				n := rnd.IntN(len(c.rs))
				h, err := c.rs[n].Lock(ctx)
				if err != nil {
					t.Error(err)
					return
				}
				if c.inside[n]++; c.inside[n] != 1 {
					t.Error("two inside")
				}
				c.inside[n]--
				if err := h.Unlock(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for i := range c.rs {
		mustBeFree(t, &c.rs[i])
	}
	t.Logf("%d sets finished, backed off %d times", c.finished.Load(), c.died.Load())
	if c.died.Load() == 0 {
		t.Error("no set ever backed off")
	}
}

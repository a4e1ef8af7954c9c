// Package resv has the lock that belongs to memory, as the dma_resv of a
// dma-buf does in the kernel: whoever maps, pins or counts a piece of memory
// holds the Reservation of that memory, whichever object or buffer led to it.
//
// A Reservation excludes goroutines of this process. Other processes and
// devices are ordered by fences. It is the outermost lock: nobody may hold
// another lock of this module when he takes one, and outside of a [Set] at
// most one is held at a time.
//
// Several are taken with a Set, which is the kernel's ww_acquire_ctx and
// drm_exec in one: of two sets that want each other's reservations the
// younger gives way (wait-die, as reservation_ww_class), and all finish.
package resv

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
)

// ErrStale is the error of a Held whose hold has ended, or never began.
var ErrStale = errors.New("resv: reservation is not held by this holder")

// Reservation is a lock with a queue. The zero value is free.
type Reservation struct {
	// word is the generation of the current or last hold, shifted, with the
	// bits below. While one of waiting and owned is set it changes under mu
	// only.
	word atomic.Uint64

	mu    sync.Mutex
	owner *Set      // who holds it, nil for a hold without a set
	queue []*waiter // not empty while waiting is set: see enqueue for the order
}

const (
	held       = 1 << 0 // somebody holds the reservation
	waiting    = 1 << 1 // somebody waits in the queue
	owned      = 1 << 2 // a set holds it
	generation = 3      // the shift
)

// waiter is somebody in the queue. Its turn comes once: with a hold, or, for
// a set that must give way, with a zero Held.
type waiter struct {
	set  *Set // nil without one
	turn chan Held
}

// Held is the proof that somebody holds a Reservation. It is a value: a copy
// is as good, and all of them are stale after Unlock.
type Held struct {
	r   *Reservation
	gen uint64
}

// TryLock takes the reservation if it is free, past nobody who waits.
func (r *Reservation) TryLock() (Held, bool) {
	w := r.word.Load()
	if w&(held|waiting) != 0 {
		return Held{}, false
	}
	gen := w>>generation + 1
	if !r.word.CompareAndSwap(w, gen<<generation|held) {
		return Held{}, false
	}
	return Held{r, gen}, true
}

// Lock takes the reservation, in the order of arrival, or returns the
// context's error.
func (r *Reservation) Lock(ctx context.Context) (Held, error) {
	if err := ctx.Err(); err != nil {
		return Held{}, err
	}
	if h, ok := r.TryLock(); ok {
		return h, nil
	}
	return r.lock(ctx, nil)
}

// lock takes the reservation for set, which may be nil. It returns errYield
// if the set must give way to an older one.
func (r *Reservation) lock(ctx context.Context, set *Set) (Held, error) {
	w := &waiter{set: set, turn: make(chan Held, 1)}
	h, err := r.enqueue(w)
	if err != nil || h.r != nil {
		return h, err
	}
	select {
	case h = <-w.turn:
	case <-ctx.Done():
		if !r.leave(w) {
			// Our turn came together with the end of the context: pass
			// it on, or nobody would ever wake.
			if h := <-w.turn; h.r != nil {
				_ = h.Unlock()
			}
		}
		return Held{}, ctx.Err()
	}
	if h.r == nil {
		return Held{}, errYield
	}
	return h, nil
}

// enqueue takes the reservation if it is free, or joins the queue. Sets stand
// in it from old to young, those without one in the order of arrival, so that
// a set that is next has nobody older behind it.
func (r *Reservation) enqueue(w *waiter) (Held, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		old := r.word.Load()
		if old&held == 0 {
			// Free implies that nobody waits: Unlock hands over. Others
			// can be faster still.
			next := (old>>generation+1)<<generation | held
			if w.set != nil {
				next |= owned
			}
			if r.word.CompareAndSwap(old, next) {
				r.owner = w.set
				return Held{r, next >> generation}, nil
			}
			continue
		}
		if w.set != nil && w.set == r.owner {
			return Held{}, errAlready
		}
		if r.mustYield(w) {
			return Held{}, errYield
		}
		if r.word.CompareAndSwap(old, old|waiting) {
			break
		}
	}
	at := len(r.queue)
	if w.set != nil {
		if i := slices.IndexFunc(r.queue, func(o *waiter) bool { return o.set != nil && w.set.olderThan(o.set) }); i >= 0 {
			at = i
		}
	}
	r.queue = slices.Insert(r.queue, at, w)
	r.wakeYielding()
	return Held{}, nil
}

// mustYield says whether a set that already holds something may not wait
// here: an older one holds the reservation, or will before it. A set that
// holds nothing keeps nobody waiting, and may wait for anybody.
func (r *Reservation) mustYield(w *waiter) bool {
	if w.set == nil || len(w.set.held) == 0 {
		return false
	}
	if r.owner != nil && r.owner.olderThan(w.set) {
		return true
	}
	return slices.ContainsFunc(r.queue, func(o *waiter) bool { return o.set != nil && o.set.olderThan(w.set) })
}

// wakeYielding sends the waiters away that must yield since the owner or the
// queue has changed.
func (r *Reservation) wakeYielding() {
	r.queue = slices.DeleteFunc(r.queue, func(w *waiter) bool {
		if !r.mustYield(w) {
			return false
		}
		w.turn <- Held{}
		return true
	})
	if len(r.queue) == 0 {
		r.word.And(^uint64(waiting))
	}
}

// leave removes w from the queue, and says false if its turn has come.
func (r *Reservation) leave(w *waiter) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.Index(r.queue, w)
	if i < 0 {
		return false
	}
	r.queue = slices.Delete(r.queue, i, i+1)
	if len(r.queue) == 0 {
		r.word.And(^uint64(waiting))
	}
	return true
}

// Unlock ends the hold, and gives the reservation to the first in the queue.
// It never blocks for longer than that takes. A Held that is not the current
// one is ErrStale, and nothing changes.
func (h Held) Unlock() error {
	if h.r == nil {
		return ErrStale
	}
	r := h.r
	for {
		w := r.word.Load()
		switch {
		case w>>generation != h.gen || w&held == 0:
			return ErrStale
		case w&(waiting|owned) != 0:
			return h.handOver()
		case r.word.CompareAndSwap(w, h.gen<<generation):
			return nil
		}
	}
}

func (h Held) handOver() error {
	r := h.r
	r.mu.Lock()
	defer r.mu.Unlock()
	if !h.Holds(r) {
		return ErrStale
	}
	if len(r.queue) == 0 { // also when the last one in it has left
		r.owner = nil
		r.word.Store(h.gen << generation)
		return nil
	}
	next := r.queue[0]
	r.queue = slices.Delete(r.queue, 0, 1)
	r.owner = next.set
	w := (h.gen+1)<<generation | held
	if next.set != nil {
		w |= owned
	}
	if len(r.queue) > 0 {
		w |= waiting
	}
	r.word.Store(w)
	next.turn <- Held{r, h.gen + 1}
	r.wakeYielding()
	return nil
}

// Holds says whether h is the current hold of r.
func (h Held) Holds(r *Reservation) bool {
	if h.r != r || r == nil {
		return false
	}
	w := r.word.Load()
	return w>>generation == h.gen && w&held != 0
}

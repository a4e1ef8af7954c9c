// Package resv has the lock that belongs to memory, as the dma_resv of a
// dma-buf does in the kernel: whoever maps, pins or counts a piece of memory
// holds the Reservation of that memory, whichever object or buffer led to it.
//
// A Reservation excludes goroutines of this process. Other processes and
// devices are ordered by fences. It is the outermost lock: nobody may hold
// another lock of this module when he takes one, and outside of a set at most
// one is held at a time.
//
// Reservations of several objects at once, with back-off, are not there yet.
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
	// bits held and waiting. While waiting is set it changes under mu only.
	word atomic.Uint64

	mu    sync.Mutex
	queue []chan Held // first come, first served; not empty while waiting is set
}

const (
	held       = 1 << 0 // somebody holds the reservation
	waiting    = 1 << 1 // somebody waits in the queue
	generation = 2      // the shift
)

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
	turn, h, ok := r.enqueue()
	if ok {
		return h, nil
	}
	select {
	case h := <-turn:
		return h, nil
	case <-ctx.Done():
	}
	if !r.leave(turn) {
		// Our turn came together with the end of the context: pass it
		// on, or nobody would ever wake.
		h := <-turn
		_ = h.Unlock()
	}
	return Held{}, ctx.Err()
}

// enqueue joins the queue, or takes the reservation if it has become free.
func (r *Reservation) enqueue() (turn chan Held, h Held, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		w := r.word.Load()
		if w&held == 0 {
			// Free implies that nobody waits: Unlock hands over.
			if h, ok := r.TryLock(); ok {
				return nil, h, true
			}
			continue
		}
		if r.word.CompareAndSwap(w, w|waiting) {
			turn = make(chan Held, 1)
			r.queue = append(r.queue, turn)
			return turn, Held{}, false
		}
	}
}

// leave removes turn from the queue, and says false if its turn has come.
func (r *Reservation) leave(turn chan Held) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.Index(r.queue, turn)
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
		case w&waiting != 0:
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
	w := r.word.Load()
	if w>>generation != h.gen || w&held == 0 {
		return ErrStale
	}
	if len(r.queue) == 0 { // the last one in the queue has left
		r.word.Store(h.gen << generation)
		return nil
	}
	turn := r.queue[0]
	r.queue = slices.Delete(r.queue, 0, 1)
	next := Held{r, h.gen + 1}
	w = next.gen<<generation | held
	if len(r.queue) > 0 {
		w |= waiting
	}
	r.word.Store(w)
	turn <- next
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

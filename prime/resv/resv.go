package resv

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
)

// Errors of a Held.
var (
	// ErrNotLocked: the Held is not of this reservation, or has ended.
	ErrNotLocked = errors.New("resv: reservation is not locked by this Held")
	// ErrStale: the hold has ended, or never began.
	ErrStale = errors.New("ended already")
	// ErrLocalMapsLive: the hold has ended, but something that it allowed has
	// not. The reservation is released when the last such thing ends.
	ErrLocalMapsLive = errors.New("resv: local maps live")
	// ErrOverflow: more local maps under one hold than it can count.
	ErrOverflow = fmt.Errorf("counter at its end: %w", syscall.EOVERFLOW)

	errEnded = fmt.Errorf("%w: %w", ErrNotLocked, ErrStale)
)

// Reservation is a lock with a queue. The zero value is free.
//
// It passes from one to the next in three steps: the hold ends, its users do
// (see [Reservation.Enter]), what was deferred meanwhile is done. From the end
// of the hold on its Held is stale, and to everybody else the reservation
// stays held to the end of the third step.
type Reservation struct {
	watch watched
	// word is the generation of the current or last hold, shifted, with the
	// bits below. It passes on, and gets waiting and deferred, under mu only.
	word atomic.Uint64

	call  watched
	calls sync.Mutex // between Enter and Leave

	mu    sync.Mutex
	owner *Set      // whose hold it is, nil for one without a set or one that has ended
	age   uint64    // the ticket of the set of the present hold, also of one that has ended; 0 without one
	queue []*waiter // empty unless waiting is set: see takeOrQueue for the order
	todo  []func()  // empty unless deferred is set
}

const (
	held     = 1 << 0 // somebody holds the reservation
	ended    = 1 << 1 // but his hold is over
	owned    = 1 << 2 // a set holds it
	waiting  = 1 << 3 // somebody waits in the queue, or did during this hold
	deferred = 1 << 4 // something is to be done when the hold is over
	user     = 1 << 5 // one user of the hold; their number stands below generation
	users    = (1<<generation - 1) &^ (user - 1)

	generation = 20 // the shift
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
	h, ok := r.tryLock()
	if ok {
		r.watch.took(aReservation, nil, r.watch.tries())
	}
	return h, ok
}

func (r *Reservation) tryLock() (Held, bool) {
	w := r.word.Load()
	if w&held != 0 {
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
	me := r.watch.wants(aReservation, nil)
	h, ok := r.tryLock()
	if !ok {
		var err error
		if h, err = r.lock(ctx, nil); err != nil {
			return Held{}, err
		}
	}
	r.watch.took(aReservation, nil, me)
	return h, nil
}

// lock takes the reservation for set, which may be nil. It returns errYield
// if the set must give way to an older one.
func (r *Reservation) lock(ctx context.Context, set *Set) (Held, error) {
	h, w, err := r.takeOrQueue(set)
	if w == nil {
		return h, err
	}
	select {
	case h = <-w.turn:
	case <-ctx.Done():
		if !r.dequeue(w) {
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

// takeOrQueue takes the reservation if it is free, or joins the queue, and
// returns its place there. Sets stand in it from old to young, those without
// one in the order of arrival, so that a set that is next has nobody older
// behind it.
func (r *Reservation) takeOrQueue(set *Set) (Held, *waiter, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		old := r.word.Load()
		if old&held == 0 {
			// Free implies that nobody waits: Unlock hands over. Others
			// can be faster still.
			next := (old>>generation+1)<<generation | held
			if set != nil {
				next |= owned
			}
			if r.word.CompareAndSwap(old, next) {
				r.belongsTo(set)
				return Held{r, next >> generation}, nil, nil
			}
			continue
		}
		if set != nil && set == r.owner {
			return Held{}, nil, ErrAlready
		}
		if r.mustYield(set) {
			return Held{}, nil, errYield
		}
		if r.word.CompareAndSwap(old, old|waiting) {
			break
		}
	}
	w := &waiter{set: set, turn: make(chan Held, 1)}
	at := len(r.queue)
	if set != nil {
		if i := slices.IndexFunc(r.queue, func(o *waiter) bool { return o.set != nil && set.olderThan(o.set) }); i >= 0 {
			at = i
		}
	}
	r.queue = slices.Insert(r.queue, at, w)
	// Younger ones that waited so far may have to yield for it.
	r.queue = slices.DeleteFunc(r.queue, func(o *waiter) bool {
		if !r.mustYield(o.set) {
			return false
		}
		o.turn <- Held{}
		return true
	})
	return Held{}, w, nil
}

// mustYield says whether a set that already holds something may not wait
// here: an older one holds the reservation, or will before it. A set that
// holds nothing keeps nobody waiting, and may wait for anybody.
func (r *Reservation) mustYield(set *Set) bool {
	if set == nil || len(set.held) == 0 {
		return false
	}
	if r.age != 0 && r.age < set.ticket {
		return true
	}
	return slices.ContainsFunc(r.queue, func(w *waiter) bool { return w.set != nil && w.set.olderThan(set) })
}

// dequeue removes w from the queue, and says false if its turn has come.
func (r *Reservation) dequeue(w *waiter) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.Index(r.queue, w)
	if i < 0 {
		return false
	}
	r.queue = slices.Delete(r.queue, i, i+1)
	return true
}

// Unlock ends the hold, and gives the reservation to the first in the queue.
// It never blocks for longer than it takes to finish what was deferred.
//
// Errors: ErrStale for a Held that is not the current one, and nothing
// changes; ErrLocalMapsLive if the hold has users, of which the last one
// releases the reservation.
func (h Held) Unlock() error {
	if h.r == nil {
		return ErrStale
	}
	if !debug && h.r.word.CompareAndSwap(h.gen<<generation|held, h.gen<<generation) {
		return nil
	}
	return h.end()
}

// end is Unlock for a reservation that has more than its holder.
func (h Held) end() error {
	r := h.r
	r.mu.Lock()
	for {
		w := r.word.Load()
		if !h.is(w) {
			r.mu.Unlock()
			r.watch.stale()
			return ErrStale
		}
		// Nobody joins the users of a hold that has ended, so the last of
		// them is told from the others.
		if !r.word.CompareAndSwap(w, w&^owned|ended) {
			continue
		}
		r.watch.ends()
		r.owner = nil
		if w&users != 0 {
			r.mu.Unlock()
			return ErrLocalMapsLive
		}
		r.passOn()
		return nil
	}
}

// passOn releases a reservation whose hold has ended and has no users. It is
// called with mu held, by the one who brought that about, and unlocks it.
func (r *Reservation) passOn() {
	r.watch.gives()
	if len(r.todo) == 0 {
		r.handOver()
		r.mu.Unlock()
		return
	}
	f := r.todo[0]
	r.todo = r.todo[1:]
	r.mu.Unlock()
	r.watch.took(aReservation, nil, r.watch.tries())
	defer func() { // also if f panics
		r.mu.Lock()
		r.passOn()
	}()
	f()
}

// belongsTo notes whose the next hold is. The caller holds mu.
func (r *Reservation) belongsTo(set *Set) {
	r.owner, r.age = set, 0
	if set != nil {
		r.age = set.ticket
	}
}

// handOver makes the first in the queue the next to hold the reservation, or
// frees it. The caller holds mu.
func (r *Reservation) handOver() {
	gen := r.word.Load() >> generation
	if len(r.queue) == 0 {
		r.belongsTo(nil)
		r.word.Store(gen << generation)
		return
	}
	next := r.queue[0]
	r.queue = slices.Delete(r.queue, 0, 1)
	gen++
	r.belongsTo(next.set)
	w := gen<<generation | held
	if next.set != nil {
		w |= owned
	}
	if len(r.queue) > 0 {
		w |= waiting
	}
	r.word.Store(w)
	// Nobody must yield for it that did not have to before: the queue goes from
	// old to young.
	next.turn <- Held{r, gen}
}

// Holds says whether h is the current hold of r.
func (h Held) Holds(r *Reservation) bool {
	return h.r == r && r != nil && h.is(r.word.Load())
}

// is says whether h is the hold that a word tells of.
func (h Held) is(word uint64) bool {
	return word>>generation == h.gen && word&(held|ended) == held
}

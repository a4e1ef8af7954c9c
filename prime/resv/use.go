package resv

// What follows is for packages that guard memory with its Reservation, as gem
// does: for what they do under somebody's hold, and for what must be done
// under one but cannot wait for it.

// Enter begins a call under the hold h, which must be of r. Such calls exclude
// each other, also when goroutines share a Held, and until Leave the hold has
// a user: an Unlock meanwhile ends it, and Leave releases the reservation.
//
// Errors: ErrNotLocked for the zero Held, one of another reservation, and one
// that has ended, which is ErrStale too; ErrOverflow. Nothing has changed then.
func (r *Reservation) Enter(h Held) error {
	if h.r != r {
		return ErrNotLocked
	}
	for {
		w := r.word.Load()
		switch {
		case !h.is(w):
			return errEnded
		case w&users == users:
			return ErrOverflow
		case r.word.CompareAndSwap(w, w+user):
			r.Reenter()
			return nil
		}
	}
}

// Leave ends a call under a hold, and with it what Keep has kept.
func (r *Reservation) Leave() {
	r.Keep()
	w := r.word.Add(^uint64(user - 1))
	if w&ended != 0 && w&users == 0 {
		r.mu.Lock()
		r.passOn()
	}
}

// Keep ends a call but not the use of the hold: until the Leave that follows
// its Reenter the reservation is not released. A local map lives so.
func (r *Reservation) Keep() {
	r.call.gives()
	r.calls.Unlock()
}

// Reenter begins a call again that Keep has ended, also if the hold has ended
// since.
func (r *Reservation) Reenter() {
	me := r.call.wants(aCall, nil)
	r.calls.Lock()
	r.call.took(aCall, nil, me)
}

// Defer calls f under the reservation and does not wait for it: at once if it
// is free, otherwise when the present hold and its users have ended, on the
// goroutine that ends them. f must not lock anything that is held while
// somebody waits for a reservation, and must not unlock this one.
func (r *Reservation) Defer(f func()) {
	if h, ok := r.deferOrTake(f); ok {
		r.watch.took(aReservation, nil, r.watch.tries())
		defer h.Unlock() // also if f panics
		f()
	}
}

// deferOrTake takes a free reservation, and queues f for a held one.
func (r *Reservation) deferOrTake(f func()) (Held, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		w := r.word.Load()
		if w&held == 0 {
			h := Held{r, w>>generation + 1}
			if r.word.CompareAndSwap(w, h.gen<<generation|held) {
				return h, true
			}
			continue
		}
		if r.word.CompareAndSwap(w, w|deferred) {
			r.todo = append(r.todo, f)
			return Held{}, false
		}
	}
}

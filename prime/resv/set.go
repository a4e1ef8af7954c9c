package resv

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"syscall"
)

// Errors of a Set.
var (
	// ErrAlready: the set holds the reservation (EALREADY).
	ErrAlready = fmt.Errorf("resv: the set holds the reservation: %w", syscall.EALREADY)
	// ErrBackoff: the set must give way to an older one before it takes
	// anything else (EDEADLK). A function of Until returns it as it is.
	ErrBackoff = fmt.Errorf("resv: the set must back off: %w", syscall.EDEADLK)

	errYield = errors.New("yield")
)

// Set holds several reservations at once. The zero value is ready; after
// Unlock it can be used again, as a new set. It is for one goroutine.
//
// Its age is that of its first reservation since it was empty, and stays
// over all back-offs: a set gives way to older ones only, so that the oldest
// of all always gets what it wants, and every set becomes the oldest one day.
type Set struct {
	ticket    uint64       // its age; 0 for an unused one
	held      []Held       // in the order in which they were taken
	contended *Reservation // what to take first after the next back-off
	prelocked *Reservation // what was taken so, and not added yet
}

// tickets gives every set its age.
var tickets atomic.Uint64

func (s *Set) olderThan(o *Set) bool { return s.ticket < o.ticket }

// Lock takes all of rs or none of them. One that stands twice in rs, or that
// the set has, counts once. If an older set is in the way of an empty one,
// everything is given back and taken again. A set that holds something cannot
// do that without its caller: the error is ErrBackoff, as that of Add.
func (s *Set) Lock(ctx context.Context, rs ...*Reservation) error {
	if len(s.held) == 0 {
		return s.Until(ctx, func(s *Set) error { return s.addAll(ctx, rs) })
	}
	before := len(s.held)
	if err := s.addAll(ctx, rs); err != nil {
		return errors.Join(err, s.unlockFrom(before))
	}
	return nil
}

func (s *Set) addAll(ctx context.Context, rs []*Reservation) error {
	for _, r := range rs {
		if err := s.Add(ctx, r); err != nil && !errors.Is(err, ErrAlready) {
			return err
		}
	}
	return nil
}

// Until calls f to take what it needs with Add, and calls it again, with
// everything given back but the reservation that was in the way, as long as
// it returns ErrBackoff. On any other error everything is given back.
//
// f is what stands between drm_exec_until_all_locked and its end in the
// kernel.
func (s *Set) Until(ctx context.Context, f func(*Set) error) error {
	for {
		err := s.retake(ctx)
		if err == nil {
			err = f(s)
		}
		if err == nil && s.contended != nil {
			err = ErrBackoff // f has not returned what Add has told it
		}
		if err == nil {
			return nil
		}
		contended := s.contended
		if unlockErr := s.unlockFrom(0); unlockErr != nil {
			// f has unlocked what it does not own: no round can mend that.
			s.contended, s.ticket = nil, 0
			if errors.Is(err, ErrBackoff) {
				return unlockErr
			}
			return errors.Join(err, unlockErr)
		}
		if !errors.Is(err, ErrBackoff) {
			s.contended, s.ticket = nil, 0
			return err
		}
		s.contended = contended
	}
}

// retake takes what was in the way, first and while the set holds nothing, so
// that it may wait for it.
func (s *Set) retake(ctx context.Context) error {
	r := s.contended
	if r == nil {
		return ctx.Err()
	}
	s.contended = nil
	if err := s.Add(ctx, r); err != nil {
		return err
	}
	s.prelocked = r
	return nil
}

// Add takes one more reservation. Errors: ErrAlready, with the set as it was;
// ErrBackoff, after which nothing but Unlock or a return to Until helps; the
// context's.
func (s *Set) Add(ctx context.Context, r *Reservation) error {
	if s.contended != nil {
		return ErrBackoff
	}
	if s.prelocked == r && r != nil {
		s.prelocked = nil
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.ticket == 0 {
		s.ticket = tickets.Add(1)
	}
	me := r.watch.wants(aReservation, s)
	h, err := r.lock(ctx, s)
	switch {
	case err == errYield:
		s.contended = r
		return ErrBackoff
	case err != nil:
		return err
	}
	r.watch.took(aReservation, s, me)
	s.held = append(s.held, h)
	return nil
}

// Held returns the set's hold of r, if it has not ended.
func (s *Set) Held(r *Reservation) (Held, bool) {
	i := slices.IndexFunc(s.held, func(h Held) bool { return h.Holds(r) })
	if i < 0 {
		return Held{}, false
	}
	return s.held[i], true
}

// Unlock gives all reservations back, the last one first, and makes the set
// as new. One whose Held was unlocked before is ErrStale; the others are
// unlocked all the same.
//
// After ErrBackoff it keeps the set's age, and what was in the way for the next
// Lock or Until to take first: without that a set could give way for ever. A
// second Unlock, with nothing held, makes the set as new then.
func (s *Set) Unlock() error {
	again := s.contended
	if len(s.held) == 0 {
		again = nil
	}
	err := s.unlockFrom(0)
	if s.contended = again; again == nil {
		// Not before: others look at the ticket of whoever holds something.
		s.ticket = 0
	}
	return err
}

func (s *Set) unlockFrom(n int) error {
	var err error
	if n == 0 {
		s.prelocked = nil
	}
	for len(s.held) > n {
		last := len(s.held) - 1
		h := s.held[last]
		s.held = s.held[:last]
		err = errors.Join(err, h.Unlock())
	}
	return err
}

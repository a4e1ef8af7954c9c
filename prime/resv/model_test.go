package resv_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/gemtool/gemtool/prime/resv"
)

// model is what a few reservations and sets must be like, written down without
// a lock word: who holds what, who waits in which order, and what is put off.
type model struct {
	*rapid.T
	rs    [3]*modelReservation
	sets  [4]*modelSet
	holds []*modelHold // all that there ever were
	next  int          // number of the next deferred function
}

type modelReservation struct {
	resv.Reservation
	hold  *modelHold // nil while it is free
	queue []*modelWaiter
	todo  []int
	did   []int // what the deferred functions have noted
}

type modelHold struct {
	resv.Held
	r     *modelReservation
	set   *modelSet
	age   int // of the set when it took it
	ended bool
	users int
}

type modelSet struct {
	resv.Set
	age     int // 0: it has not asked for anything
	held    []*modelHold
	backoff bool
	waits   bool
}

type modelWaiter struct {
	set    *modelSet
	cancel context.CancelFunc
	result chan modelResult
}

type modelResult struct {
	h   resv.Held
	err error
}

func (m *model) expect(what string, ok bool) {
	m.Helper()
	if !ok {
		m.Fatalf("%s", what)
	}
}

func (m *model) expectErr(what string, err error, want error) {
	m.Helper()
	if !errors.Is(err, want) {
		m.Fatalf("%s: %v, want %v", what, err, want)
	}
}

func (m *model) reservation() *modelReservation {
	return m.rs[rapid.IntRange(0, len(m.rs)-1).Draw(m.T, "reservation")]
}

// idle draws a set that does not wait.
func (m *model) idle() *modelSet {
	s := m.sets[rapid.IntRange(0, len(m.sets)-1).Draw(m.T, "set")]
	if s.waits {
		m.Skip("it waits")
	}
	return s
}

func (m *model) anyHold() *modelHold {
	if len(m.holds) == 0 {
		m.Skip("no holds")
	}
	// Mostly one of the last: the others are all stale.
	return m.holds[len(m.holds)-1-rapid.IntRange(0, min(len(m.holds), 8)-1).Draw(m.T, "hold")]
}

// took notes a new hold.
func (m *model) took(r *modelReservation, set *modelSet, h resv.Held) {
	m.expect("the hold is not one of the reservation", h.Holds(&r.Reservation))
	hold := &modelHold{Held: h, r: r, set: set}
	r.hold = hold
	m.holds = append(m.holds, hold)
	if set != nil {
		hold.age = set.age
		set.held = append(set.held, hold)
	}
}

func (s *modelSet) olderThan(o *modelSet) bool { return s.age < o.age }

// yields is wait-die: who holds something does not wait for his elders.
func (r *modelReservation) yields(s *modelSet) bool {
	if s == nil || len(s.held) == 0 {
		return false
	}
	if r.hold != nil && r.hold.age != 0 && r.hold.age < s.age { // also if it has ended
		return true
	}
	return slices.ContainsFunc(r.queue, func(w *modelWaiter) bool { return w.set != nil && w.set.olderThan(s) })
}

// settle sends those away that must yield now.
func (m *model) settle(r *modelReservation) {
	var stay, leave []*modelWaiter
	for _, w := range r.queue {
		if r.yields(w.set) {
			leave = append(leave, w)
		} else {
			stay = append(stay, w)
		}
	}
	r.queue = stay
	for _, w := range leave {
		m.expectErr("a waiter that must yield", m.resultOf(w).err, resv.ErrBackoff)
		w.set.waits, w.set.backoff = false, true
	}
}

func (m *model) resultOf(w *modelWaiter) modelResult {
	m.Helper()
	select {
	case res := <-w.result:
		w.cancel()
		return res
	case <-time.After(10 * time.Second):
		m.Fatalf("a waiter is not woken")
		panic("not reached")
	}
}

// release passes the reservation on, as the end of a hold or of its last user
// does.
func (m *model) release(r *modelReservation) {
	m.expect(fmt.Sprintf("deferred: did %v, want %v", r.did, r.todo), slices.Equal(r.did, r.todo))
	r.did, r.todo = nil, nil
	r.hold = nil
	if len(r.queue) == 0 {
		return
	}
	w := r.queue[0]
	r.queue = r.queue[1:]
	res := m.resultOf(w)
	m.expectErr("the next in the queue", res.err, nil)
	if w.set != nil {
		w.set.waits = false
	}
	m.took(r, w.set, res.h)
	m.settle(r)
}

// ask takes r for set, or for none, on a goroutine of its own if that must
// wait.
func (m *model) ask(r *modelReservation, set *modelSet) {
	if set != nil && set.age == 0 {
		m.next++
		set.age = m.next
	}
	ctx, cancel := context.WithCancel(context.Background())
	w := &modelWaiter{set: set, cancel: cancel, result: make(chan modelResult, 1)}
	go func() {
		var res modelResult
		if set == nil {
			res.h, res.err = r.Lock(ctx)
		} else {
			res.err = set.Add(ctx, &r.Reservation)
			res.h, _ = set.Held(&r.Reservation)
		}
		w.result <- res
	}()
	switch {
	case set != nil && set.backoff:
		m.expectErr("Add before backing off", m.resultOf(w).err, resv.ErrBackoff)
	case r.hold == nil:
		res := m.resultOf(w)
		m.expectErr("a free reservation", res.err, nil)
		m.took(r, set, res.h)
	case set != nil && r.hold.set == set && !r.hold.ended:
		m.expectErr("what the set has", m.resultOf(w).err, resv.ErrAlready)
	case r.yields(set):
		m.expectErr("a set that must yield", m.resultOf(w).err, resv.ErrBackoff)
		set.backoff = true
	default:
		at := len(r.queue)
		if set != nil {
			set.waits = true
			if i := slices.IndexFunc(r.queue, func(o *modelWaiter) bool { return o.set != nil && set.olderThan(o.set) }); i >= 0 {
				at = i
			}
		}
		r.queue = slices.Insert(r.queue, at, w)
		m.settle(r)
		for end := time.Now().Add(5 * time.Second); r.Waiting() != len(r.queue); time.Sleep(10 * time.Microsecond) {
			if time.Now().After(end) {
				m.Fatalf("%d in the queue, want %d", r.Waiting(), len(r.queue))
			}
		}
	}
}

// endHold is what Unlock must do to the model, and returns what it must say.
func (m *model) endHold(h *modelHold) (want error, release bool) {
	switch {
	case h.ended:
		return resv.ErrStale, false
	case h.users > 0:
		h.ended = true
		return resv.ErrLocalMapsLive, false
	default:
		h.ended = true
		return nil, true
	}
}

// TestModel passes if reservations and sets do what the model does, in any
// order of steps.
//
// Cases G03, G10, G12, G16, G17, G20
func TestModel(t *testing.T) {
	severalParties(t)
	rapid.Check(t, func(rt *rapid.T) {
		m := &model{T: rt}
		for i := range m.rs {
			m.rs[i] = &modelReservation{}
		}
		for i := range m.sets {
			m.sets[i] = &modelSet{}
		}
		step := func(f func(m *model)) func(*rapid.T) {
			return func(rt *rapid.T) { m.T = rt; f(m) }
		}
		rt.Repeat(map[string]func(*rapid.T){
			"TryLock":   step((*model).tryLock),
			"Lock":      step(func(m *model) { m.ask(m.reservation(), nil) }),
			"Add":       step(func(m *model) { m.ask(m.reservation(), m.idle()) }),
			"Add2":      step(func(m *model) { m.ask(m.reservation(), m.idle()) }),
			"Cancel":    step((*model).cancel),
			"Unlock":    step((*model).unlock),
			"UnlockSet": step((*model).unlockSet),
			"Enter":     step((*model).enter),
			"Leave":     step((*model).leave),
			"Defer":     step((*model).deferred),
			"":          step((*model).check),
		})
		m.T = rt
		m.finish()
	})
}

func (m *model) tryLock() {
	r := m.reservation()
	h, ok := r.TryLock()
	m.expect(fmt.Sprintf("TryLock: %v", ok), ok == (r.hold == nil))
	if ok {
		m.took(r, nil, h)
	}
}

func (m *model) cancel() {
	r := m.reservation()
	if len(r.queue) == 0 {
		m.Skip("nobody waits")
	}
	i := rapid.IntRange(0, len(r.queue)-1).Draw(m.T, "waiter")
	w := r.queue[i]
	r.queue = slices.Delete(r.queue, i, i+1)
	w.cancel()
	m.expectErr("a cancelled wait", m.resultOf(w).err, context.Canceled)
	if w.set != nil {
		w.set.waits = false
	}
}

func (m *model) unlock() {
	h := m.anyHold()
	want, release := m.endHold(h)
	m.expectErr("Unlock", h.Unlock(), want)
	if release {
		m.release(h.r)
	}
}

func (m *model) unlockSet() {
	s := m.idle()
	err := s.Unlock()
	var wants []error
	for _, h := range slices.Backward(s.held) {
		want, release := m.endHold(h)
		wants = append(wants, want)
		if release {
			m.release(h.r)
		}
	}
	for _, want := range []error{resv.ErrStale, resv.ErrLocalMapsLive} {
		m.expect(fmt.Sprintf("Set.Unlock: %v, want %v", err, wants), errors.Is(err, want) == slices.Contains(wants, want))
	}
	if !s.backoff || len(s.held) == 0 {
		s.backoff, s.age = false, 0
	}
	s.held = nil
}

func (m *model) enter() {
	h := m.anyHold()
	err := h.r.Enter(h.Held)
	if h.ended {
		m.expectErr("Enter under an ended hold", err, resv.ErrStale)
		return
	}
	m.expectErr("Enter", err, nil)
	h.users++
	h.r.Keep()
}

func (m *model) leave() {
	r := m.reservation()
	if r.hold == nil || r.hold.users == 0 {
		m.Skip("no users")
	}
	r.Reenter()
	r.Leave()
	r.hold.users--
	if r.hold.ended && r.hold.users == 0 {
		m.release(r)
	}
}

func (m *model) deferred() {
	r := m.reservation()
	n := m.next
	m.next++
	r.Defer(func() { r.did = append(r.did, n) })
	r.todo = append(r.todo, n)
	if r.hold == nil {
		m.release(r)
	}
}

// check compares what can be seen at any time.
func (m *model) check() {
	for _, r := range m.rs {
		m.expect("a deferred function has run too early", len(r.did) == 0)
		m.expect(fmt.Sprintf("%d in the queue, want %d", r.Waiting(), len(r.queue)), r.Waiting() == len(r.queue))
	}
	for _, h := range m.holds[max(0, len(m.holds)-8):] {
		m.expect(fmt.Sprintf("Holds: %v", !h.ended), h.Holds(&h.r.Reservation) == !h.ended)
	}
}

// finish ends everything, after which all must be free.
func (m *model) finish() {
	for _, r := range m.rs {
		for len(r.queue) > 0 {
			w := r.queue[0]
			r.queue = r.queue[1:]
			w.cancel()
			m.resultOf(w)
		}
	}
	for _, r := range m.rs {
		if h := r.hold; h != nil {
			h.Unlock()
			for range h.users {
				r.Reenter()
				r.Leave()
			}
		}
		h, ok := r.TryLock()
		m.expect("not free in the end", ok)
		h.Unlock()
	}
}

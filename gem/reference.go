package gem

import (
	"container/list"
	"sync"
	"sync/atomic"

	"github.com/gemtool/gemtool/drm"
)

// reference is what an Object gives back. It is apart from the Object so that
// the collector can find an Object that nobody closed.
type reference struct {
	store  *Store
	handle drm.Handle
	node   *node

	created  bool // the handle is of Create, so that the card node can map it
	imported bool // for this device the memory is another's
	stack    stack

	// mu keeps the handle open while a call uses its number. It is held
	// over system calls that do not wait for others.
	mu    sync.RWMutex
	state atomic.Int32 // changes under mu

	idle *list.Element // in the Store's list, guarded by the Store's mu
}

const (
	refOpen int32 = iota
	refPurged
	refClosed
)

// alive says whether the object can be used.
func (r *reference) alive() error {
	switch r.state.Load() {
	case refPurged:
		return ErrPurged
	case refClosed:
		return ErrClosed
	}
	return nil
}

// native is alive for what imports cannot do.
func (r *reference) native() error {
	if r.imported {
		return ErrImported
	}
	return r.alive()
}

// use calls f while the handle is open.
func (r *reference) use(f func() error) error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if err := r.alive(); err != nil {
		return err
	}
	return f()
}

func (r *reference) close() error {
	was, err := r.shut()
	if was == refClosed {
		return ErrClosed
	}
	n := r.node
	if n.objects.Add(-1) == 0 && n.pinned() {
		// What was given back and waits for the reservation is not in use.
		_ = n.release(func(n *node) error {
			n.warnInUse(r)
			return nil
		})
	}
	n.Unref()
	return err
}

// shut ends the use of the handle, and returns the state before.
func (r *reference) shut() (was int32, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	was = r.state.Swap(refClosed)
	if was == refClosed {
		return was, nil
	}
	r.store.forget(r)
	if was == refOpen {
		err = r.store.put(r.handle)
	}
	return was, err
}

// forget removes r from the Store's lists.
func (s *Store) forget(r *reference) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.created, r)
	s.unmarkIdle(r)
}

// markIdle moves r to the end of the list of what can be purged.
func (s *Store) markIdle(r *reference) {
	s.unmarkIdle(r)
	r.idle = s.idle.PushBack(r)
}

func (s *Store) unmarkIdle(r *reference) {
	if r.idle != nil {
		s.idle.Remove(r.idle)
		r.idle = nil
	}
}

package gem

import (
	"container/list"
	"fmt"
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

	// state counts the calls that use the handle's number, and has the bits
	// below. The handle is given back by whoever brings it to closed without
	// users, so that Close does not wait for a slow mmap.
	state atomic.Uint32

	idle *list.Element // in the Store's list, guarded by the Store's mu
}

const (
	refClosed = 1 << 31
	refPurged = 1 << 30 // the handle is closed already
)

// alive says whether the object can be used.
func (r *reference) alive() error { return stateError(r.state.Load()) }

func stateError(state uint32) error {
	switch {
	case state&refClosed != 0:
		return ErrClosed
	case state&refPurged != 0:
		return ErrPurged
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
	for {
		state := r.state.Load()
		if err := stateError(state); err != nil {
			return err
		}
		if r.state.CompareAndSwap(state, state+1) {
			break
		}
	}
	defer func() {
		if r.state.Add(^uint32(0)) == refClosed {
			if err := r.end(); err != nil {
				warn(r.warning("Close", err))
			}
		}
	}()
	return f()
}

func (r *reference) close() error {
	state := r.state.Or(refClosed)
	if state&refClosed != 0 {
		return ErrClosed
	}
	r.store.forget(r)
	n := r.node
	if n.objects.Add(-1) == 0 && onWarn.Load() != nil {
		n.Ref()
		// Under the reservation, as what was given back and waits for it is
		// not in use.
		_ = n.release(func(n *node) error {
			n.warnInUse(r)
			n.unref()
			return nil
		})
	}
	switch {
	case state&refPurged != 0:
		n.Unref()
	case state == 0:
		return r.end()
	}
	return nil
}

// end gives back what a closed reference has.
func (r *reference) end() error {
	err := r.store.put(r.handle)
	r.node.Unref()
	return err
}

// purge turns an open reference without users into a purged one.
func (r *reference) purge() bool { return r.state.CompareAndSwap(0, refPurged) }

func (r *reference) String() string {
	return fmt.Sprintf("%s %v", r.store.device().Path(), r.handle)
}

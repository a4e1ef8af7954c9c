package gem

import (
	"context"
	"errors"
	"math"

	"github.com/gemtool/gemtool/prime/resv"
)

// Advice is what a driver's madvise ioctl takes.
type Advice int8

// The kinds of advice. A negative one says that the contents are lost, and
// stays for good.
const (
	WillNeed Advice = 0
	DontNeed Advice = 1

	purged Advice = -1
)

// Madvise says whether the contents of the memory are needed, and returns
// whether they are still there. There is no such ioctl for dumb buffers: this
// is the library's own book, by the rules of drm_gem_shmem_madvise.
//
// Errors: ErrImported, ErrClosed; ctx's. A purged object is no error: its
// contents are not there.
func (o *Object) Madvise(ctx context.Context, a Advice) (retained bool, err error) {
	err = o.locked(ctx, func() (err error) {
		retained, err = o.madvise(a)
		return err
	})
	if err != nil {
		return false, o.fail("Madvise", err)
	}
	return retained, nil
}

// MadviseLocked is Madvise for the holder of the memory's reservation.
//
// Errors: ErrNotLocked; those of Madvise.
func (o *Object) MadviseLocked(h resv.Held, a Advice) (retained bool, err error) {
	n := o.ref.node
	if err := n.resv.Enter(h); err != nil {
		return false, o.fail("MadviseLocked", err)
	}
	defer n.resv.Leave()
	if retained, err = o.madvise(a); err != nil {
		return false, o.fail("MadviseLocked", err)
	}
	return retained, nil
}

func (o *Object) madvise(a Advice) (retained bool, err error) {
	r, n := o.ref, o.ref.node
	if err := r.native(); errors.Is(err, ErrPurged) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	if n.madv >= 0 {
		n.madv = a
		r.store.mark(r, a > 0)
	}
	return n.madv >= 0, nil
}

// mark says whether Shrink may purge r.
func (s *Store) mark(r *reference, idle bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, alive := s.created[r]; idle && alive {
		s.markIdle(r)
	} else {
		s.unmarkIdle(r)
	}
}

// IsPurgeable says whether Purge would take the memory: it is marked DontNeed,
// nothing maps or pins it, no Hold is on it, and it was never exported.
//
// Errors: ErrClosed; ctx's.
func (o *Object) IsPurgeable(ctx context.Context) (ok bool, err error) {
	err = o.locked(ctx, func() (err error) {
		ok, err = o.isPurgeable()
		return err
	})
	if err != nil {
		return false, o.fail("IsPurgeable", err)
	}
	return ok, nil
}

// IsPurgeableLocked is IsPurgeable for the holder of the memory's reservation.
//
// Errors: ErrNotLocked; ErrClosed.
func (o *Object) IsPurgeableLocked(h resv.Held) (bool, error) {
	n := o.ref.node
	if err := n.resv.Enter(h); err != nil {
		return false, o.fail("IsPurgeableLocked", err)
	}
	defer n.resv.Leave()
	ok, err := o.isPurgeable()
	if err != nil {
		return false, o.fail("IsPurgeableLocked", err)
	}
	return ok, nil
}

func (o *Object) isPurgeable() (bool, error) {
	r := o.ref
	if err := r.alive(); errors.Is(err, ErrClosed) {
		return false, err
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	r.store.mu.Lock()
	defer r.store.mu.Unlock()
	return r.purgeable(), nil
}

// purgeable is called under the reservation, r.mu and the Store's mu.
func (r *reference) purgeable() bool {
	n := r.node
	return n.madv > 0 && n.count.pagesUse == 0 && r.created && r.alive() == nil &&
		n.buf.Load() == nil && r.store.refs[r.handle] == 1
}

// Purge gives the handle and the memory back for good: later maps are
// ErrPurged. There is no such ioctl for dumb buffers: it is a GEM_CLOSE, so
// whatever of the kernel uses the memory without a [Object.Hold], such as a
// framebuffer, keeps it.
//
// Errors: ErrNotPurgeable if IsPurgeable is false; ErrClosed; ctx's; those of
// [drm.Device.CloseHandle].
func (o *Object) Purge(ctx context.Context) error {
	if err := o.locked(ctx, o.ref.purge); err != nil {
		return o.fail("Purge", err)
	}
	return nil
}

// PurgeLocked is Purge for the holder of the memory's reservation.
//
// Errors: ErrNotLocked; those of Purge.
func (o *Object) PurgeLocked(h resv.Held) error {
	n := o.ref.node
	if err := n.resv.Enter(h); err != nil {
		return o.fail("PurgeLocked", err)
	}
	defer n.resv.Leave()
	if err := o.ref.purge(); err != nil {
		return o.fail("PurgeLocked", err)
	}
	return nil
}

// purge is called under the reservation.
func (r *reference) purge() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.store
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case r.state.Load() == refClosed:
		return ErrClosed
	case !r.purgeable():
		return ErrNotPurgeable
	}
	if err := s.closeHandle(r.handle); err != nil {
		return err
	}
	delete(s.refs, r.handle)
	delete(s.created, r)
	s.unmarkIdle(r)
	r.node.madv = purged
	r.state.Store(refPurged)
	return nil
}

// Shrink purges objects of the Store, the one first that was marked DontNeed
// first, until it has freed so many bytes, and returns how many it has. It
// waits for nobody: objects in use, and those whose reservation somebody
// holds, are passed over.
func (s *Store) Shrink(bytes uint64) (freed uint64) {
	for _, r := range s.idleObjects() {
		if freed >= bytes {
			break
		}
		held, ok := r.node.resv.TryLock()
		if !ok {
			continue
		}
		if r.purge() == nil {
			freed = min(freed, math.MaxUint64-r.node.size) + r.node.size
		}
		_ = held.Unlock() // nobody else has it
	}
	return freed
}

func (s *Store) idleObjects() []*reference {
	s.mu.Lock()
	defer s.mu.Unlock()
	rs := make([]*reference, 0, s.idle.Len())
	for e := s.idle.Front(); e != nil; e = e.Next() {
		rs = append(rs, e.Value.(*reference))
	}
	return rs
}

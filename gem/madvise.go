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
	switch err := r.alive(); {
	case errors.Is(err, ErrPurged):
		return false, nil
	case err != nil:
		return false, err
	}
	r.store.mu.Lock()
	defer r.store.mu.Unlock()
	return r.purgeable() && r.state.Load() == 0, nil
}

// purgeable is called under the reservation and the Store's mu.
func (r *reference) purgeable() bool {
	n := r.node
	return n.madv > 0 && n.count.pagesUse == 0 && r.created && r.alive() == nil &&
		n.buf.Load() == nil && r.store.handles[r.handle].refs == 1
}

// Purge gives the handle and the memory back for good: later maps are
// ErrPurged. There is no such ioctl for dumb buffers: it is a GEM_CLOSE, so
// whatever of the kernel uses the memory without a [Object.Hold], such as a
// framebuffer, keeps it.
//
// Errors: ErrNotPurgeable if IsPurgeable is false; ErrClosed; ctx's; those of
// [drm.Device.CloseHandle].
func (o *Object) Purge(ctx context.Context) error {
	if err := o.locked(ctx, o.ref.purgeNow); err != nil {
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
	if err := o.ref.purgeNow(); err != nil {
		return o.fail("PurgeLocked", err)
	}
	return nil
}

// purgeNow is called under the reservation.
func (r *reference) purgeNow() error {
	r.store.mu.Lock()
	defer r.store.mu.Unlock()
	r.node.bufMu.Lock()
	defer r.node.bufMu.Unlock()
	return r.purgeLocked()
}

// tryPurge is purgeNow for those who wait for nobody.
func (r *reference) tryPurge() bool {
	s, n := r.store, r.node
	if !s.mu.TryLock() {
		return false
	}
	defer s.mu.Unlock()
	if !n.bufMu.TryLock() {
		return false
	}
	defer n.bufMu.Unlock()
	return r.purgeLocked() == nil
}

// purgeLocked is called under the reservation, the Store's mu and the node's
// bufMu, so that neither holds nor exports come meanwhile.
func (r *reference) purgeLocked() error {
	switch {
	case errors.Is(r.alive(), ErrClosed):
		return ErrClosed
	case !r.purgeable() || !r.purge():
		return ErrNotPurgeable
	}
	s, n := r.store, r.node
	if err := s.closeHandle(r.handle); err != nil {
		r.state.And(^uint32(refPurged))
		return err
	}
	delete(s.handles, r.handle)
	s.unmark(r)
	n.madv, n.purged = purged, true
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
		if r.tryPurge() {
			freed = min(freed, math.MaxUint64-r.node.size) + r.node.size
		}
		_ = held.Unlock() // nobody else has it
	}
	return freed
}

// idleObjects returns what can be purged, as far as that is known now.
func (s *Store) idleObjects() []*reference {
	if !s.mu.TryLock() {
		return nil
	}
	defer s.mu.Unlock()
	rs := make([]*reference, 0, s.idle.Len())
	for e := s.idle.Front(); e != nil; e = e.Next() {
		rs = append(rs, e.Value.(*reference))
	}
	return rs
}

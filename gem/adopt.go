package gem

import (
	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/prime"
)

// Adopt makes an object of a handle that another call has made on the Store's
// file and that belongs to nobody yet. GETFB2 makes such handles, a new one at
// every call, and this is the only way for them into a Store. From then on the
// handle is the object's; on an error it stays the caller's.
//
// The memory is identified by its dma-buf, so it counts as exported.
//
// Errors: ErrHandle for a handle that the Store has; ErrIdentity; those of
// [prime.Export].
func (s *Store) Adopt(h drm.Handle) (*Object, error) {
	if !s.claim(h) {
		return nil, &Error{Op: "Adopt", Object: h.String(), Err: ErrHandle}
	}
	n, err := s.identify(h)
	if err != nil {
		s.unclaim(h)
		return nil, &Error{Op: "Adopt", Object: h.String(), Err: err}
	}
	return s.adopted(h, n), nil
}

// claim counts a handle that is not counted.
func (s *Store) claim(h drm.Handle) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refs[h] > 0 {
		return false
	}
	s.refs[h] = 1
	return true
}

// unclaim takes claim back. An Import meanwhile has made the handle the
// Store's, which then stays so.
func (s *Store) unclaim(h drm.Handle) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refs[h]--; s.refs[h] == 0 {
		delete(s.refs, h)
	}
}

// identify returns the memory behind h, with a reference for the caller.
func (s *Store) identify(h drm.Handle) (*node, error) {
	b, err := prime.Export(s.device(), h)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	if n := nodes.find(b); n != nil {
		return n, nil
	}
	if n := s.unexported(h); n != nil {
		if err := n.adopt(b); err != nil {
			n.Unref()
			return nil, err
		}
		return n, nil
	}
	return nodes.of(b)
}

// adopt makes b the dma-buf of memory that had none.
func (n *node) adopt(b *prime.Buffer) error {
	n.bufMu.Lock()
	defer n.bufMu.Unlock()
	switch buf := n.buf.Load(); {
	case buf == nil:
		kept, err := b.Dup()
		if err != nil {
			return err
		}
		if err := n.keep(kept); err != nil {
			kept.Close()
			return err
		}
	case buf.Inode() != b.Inode():
		return ErrIdentity
	}
	return nil
}

// unexported finds the memory behind h among what was created on its device
// and not exported yet, with a reference for the caller: objects are the same
// that have the same place in the device's space of mmap offsets.
func (s *Store) unexported(h drm.Handle) *node {
	offset, err := s.device().MapDumb(h)
	if err != nil {
		return nil // an import, or a driver's object of its own
	}
	for other := range stores.onDevice(s.device()) {
		for _, r := range other.createdObjects() {
			if r.node.buf.Load() == nil && r.at(offset) && r.node.tryRef() {
				return r.node
			}
		}
	}
	return nil
}

func (s *Store) createdObjects() []*reference {
	s.mu.Lock()
	defer s.mu.Unlock()
	rs := make([]*reference, 0, len(s.created))
	for r := range s.created {
		rs = append(rs, r)
	}
	return rs
}

// at says whether r's object has that mmap offset.
func (r *reference) at(offset uint64) bool {
	var own uint64
	err := r.use(func() (err error) {
		own, err = r.store.device().MapDumb(r.handle)
		return err
	})
	return err == nil && own == offset
}

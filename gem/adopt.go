package gem

import (
	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/prime"
)

// Adopt makes an object of a handle that another call has made on the Store's
// file and that belongs to nobody yet. GETFB2 makes such handles, a new one at
// every call, and this is the only way for them into a Store. From then on the
// handle is the object's. On an error it stays whose it was: the caller's, to
// be closed, but with ErrHandle another object's.
//
// The memory is identified by its dma-buf, so it counts as exported.
//
// Errors: ErrHandle for a handle that the Store has; ErrIdentity; those of
// [prime.Export].
func (s *Store) Adopt(h drm.Handle) (*Object, error) {
	o, drop, err := s.adopt(h)
	drop.Unref()
	if err != nil {
		return nil, &Error{Op: "Adopt", Object: s.device().Path() + " " + h.String(), Err: err}
	}
	return o, nil
}

func (s *Store) adopt(h drm.Handle) (_ *Object, drop *node, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.handles[h] != nil {
		return nil, nil, ErrHandle
	}
	dev := s.device()
	b, err := prime.Export(dev, h)
	if err != nil {
		return nil, nil, err
	}
	defer b.Close()
	n, drop, err := identify(dev, h, nil, b)
	if err != nil {
		return nil, drop, err
	}
	s.handles[h] = &handle{1, n}
	return s.shared(h, n), drop, nil
}

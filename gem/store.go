package gem

import (
	"container/list"
	"errors"
	"sync/atomic"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/prime"
	"github.com/gemtool/gemtool/prime/resv"
)

// Store counts the handles of one open DRM file. The kernel does not: an
// import of memory that the file already has gives the handle that it already
// has, and one GEM_CLOSE ends it for everybody.
//
// What a Store cannot see is its caller's duty: no other library that closes
// handles on the same file, such as GBM or EGL on a duplicate of it.
type Store struct {
	devs atomic.Pointer[[]*drm.Device] // all of one open file

	// mu is held over FD_TO_HANDLE and its count, and over the end of a
	// count and GEM_CLOSE: between the two of a pair the handle could be
	// closed, or given out again.
	mu      resv.Mutex
	handles map[drm.Handle]*handle
	idle    list.List // of references that are marked DontNeed, the oldest mark first
}

// handle is an open handle of a file.
type handle struct {
	refs int // objects and holds
	node *node
}

// Device returns the device that the Store is of; of several, one that is open
// if there is one.
func (s *Store) Device() *drm.Device { return s.device() }

func (s *Store) device() *drm.Device {
	devs := *s.devs.Load()
	for _, d := range devs[:len(devs)-1] {
		if !d.Closed() {
			return d
		}
	}
	return devs[len(devs)-1]
}

// Create makes a dumb buffer. Errors: those of [drm.Device.CreateDumb] and
// [drm.Device.MapDumb].
func (s *Store) Create(width, height, bpp int) (*Object, error) {
	dev := s.device()
	dumb, err := dev.CreateDumb(width, height, bpp)
	if err != nil {
		return nil, err
	}
	// The place is the same for all handles of the memory, which is known by
	// it as long as it was not exported.
	offset, err := dev.MapDumb(dumb.Handle)
	if err != nil {
		return nil, errors.Join(err, dev.DestroyDumb(dumb.Handle))
	}
	n := newNode(dumb.Size, place{dev.DeviceID(), offset})
	nodes.place(n)
	s.mu.Lock()
	s.handles[dumb.Handle] = &handle{1, n}
	s.mu.Unlock()
	o := newObject(&reference{store: s, handle: dumb.Handle, node: n, created: true})
	o.dumb = dumb
	return o, nil
}

// Import makes an object of a dma-buf, which stays the caller's. If this
// process made the memory, or has imported it before, the object shares it.
//
// It is where the driver attaches to the memory, which can take its time; a
// Close on the same file waits for it.
//
// Errors: those of [prime.Buffer.Import]; ErrIdentity.
func (s *Store) Import(b *prime.Buffer) (*Object, error) {
	o, drop, err := s.importCounted(b)
	drop.Unref()
	return o, err
}

func (s *Store) importCounted(b *prime.Buffer) (_ *Object, drop *node, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	dev := s.device()
	h, err := b.Import(dev)
	if err != nil {
		return nil, nil, err
	}
	known := s.handles[h]
	n, drop, err := identify(dev, h, known, b)
	if err != nil {
		if known == nil {
			err = errors.Join(err, s.closeHandle(h))
		}
		return nil, drop, &Error{Op: "Import", Object: dev.Path() + " " + h.String(), Err: err}
	}
	if known == nil {
		known = &handle{node: n}
		s.handles[h] = known
	}
	known.refs++
	return s.shared(h, n), drop, nil
}

// shared makes an object of a counted handle of memory that may have others.
// It takes over a reference to n.
func (s *Store) shared(h drm.Handle, n *node) *Object {
	imported := n.foreign() || n.place.device != s.device().DeviceID()
	return newObject(&reference{store: s, handle: h, node: n, imported: imported})
}

// get takes one more reference to h, which must have one.
func (s *Store) get(h drm.Handle) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handles[h].refs++
}

// put gives back one reference to h, and closes it with the last.
func (s *Store) put(h drm.Handle) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.handles[h]
	if known.refs--; known.refs > 0 {
		return nil
	}
	delete(s.handles, h)
	return s.closeHandle(h)
}

// closeHandle closes h. A device that is gone has no handles any more, nor has
// a file whose descriptors are all closed.
func (s *Store) closeHandle(h drm.Handle) error {
	for {
		dev := s.device()
		err := dev.CloseHandle(h)
		switch {
		case errors.Is(err, drm.ErrClosed) && dev != s.device():
			continue // another Device of the file has kept it open
		case errors.Is(err, drm.ErrGone), errors.Is(err, drm.ErrClosed):
			return nil
		}
		return err
	}
}

// mark says whether Shrink may purge r.
func (s *Store) mark(r *reference, idle bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case idle && r.alive() == nil && r.idle != nil:
		s.idle.MoveToBack(r.idle)
	case idle && r.alive() == nil:
		r.idle = s.idle.PushBack(r)
	default:
		s.unmark(r)
	}
}

// forget is mark for a reference that ends.
func (s *Store) forget(r *reference) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unmark(r)
}

func (s *Store) unmark(r *reference) {
	if r.idle != nil {
		s.idle.Remove(r.idle)
		r.idle = nil
	}
}

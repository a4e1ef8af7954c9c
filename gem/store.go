package gem

import (
	"errors"
	"sync"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/prime"
)

// Store counts the handles of one open DRM file. The kernel does not: an
// import of memory that the file already has gives the handle that it already
// has, and one GEM_CLOSE ends it for everybody.
//
// All handles of an open file description must come from one Store: make one
// for a Device, none for a second Device on a duplicate of its descriptor,
// and share no description with another library that closes handles.
type Store struct {
	dev *drm.Device

	// mu is held over FD_TO_HANDLE and its count, and over the end of a
	// count and GEM_CLOSE: between the two of a pair the handle could be
	// closed, or given out again.
	mu   sync.Mutex
	refs map[drm.Handle]int
}

// NewStore makes the Store of d, which it uses and does not close.
func NewStore(d *drm.Device) *Store {
	return &Store{dev: d, refs: make(map[drm.Handle]int)}
}

// Device returns the device that the Store is of.
func (s *Store) Device() *drm.Device { return s.dev }

// Create makes a dumb buffer. Errors: those of [drm.Device.CreateDumb].
func (s *Store) Create(width, height, bpp int) (*Object, error) {
	dumb, err := s.dev.CreateDumb(width, height, bpp)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.refs[dumb.Handle]++
	s.mu.Unlock()
	n := newNode(dumb.Size)
	return newObject(s, dumb.Handle, n, dumb), nil
}

// Import makes an object of a dma-buf, which stays the caller's. If this
// process made the memory, or has imported it before, the object shares it.
//
// Errors: those of [prime.Buffer.Import].
func (s *Store) Import(b *prime.Buffer) (*Object, error) {
	n, err := nodes.of(b)
	if err != nil {
		return nil, err
	}
	h, err := s.importHandle(b)
	if err != nil {
		n.unref()
		return nil, err
	}
	return newObject(s, h, n, drm.Dumb{}), nil
}

func (s *Store) importHandle(b *prime.Buffer) (drm.Handle, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h, err := b.Import(s.dev)
	if err != nil {
		return 0, err
	}
	s.refs[h]++
	return h, nil
}

// put gives back one reference to h, and closes it with the last. A device
// that is gone has no handles any more.
func (s *Store) put(h drm.Handle) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refs[h]--
	if s.refs[h] > 0 {
		return nil
	}
	delete(s.refs, h)
	err := s.dev.CloseHandle(h)
	if errors.Is(err, drm.ErrGone) || errors.Is(err, drm.ErrClosed) {
		return nil // the kernel has closed all of them
	}
	return err
}

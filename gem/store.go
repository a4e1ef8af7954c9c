package gem

import (
	"errors"
	"runtime"
	"sync"
	"weak"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/prime"
)

// Store counts the handles of one open DRM file. The kernel does not: an
// import of memory that the file already has gives the handle that it already
// has, and one GEM_CLOSE ends it for everybody.
//
// A Device has one Store. What the Store cannot see is its caller's duty: no
// second Device on a duplicate of the descriptor, and no other library that
// closes handles on it.
type Store struct {
	dev *drm.Device

	// mu is held over FD_TO_HANDLE and its count, and over the end of a
	// count and GEM_CLOSE: between the two of a pair the handle could be
	// closed, or given out again.
	mu   sync.Mutex
	refs map[drm.Handle]int
}

// stores finds the Store of a Device, and keeps neither of them alive.
var stores = struct {
	mu sync.Mutex
	of map[weak.Pointer[drm.Device]]weak.Pointer[Store]
}{of: make(map[weak.Pointer[drm.Device]]weak.Pointer[Store])}

// StoreOf returns the Store of d, the same at every call: two would count the
// same handles. It uses d and does not close it.
func StoreOf(d *drm.Device) *Store {
	key := weak.Make(d)
	stores.mu.Lock()
	defer stores.mu.Unlock()
	if s := stores.of[key].Value(); s != nil {
		return s
	}
	s := &Store{dev: d, refs: make(map[drm.Handle]int)}
	stores.of[key] = weak.Make(s)
	runtime.AddCleanup(s, forgetStore, key)
	return s
}

// forgetStore removes the entry of a Store that was collected, unless another
// has taken its place.
func forgetStore(key weak.Pointer[drm.Device]) {
	stores.mu.Lock()
	defer stores.mu.Unlock()
	if stores.of[key].Value() == nil {
		delete(stores.of, key)
	}
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

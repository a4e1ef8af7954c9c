package gem

import (
	"container/list"
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
// What a Store cannot see is its caller's duty: no other library that closes
// handles on the same file, such as GBM or EGL on a duplicate of it.
type Store struct {
	// mu is held over FD_TO_HANDLE and its count, and over the end of a
	// count and GEM_CLOSE: between the two of a pair the handle could be
	// closed, or given out again.
	mu   sync.Mutex
	devs []*drm.Device // all of one open file, the one that made the Store first
	refs map[drm.Handle]int
	// created has the objects of Create that are neither closed nor purged.
	created map[*reference]struct{}
	// idle has those that are marked DontNeed, the oldest mark first.
	idle list.List
}

// StoreOf returns the Store of d, the same at every call, and for every
// Device of the same open file: two would count the same handles. It uses d
// and does not close it.
//
// Whether two Devices are of one open file the kernel tells since Linux 6.10,
// and before that to whom kcmp(2) is allowed. To others they are two.
func StoreOf(d *drm.Device) *Store {
	key := weak.Make(d)
	stores.mu.Lock()
	defer stores.mu.Unlock()
	if s := stores.of[key].Value(); s != nil {
		return s
	}
	s := stores.sameFile(d)
	if s == nil {
		s = &Store{refs: make(map[drm.Handle]int), created: make(map[*reference]struct{})}
	}
	s.mu.Lock()
	s.devs = append(s.devs, d)
	s.mu.Unlock()
	stores.of[key] = weak.Make(s)
	runtime.AddCleanup(s, stores.forget, key)
	return s
}

// stores finds the Store of a Device, and keeps neither of them alive.
var stores = storeTable{of: make(map[weak.Pointer[drm.Device]]weak.Pointer[Store])}

type storeTable struct {
	mu sync.Mutex
	of map[weak.Pointer[drm.Device]]weak.Pointer[Store]
}

func (t *storeTable) sameFile(d *drm.Device) *Store {
	for key, value := range t.of {
		other, s := key.Value(), value.Value()
		if other != nil && s != nil && other.Rdev() == d.Rdev() && drm.SameFile(other, d) {
			return s
		}
	}
	return nil
}

// forget removes the entry of a Store that was collected, unless another has
// taken its place.
func (t *storeTable) forget(key weak.Pointer[drm.Device]) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.of[key].Value() == nil {
		delete(t.of, key)
	}
}

// onDevice returns the Stores of d's device.
func (t *storeTable) onDevice(d *drm.Device) map[*Store]struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	found := make(map[*Store]struct{})
	for key, value := range t.of {
		if other, s := key.Value(), value.Value(); other != nil && s != nil && drm.SameDevice(other, d) {
			found[s] = struct{}{}
		}
	}
	return found
}

// Device returns the device that the Store is of; of several, one that is open
// if there is one.
func (s *Store) Device() *drm.Device { return s.device() }

func (s *Store) device() *drm.Device {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.openDevice()
}

// openDevice forgets Devices that were closed, but for the last: the handles
// live as long as one of them.
func (s *Store) openDevice() *drm.Device {
	for len(s.devs) > 1 && s.devs[0].Closed() {
		s.devs = s.devs[1:]
	}
	return s.devs[0]
}

// Create makes a dumb buffer. Errors: those of [drm.Device.CreateDumb].
func (s *Store) Create(width, height, bpp int) (*Object, error) {
	dev := s.device()
	dumb, err := dev.CreateDumb(width, height, bpp)
	if err != nil {
		return nil, err
	}
	o := newObject(&reference{
		store:   s,
		handle:  dumb.Handle,
		node:    newNode(dumb.Size, dev),
		created: true,
	})
	o.dumb = dumb
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refs[dumb.Handle]++
	s.created[o.ref] = struct{}{}
	return o, nil
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
		n.Unref()
		return nil, err
	}
	return s.adopted(h, n), nil
}

// adopted makes an object of memory that came in by a handle that is counted.
// It takes over a reference to n.
func (s *Store) adopted(h drm.Handle, n *node) *Object {
	imported := n.foreign() || !drm.SameDevice(n.home, s.device())
	return newObject(&reference{store: s, handle: h, node: n, imported: imported})
}

func (s *Store) importHandle(b *prime.Buffer) (drm.Handle, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h, err := b.Import(s.openDevice())
	if err != nil {
		return 0, err
	}
	s.refs[h]++
	return h, nil
}

// get takes one more reference to h, which must have one.
func (s *Store) get(h drm.Handle) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refs[h]++
}

// put gives back one reference to h, and closes it with the last.
func (s *Store) put(h drm.Handle) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refs[h]--
	if s.refs[h] > 0 {
		return nil
	}
	delete(s.refs, h)
	return s.closeHandle(h)
}

// closeHandle closes h. A device that is gone has no handles any more, nor has
// a file whose descriptors are all closed.
func (s *Store) closeHandle(h drm.Handle) error {
	for {
		dev := s.openDevice()
		err := dev.CloseHandle(h)
		switch {
		case errors.Is(err, drm.ErrClosed) && dev != s.openDevice():
			continue // another Device of the file has kept it open
		case errors.Is(err, drm.ErrGone), errors.Is(err, drm.ErrClosed):
			return nil
		}
		return err
	}
}

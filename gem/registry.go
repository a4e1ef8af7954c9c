package gem

import (
	"errors"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/prime"
	"github.com/gemtool/gemtool/prime/resv"
)

// registry finds memory: what was exported or imported by the inode of its
// dma-buf, and what was made here also by its place. It holds no references:
// a node removes itself.
type registry struct {
	mu      resv.Mutex
	byInode map[uint64]*node
	byPlace map[place]*node
}

// place is where a device keeps an object in its space of mmap offsets. It is
// the object's as long as that lives, whatever the handle and the file.
type place struct {
	device string // drm.Device.DeviceID
	offset uint64
}

var nodes = registry{
	mu:      resv.Mutex{Name: "gem: memory"},
	byInode: make(map[uint64]*node),
	byPlace: make(map[place]*node),
}

// find returns the memory of b with a reference for the caller, nil if this
// process does not know it. An inode names a dma-buf as long as that lives,
// and every registered node keeps its own alive.
func (r *registry) find(b *prime.Buffer) *node {
	r.mu.Lock()
	defer r.mu.Unlock()
	return alive(r.byInode[b.Inode()])
}

// at returns the memory at a place with a reference for the caller, nil if
// this process did not make it.
func (r *registry) at(p place) *node {
	r.mu.Lock()
	defer r.mu.Unlock()
	return alive(r.byPlace[p])
}

func alive(n *node) *node {
	if n == nil || !n.tryRef() {
		return nil
	}
	return n
}

// foreign is find, and makes the memory if this process does not know it.
func (r *registry) foreign(b *prime.Buffer) (*node, error) {
	kept, err := b.Dup()
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := alive(r.byInode[b.Inode()]); n != nil {
		kept.Close()
		return n, nil
	}
	n := newNode(kept.Size(), place{})
	n.buf.Store(kept)
	r.byInode[kept.Inode()] = n
	return n, nil
}

// place registers n by its place.
func (r *registry) place(n *node) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.byPlace[n.place] = n
}

// add registers n as the memory behind b.
func (r *registry) add(n *node, b *prime.Buffer) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if other := r.byInode[b.Inode()]; other != nil && other != n && other.refs.Load() > 0 {
		return ErrIdentity
	}
	r.byInode[b.Inode()] = n
	return nil
}

// forget removes n, whose dma-buf is b or nil, unless another node has taken
// its place.
func (r *registry) forget(n *node, b *prime.Buffer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if b != nil && r.byInode[b.Inode()] == n {
		delete(r.byInode, b.Inode())
	}
	r.leave(n)
}

// unplace removes n from its place.
func (r *registry) unplace(n *node) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.leave(n)
}

func (r *registry) leave(n *node) {
	if r.byPlace[n.place] == n {
		delete(r.byPlace, n.place)
	}
}

// identify returns the memory of b, which has the handle h on dev. known is
// what is known of h, nil for a new handle. Both results have a reference for
// the caller, of which drop is to be given back when he holds no lock.
func identify(dev *drm.Device, h drm.Handle, known *handle, b *prime.Buffer) (n, drop *node, err error) {
	n = nodes.find(b)
	switch {
	case n != nil && known != nil && n != known.node:
		return nil, n, ErrIdentity
	case n != nil:
		return n, nil, nil
	case known != nil: // its memory was exported by somebody else
		known.node.Ref()
		return known.node.adopt(b)
	}
	// An import has no place on most devices, and one of its own on others.
	if offset, mapErr := dev.MapDumb(h); mapErr == nil {
		if at := nodes.at(place{dev.DeviceID(), offset}); at != nil {
			n, drop, err = at.adopt(b)
			if err != errPurged {
				return n, drop, err
			}
		}
	}
	n, err = nodes.foreign(b)
	return n, drop, err
}

// errPurged: the memory was given up here, though it lives on elsewhere.
var errPurged = errors.New("memory was given up")

// adopt makes b the memory's dma-buf if it has none, and returns n, or with an
// error n as what is to be dropped.
func (n *node) adopt(b *prime.Buffer) (_, drop *node, err error) {
	n.bufMu.Lock()
	defer n.bufMu.Unlock()
	buf := n.buf.Load()
	switch {
	case n.purged:
		return nil, n, errPurged
	case buf != nil && buf.Inode() != b.Inode():
		return nil, n, ErrIdentity
	case buf != nil:
		return n, nil, nil
	}
	kept, err := b.Dup()
	if err != nil {
		return nil, n, err
	}
	if err := n.keep(kept); err != nil {
		kept.Close()
		return nil, n, err
	}
	return n, nil, nil
}

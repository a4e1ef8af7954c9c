package gem

import (
	"sync"
	"sync/atomic"

	"github.com/gemtool/gemtool/prime"
	"github.com/gemtool/gemtool/prime/resv"
)

// node is one piece of memory. Objects and mappings refer to it, and it
// outlives them all.
type node struct {
	size    uint64
	foreign bool // entered by dma-buf, and not made in this process

	resv resv.Reservation
	// count, pages and spare are guarded by resv.
	count counters
	pages pages
	spare []*mapSlot // of ended Maps, to be used again

	// bufMu guards buf apart from resv, so that an export works while
	// somebody holds the reservation.
	bufMu sync.Mutex
	buf   *prime.Buffer // kept from the first export or import on, nil before

	// refs counts objects and mappings. At 0 it stays: look-ups in the
	// registry take a reference only where there is one.
	refs atomic.Int64
}

// newNode returns memory with one reference.
func newNode(size uint64) *node {
	n := &node{size: size}
	n.refs.Store(1)
	return n
}

// tryRef takes a reference unless the node is dying.
func (n *node) tryRef() bool {
	for {
		r := n.refs.Load()
		if r == 0 {
			return false
		}
		if n.refs.CompareAndSwap(r, r+1) {
			return true
		}
	}
}

// unref gives a reference back. With the last one the kept dma-buf is closed,
// and with it the kernel's own interest in the memory.
func (n *node) unref() {
	if n.refs.Add(-1) > 0 {
		return
	}
	n.bufMu.Lock()
	defer n.bufMu.Unlock()
	if n.buf != nil {
		nodes.forget(n)
		n.buf.Close()
	}
}

// export returns a duplicate of the memory's dma-buf, which it makes from
// ref's handle the first time. ref must be in use.
func (n *node) export(ref *reference) (*prime.Buffer, error) {
	n.bufMu.Lock()
	defer n.bufMu.Unlock()
	if n.buf == nil {
		b, err := prime.Export(ref.store.dev, ref.handle)
		if err != nil {
			return nil, err
		}
		if err := nodes.add(n, b); err != nil {
			b.Close()
			return nil, err
		}
		n.buf = b
	}
	return n.buf.Dup()
}

// registry finds memory by the inode of its dma-buf. It holds no references:
// a node removes itself.
type registry struct {
	mu      sync.Mutex
	byInode map[uint64]*node
}

var nodes = registry{byInode: make(map[uint64]*node)}

// of returns the memory of b with a reference for the caller, and makes it if
// this process does not know it. An inode names a dma-buf as long as that
// lives, and every registered node keeps its own alive.
func (r *registry) of(b *prime.Buffer) (*node, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := r.byInode[b.Inode()]; n != nil && n.tryRef() {
		return n, nil
	}
	kept, err := b.Dup()
	if err != nil {
		return nil, err
	}
	n := newNode(kept.Size())
	n.foreign = true
	n.buf = kept
	r.byInode[kept.Inode()] = n
	return n, nil
}

// add registers n as the memory behind b.
func (r *registry) add(n *node, b *prime.Buffer) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if other := r.byInode[b.Inode()]; other != nil && other.refs.Load() > 0 {
		return ErrIdentity
	}
	r.byInode[b.Inode()] = n
	return nil
}

// forget removes n, unless another node has taken its place.
func (r *registry) forget(n *node) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byInode[n.buf.Inode()] == n {
		delete(r.byInode, n.buf.Inode())
	}
}

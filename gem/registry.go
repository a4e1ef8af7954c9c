package gem

import (
	"sync"

	"github.com/gemtool/gemtool/prime"
)

// registry finds memory by the inode of its dma-buf. It holds no references:
// a node removes itself.
type registry struct {
	mu      sync.Mutex
	byInode map[uint64]*node
}

var nodes = registry{byInode: make(map[uint64]*node)}

// find returns the memory of b with a reference for the caller, nil if this
// process does not know it. An inode names a dma-buf as long as that lives,
// and every registered node keeps its own alive.
func (r *registry) find(b *prime.Buffer) *node {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lookup(b.Inode())
}

func (r *registry) lookup(inode uint64) *node {
	if n := r.byInode[inode]; n != nil && n.tryRef() {
		return n
	}
	return nil
}

// of is find, and makes the memory if this process does not know it.
func (r *registry) of(b *prime.Buffer) (*node, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := r.lookup(b.Inode()); n != nil {
		return n, nil
	}
	kept, err := b.Dup()
	if err != nil {
		return nil, err
	}
	n := newNode(kept.Size(), nil)
	n.buf.Store(kept)
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

// forget removes n, whose dma-buf is b, unless another node has taken its
// place.
func (r *registry) forget(n *node, b *prime.Buffer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byInode[b.Inode()] == n {
		delete(r.byInode, b.Inode())
	}
}

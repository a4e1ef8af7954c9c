package gem

import (
	"fmt"
	"sync/atomic"

	"github.com/gemtool/gemtool/prime"
	"github.com/gemtool/gemtool/prime/resv"
)

// node is one piece of memory. Objects, holds, exported Buffers, pins and
// mappings refer to it, and it outlives them all.
type node struct {
	size  uint64
	place place // of memory made here, zero for what came in as a dma-buf

	resv resv.Reservation
	// What follows is guarded by resv, but for pins beside the first.
	count counters
	pages pages
	madv  Advice
	spare []*slot // of ended mappings, to be used again

	// buf is kept from the first export or import on, nil before. It is set
	// under bufMu and not under resv, so that an export works while somebody
	// holds the reservation.
	buf    atomic.Pointer[prime.Buffer]
	bufMu  resv.Mutex
	purged bool // guarded by bufMu

	windows windows // from before the first export

	objects atomic.Int64 // that are not closed
	holds   atomic.Int64

	// refs counts all who refer to the node. At 0 it stays: look-ups in the
	// registry take a reference only where there is one.
	refs atomic.Int64
}

// newNode returns memory with one reference.
func newNode(size uint64, p place) *node {
	n := &node{size: size, place: p, bufMu: resv.Mutex{Name: "gem: dma-buf of memory"}}
	n.refs.Store(1)
	return n
}

// foreign says whether the memory is not of this process's making.
func (n *node) foreign() bool { return n.place == place{} }

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

// Ref takes a reference for somebody who knows of another. It and Unref make
// the node the [prime.Keeper] of its exports.
func (n *node) Ref() {
	if n.refs.Add(1) == 1 {
		panic("gem: reference to memory that has ended")
	}
}

// Unref gives a reference back; nil has none. It never waits; while somebody
// holds the reservation the memory stays known, as it is what he has locked.
func (n *node) Unref() {
	for n != nil {
		switch refs := n.refs.Load(); {
		case refs == 1:
			if n.buf.Load() == nil {
				nodes.unplace(n) // no handle is left to find it by
			}
			_ = n.release(func(n *node) error {
				n.unref()
				return nil
			})
			return
		case n.refs.CompareAndSwap(refs, refs-1):
			return
		}
	}
}

// unref is Unref under the reservation. With the last reference the kept
// dma-buf is closed, and with it the kernel's own interest in the memory.
func (n *node) unref() {
	if n.refs.Add(-1) > 0 {
		return
	}
	n.bufMu.Lock()
	defer n.bufMu.Unlock()
	buf := n.buf.Load()
	nodes.forget(n, buf)
	if buf != nil {
		buf.Close()
	}
}

// export returns a duplicate of the memory's dma-buf, which it makes from
// ref's handle the first time. ref must be in use.
func (n *node) export(ref *reference) (*prime.Buffer, error) {
	n.bufMu.Lock()
	defer n.bufMu.Unlock()
	first := n.buf.Load()
	if first == nil {
		b, err := prime.Export(ref.store.device(), ref.handle)
		if err != nil {
			return nil, err
		}
		first = b
	}
	b, err := first.Dup()
	if n.buf.Load() == nil {
		if err == nil {
			err = n.keep(first)
		}
		if err != nil {
			first.Close()
		}
	}
	if err != nil {
		if b != nil {
			b.Close()
		}
		return nil, err
	}
	b.Keep(n)
	return b, nil
}

// keep makes b the memory's dma-buf, by which others find it. It is called
// with bufMu held, and takes b over unless it fails.
func (n *node) keep(b *prime.Buffer) error {
	if err := nodes.add(n, b); err != nil {
		return err
	}
	n.buf.Store(b)
	return nil
}

// allows says whether the memory may be mapped for such an access.
func (n *node) allows(access prime.Access) error {
	switch buf := n.buf.Load(); {
	case access == 0 || access&^prime.ReadWrite != 0:
		return prime.ErrRange
	case buf != nil && access&^buf.Mode() != 0:
		return prime.ErrAccessMode
	}
	return nil
}

// release calls f under the reservation, and never waits for it: see
// [resv.Reservation.Defer].
func (n *node) release(f func(*node) error) error {
	if held, ok := n.resv.TryLock(); ok {
		defer held.Unlock()
		return f(n)
	}
	n.resv.Defer(func() {
		if err := f(n); err != nil {
			warn(Warning{Op: "Unlock", Object: n.String(), Err: err})
		}
	})
	return nil
}

// String names memory where no object of it is at hand.
func (n *node) String() string { return fmt.Sprintf("memory of %d bytes", n.size) }

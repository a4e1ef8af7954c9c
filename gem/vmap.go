package gem

import (
	"context"
	"sync/atomic"

	"github.com/gemtool/gemtool/prime"
)

// Map is a lasting mapping of an object's whole memory. It is a value: copies
// are the same mapping, and it ends once.
type Map struct {
	slot *mapSlot
	gen  uint64
}

// mapSlot is the part of a Map that knows whether it has ended.
type mapSlot struct {
	gen   atomic.Uint64 // of the Map that is alive; VUnmap advances it
	bytes atomic.Pointer[[]byte]
	node  *node
	own   prime.Mapping // of foreign memory, zero otherwise
}

// VMap maps the object's whole memory until VUnmap, for reading and writing
// as access says, and keeps it mapped: a second VMap costs no system call.
// The mapping does not wait for fences nor keep caches coherent: open an
// access window on an exported buffer for that.
//
// An import of foreign memory is passed through to its dma-buf: nothing is
// counted and nothing cached here.
//
// It waits for the memory's reservation until ctx ends. Errors: ErrClosed,
// prime.ErrAccessMode for writing to a read-only dma-buf, ENOMEM (close the
// object then: the pages it did get stay charged), ErrNotSupported for an
// exporter without mmap.
func (o *Object) VMap(ctx context.Context, access prime.Access) (Map, error) {
	n := o.ref.node
	held, err := n.resv.Lock(ctx)
	if err != nil {
		return Map{}, o.fail("VMap", err)
	}
	defer held.Unlock()
	m, err := n.vmapLocked(o.ref, access)
	if err != nil {
		return Map{}, o.fail("VMap", err)
	}
	return m, nil
}

// vmapLocked is VMap for a caller who holds the node's reservation.
func (n *node) vmapLocked(ref *reference, access prime.Access) (Map, error) {
	// A Close meanwhile must not end the memory under the new Map.
	if !n.tryRef() {
		return Map{}, ErrClosed
	}
	m, err := n.takeMap(ref, access)
	if err != nil {
		n.unref()
	}
	return m, err
}

func (n *node) takeMap(ref *reference, access prime.Access) (Map, error) {
	if !ref.open() {
		return Map{}, ErrClosed
	}
	if err := n.allows(access); err != nil {
		return Map{}, err
	}
	var p pages
	if n.foreign {
		m, err := n.buf.Map()
		if err != nil {
			return Map{}, err
		}
		p = newPages(m.Bytes(), m)
	} else {
		if err := n.count.vmap(func() error { return n.mapPages(ref) }); err != nil {
			return Map{}, err
		}
		p = pages{bytes: n.pages.bytes} // the mapping is the counters' to close
	}
	var slot *mapSlot
	if last := len(n.spare) - 1; last >= 0 {
		slot, n.spare = n.spare[last], n.spare[:last]
	} else {
		slot = &mapSlot{node: n}
	}
	slot.bytes.Store(p.bytes)
	slot.own = p.mapping
	return Map{slot, slot.gen.Load()}, nil
}

// allows says whether the memory may be mapped for such an access.
func (n *node) allows(access prime.Access) error {
	n.bufMu.Lock()
	defer n.bufMu.Unlock()
	if n.buf != nil && access&^n.buf.Mode() != 0 {
		return prime.ErrAccessMode
	}
	return nil
}

// Bytes returns the memory. The slice is valid until VUnmap; touching it later
// is fatal for the process, or reaches other memory. Bytes of an ended Map is
// nil.
func (m Map) Bytes() []byte {
	if m.slot == nil {
		return nil
	}
	// The generation is looked at last: until it changes, the bytes do not.
	bytes := m.slot.bytes.Load()
	if m.slot.gen.Load() != m.gen {
		return nil
	}
	return *bytes
}

// VUnmap ends the mapping; the memory stays mapped while other Maps of it
// live. A second VUnmap is ErrStale and changes nothing. It waits for a VMap of
// the same memory that is under way.
func (m Map) VUnmap() error {
	if m.slot == nil || !m.slot.gen.CompareAndSwap(m.gen, m.gen+1) {
		return ErrStale
	}
	n := m.slot.node
	defer n.unref()
	held, err := n.resv.Lock(context.Background())
	if err != nil {
		return err
	}
	defer held.Unlock()
	own := m.slot.own
	m.slot.own = prime.Mapping{}
	n.spare = append(n.spare, m.slot)
	if own != (prime.Mapping{}) {
		return own.Close()
	}
	return n.count.vunmap(n.unmapPages)
}

// Stats are the counters of an object's memory at one moment, named as
// drm_gem_shmem_print_info prints them.
type Stats struct {
	PagesUse, PagesPin, VMapUse int
}

// Stats returns the counters. Foreign memory has none, and ok is false.
func (o *Object) Stats(ctx context.Context) (s Stats, ok bool, err error) {
	n := o.ref.node
	if n.foreign {
		return Stats{}, false, nil
	}
	held, err := n.resv.Lock(ctx)
	if err != nil {
		return Stats{}, false, o.fail("Stats", err)
	}
	defer held.Unlock()
	return Stats{n.count.pagesUse, n.count.pagesPin, n.count.vmapUse}, true, nil
}

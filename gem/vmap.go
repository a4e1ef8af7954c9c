package gem

import (
	"context"

	"github.com/gemtool/gemtool/prime"
	"github.com/gemtool/gemtool/prime/resv"
)

// Access says what the CPU does with the bytes of a mapping.
type Access = prime.Access

// Map is a lasting mapping of an object's whole memory. It is a value: copies
// are the same mapping, and it ends once.
type Map struct{ mapping }

// VMap maps the object's whole memory until VUnmap, for reading and writing
// as access says, and keeps it mapped: a second VMap costs no system call.
// The mapping does not wait for fences nor keep caches coherent: open an
// access window for that.
//
// On an import the memory of its exporter is mapped and counted where that
// lives in this process. Other memory is passed through to its dma-buf:
// nothing is counted and nothing cached here.
//
// It waits for the memory's reservation until ctx ends. Errors: ErrClosed,
// ErrPurged, ErrOverflow; prime.ErrRange for an unknown access,
// prime.ErrAccessMode for writing to a read-only dma-buf; ENOMEM (close the
// object then: the pages it did get stay charged); prime.ErrNotSupported for
// an exporter without mmap.
func (o *Object) VMap(ctx context.Context, access Access) (Map, error) {
	held, err := o.ref.node.resv.Lock(ctx)
	if err != nil {
		return Map{}, o.fail("VMap", err)
	}
	defer held.Unlock()
	m, err := o.vmap(access)
	if err != nil {
		return Map{}, o.fail("VMap", err)
	}
	return m, nil
}

// VMapLocked is VMap for the holder of the memory's reservation.
//
// Errors: ErrNotLocked; those of VMap.
func (o *Object) VMapLocked(h resv.Held, access Access) (Map, error) {
	n := o.ref.node
	if err := n.resv.Enter(h); err != nil {
		return Map{}, o.fail("VMapLocked", err)
	}
	defer n.resv.Leave()
	m, err := o.vmap(access)
	if err != nil {
		return Map{}, o.fail("VMapLocked", err)
	}
	return m, nil
}

// vmap is called under the reservation.
func (o *Object) vmap(access Access) (Map, error) {
	n := o.ref.node
	if n.foreign() {
		m, err := o.passThrough(access)
		return Map{m}, err
	}
	m, err := o.mapWith((*node).vmap, access)
	return Map{m}, err
}

// mapWith makes a mapping of memory that is counted here, with take for its
// counters. It is called under the reservation.
func (o *Object) mapWith(take func(*node, *reference) error, access Access) (mapping, error) {
	n := o.ref.node
	if err := o.mappable(access); err != nil {
		return mapping{}, err
	}
	if err := take(n, o.ref); err != nil {
		n.unref()
		return mapping{}, err
	}
	return n.open(n.pages.bytes, prime.Mapping{}), nil
}

// passThrough makes a mapping of foreign memory, which its dma-buf counts. It
// is called under the reservation.
func (o *Object) passThrough(access Access) (mapping, error) {
	n := o.ref.node
	if err := o.mappable(access); err != nil {
		return mapping{}, err
	}
	own, err := n.buf.Load().Map()
	if err != nil {
		n.unref()
		return mapping{}, err
	}
	bytes := own.Bytes()
	return n.open(&bytes, own), nil
}

// mappable says whether a mapping can be made, and takes a reference to the
// memory for it.
func (o *Object) mappable(access Access) error {
	n := o.ref.node
	if err := o.ref.alive(); err != nil {
		return err
	}
	if err := n.allows(access); err != nil {
		return err
	}
	// A Close meanwhile must not end the memory under the new mapping.
	if !n.tryRef() {
		return ErrClosed
	}
	return nil
}

// VUnmap ends the mapping; the memory stays mapped while others of it live.
// It never waits: if somebody holds the reservation, the counters move and the
// memory is unmapped when that hold ends.
//
// Errors: ErrStale for an ended mapping.
func (m Map) VUnmap() error {
	if err := m.end(); err != nil {
		return err
	}
	n := m.slot.node
	if held, ok := n.resv.TryLock(); ok { // not by release: a closure for m would be allocated
		err := m.slot.vunmap()
		_ = held.Unlock()
		n.Unref()
		return err
	}
	s := m.slot
	return n.release(func(n *node) error {
		defer n.Unref()
		return s.vunmap()
	})
}

// vunmap is called under the reservation.
func (s *slot) vunmap() error {
	if own := s.recycle(); own != (prime.Mapping{}) {
		return own.Close()
	}
	return s.node.vunmap()
}

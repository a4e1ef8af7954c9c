package gem

import (
	"sync/atomic"

	"github.com/gemtool/gemtool/prime"
)

// slot is the part of a mapping that knows whether it has ended. It is used
// again for later ones, which have another generation.
type slot struct {
	gen   atomic.Uint64 // of the mapping that is alive; its end advances it
	bytes atomic.Pointer[[]byte]
	node  *node
	own   prime.Mapping // of foreign memory, zero otherwise; guarded by resv
}

// mapping is a mapping's value: copies are the same, and it ends once.
type mapping struct {
	slot *slot
	gen  uint64
}

// open makes the value of a new mapping, which has a reference to the node.
// It is called under the reservation.
func (n *node) open(bytes *[]byte, own prime.Mapping) mapping {
	var s *slot
	if last := len(n.spare) - 1; last >= 0 {
		s, n.spare = n.spare[last], n.spare[:last]
	} else {
		s = &slot{node: n}
	}
	s.bytes.Store(bytes)
	s.own = own
	return mapping{s, s.gen.Load()}
}

// end makes a mapping stale, once.
func (m mapping) end() error {
	if m.slot == nil || !m.slot.gen.CompareAndSwap(m.gen, m.gen+1) {
		return ErrStale
	}
	return nil
}

// recycle gives the slot of an ended mapping back, and returns what the
// mapping alone has used. It is called under the reservation.
func (s *slot) recycle() prime.Mapping {
	own := s.own
	s.own = prime.Mapping{}
	s.node.spare = append(s.node.spare, s)
	return own
}

// Bytes returns the memory. The slice is valid until the mapping ends; touching
// it later is fatal for the process, or reaches other memory. Bytes of an
// ended mapping is nil.
func (m mapping) Bytes() []byte {
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

func (m mapping) memory() *node {
	if m.slot == nil {
		return nil
	}
	return m.slot.node
}

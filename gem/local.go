package gem

import (
	"github.com/gemtool/gemtool/prime"
	"github.com/gemtool/gemtool/prime/resv"
)

// Local is a short-term mapping of an object's whole memory, which lives under
// the memory's reservation. It is a value: copies are the same mapping, and it
// ends once.
type Local struct{ mapping }

// LocalLocked maps the memory for the holder of its reservation until Unmap,
// without a pin. The reservation is not released before that: an Unlock until
// then ends the hold, returns ErrLocalMapsLive, and leaves the release to the
// Unmap of the last local map.
//
// What [Object.VMap] says about imports and access holds for local maps too.
// Most callers want [Object.Local], which cares for all of this.
//
// Errors: ErrNotLocked; those of VMap.
func (o *Object) LocalLocked(h resv.Held, access Access) (Local, error) {
	l, err := o.localLocked(h, access)
	if err != nil {
		return Local{}, o.fail("LocalLocked", err)
	}
	return l, nil
}

func (o *Object) localLocked(h resv.Held, access Access) (Local, error) {
	n := o.ref.node
	if err := n.resv.Enter(h); err != nil {
		return Local{}, err
	}
	l, err := o.local(access)
	if err != nil {
		n.resv.Leave()
		return Local{}, err
	}
	n.resv.Keep()
	return l, nil
}

// local is called under the reservation.
func (o *Object) local(access Access) (Local, error) {
	n := o.ref.node
	if n.foreign() {
		m, err := o.passThrough(access)
		return Local{m}, err
	}
	m, err := o.mapWith((*node).localMap, access)
	return Local{m}, err
}

// Unmap ends the mapping. It does not wait for a reservation: it has one.
//
// Errors: ErrStale for an ended mapping.
func (l Local) Unmap() error {
	if err := l.end(); err != nil {
		return err
	}
	n := l.slot.node
	n.resv.Reenter()
	defer n.resv.Leave()
	defer n.unref()
	return l.slot.localUnmap()
}

// localUnmap is called under the reservation.
func (s *slot) localUnmap() error {
	if own := s.recycle(); own != (prime.Mapping{}) {
		return own.Close()
	}
	return s.node.localUnmap()
}

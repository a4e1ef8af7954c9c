package gem

import (
	"context"
	"fmt"

	"github.com/gemtool/gemtool/prime/resv"
)

// Stats are the counters of an object's memory at one moment, named as
// drm_gem_shmem_print_info prints them.
type Stats struct {
	PagesPin uint32 // pages_pin_count
	PagesUse uint32 // pages_use_count
	VMapUse  uint32 // vmap_use_count
	Mapped   bool   // vaddr is set
	Madv     Advice // is not printed
}

// String is the text of drm_gem_shmem_print_info of Linux 7.2, but for the
// address, which is nobody's business.
func (s Stats) String() string {
	vaddr := "nil"
	if s.Mapped {
		vaddr = "mapped"
	}
	return fmt.Sprintf("pages_pin_count=%d\npages_use_count=%d\nvmap_use_count=%d\nvaddr=%s\n",
		s.PagesPin, s.PagesUse, s.VMapUse, vaddr)
}

// Stats returns the counters. An import has none, and ok is false: they are
// its exporter's. It works on a closed object.
func (o *Object) Stats(ctx context.Context) (s Stats, ok bool, err error) {
	if o.ref.imported {
		return Stats{}, false, nil
	}
	held, err := o.ref.node.resv.Lock(ctx)
	if err != nil {
		return Stats{}, false, o.fail("Stats", err)
	}
	defer held.Unlock()
	return o.ref.node.stats(), true, nil
}

// StatsLocked is Stats for the holder of the memory's reservation.
//
// Errors: ErrNotLocked.
func (o *Object) StatsLocked(h resv.Held) (s Stats, ok bool, err error) {
	n := o.ref.node
	if err := n.resv.Enter(h); err != nil {
		return Stats{}, false, o.fail("StatsLocked", err)
	}
	defer n.resv.Leave()
	if o.ref.imported {
		return Stats{}, false, nil
	}
	return n.stats(), true, nil
}

// stats is called under the reservation.
func (n *node) stats() Stats {
	return Stats{
		PagesPin: n.count.pin.count(),
		PagesUse: n.count.pagesUse,
		VMapUse:  n.count.vmapUse,
		Mapped:   n.count.vmapUse > 0,
		Madv:     n.madv,
	}
}

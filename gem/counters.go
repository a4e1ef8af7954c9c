package gem

// counters are named as drm_gem_shmem_print_info prints them, and follow the
// rules of Linux 7.2: the first pin takes the pages, the first map takes a
// pin. They are this library's own: user space cannot move the kernel's pins.
// Local maps together take the pages once more, and neither pin nor are
// printed.
//
// All but pin move under the reservation only, and so does pin from and to 0.
// Invariants under it: vmapUse > 0 ⇒ pin > 0; pagesUse = (pin > 0) + (local >
// 0); and the mapping exists exactly while pagesUse > 0.
type counters struct {
	pagesUse uint32 // pages_use_count
	pin      pinCount
	vmapUse  uint32 // vmap_use_count
	local    uint32 // local maps
}

// maxCount is where a counter ends.
const maxCount = 1<<31 - 1

// getPages takes the pages, which are mapped if nobody has them.
func (n *node) getPages(ref *reference) error {
	if n.count.pagesUse == 0 {
		if err := n.mapPages(ref); err != nil {
			return err
		}
	}
	n.count.pagesUse++
	return nil
}

// putPages gives the pages back, which are unmapped if nobody has them then.
func (n *node) putPages() error {
	if n.count.pagesUse--; n.count.pagesUse > 0 {
		return nil
	}
	return n.unmapPages()
}

// pin takes a pin, for the maps if mark is pinMapped. Where there is one
// already it needs no reservation.
func (n *node) pin(ref *reference, mark uint32) error {
	if ok, err := n.count.pin.inc(mark); ok || err != nil {
		return err
	}
	if !n.tryRef() { // for all pins together
		return ErrClosed
	}
	if err := n.getPages(ref); err != nil {
		n.unref()
		return err
	}
	n.count.pin.first(mark)
	return nil
}

// unpinned ends the last pin.
func (n *node) unpinned() error {
	err := n.putPages()
	n.unref()
	return err
}

// vmap takes a map of the memory.
func (n *node) vmap(ref *reference) error {
	switch n.count.vmapUse {
	case maxCount:
		return ErrOverflow
	case 0:
		if err := n.pin(ref, pinMapped); err != nil {
			return err
		}
	}
	n.count.vmapUse++
	return nil
}

// vunmap gives a map back.
func (n *node) vunmap() error {
	if n.count.vmapUse--; n.count.vmapUse > 0 || !n.count.pin.unmark() {
		return nil
	}
	return n.unpinned()
}

// localMap takes a local map of the memory.
func (n *node) localMap(ref *reference) error {
	if n.count.local == 0 {
		if err := n.getPages(ref); err != nil {
			return err
		}
	}
	n.count.local++ // the hold's users are fewer than it can count
	return nil
}

// localUnmap gives a local map back.
func (n *node) localUnmap() error {
	if n.count.local--; n.count.local > 0 {
		return nil
	}
	return n.putPages()
}

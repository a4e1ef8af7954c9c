package gem

// counters are named as drm_gem_shmem_print_info prints them, and follow the
// rules of Linux 7.2: the first pin takes the pages, the first vmap takes a
// pin. They are this library's own: user space cannot move the kernel's pins.
//
// Invariants: vmapUse > 0 ⇒ pagesPin > 0 ⇒ pagesUse > 0, and the mapping
// exists exactly while pagesUse > 0.
type counters struct {
	pagesUse int // pages_use_count
	pagesPin int // pages_pin_count
	vmapUse  int // vmap_use_count
}

// getPages takes the pages, with make if nobody has them.
func (c *counters) getPages(make func() error) error {
	if c.pagesUse == 0 {
		if err := make(); err != nil {
			return err
		}
	}
	c.pagesUse++
	return nil
}

// putPages gives the pages back, with drop if nobody has them then.
func (c *counters) putPages(drop func() error) error {
	if c.pagesUse--; c.pagesUse > 0 {
		return nil
	}
	return drop()
}

func (c *counters) pin(make func() error) error {
	if c.pagesPin == 0 {
		if err := c.getPages(make); err != nil {
			return err
		}
	}
	c.pagesPin++
	return nil
}

func (c *counters) unpin(drop func() error) error {
	if c.pagesPin--; c.pagesPin > 0 {
		return nil
	}
	return c.putPages(drop)
}

func (c *counters) vmap(make func() error) error {
	if c.vmapUse == 0 {
		if err := c.pin(make); err != nil {
			return err
		}
	}
	c.vmapUse++
	return nil
}

func (c *counters) vunmap(drop func() error) error {
	if c.vmapUse--; c.vmapUse > 0 {
		return nil
	}
	return c.unpin(drop)
}

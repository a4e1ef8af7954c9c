package drm

import "errors"

// SameFile says whether a and b are one open file of the kernel: a descriptor
// and a duplicate of it. Such two have the same handles and the same master
// status. Where the kernel cannot tell, or may not, the answer is false.
//
// Source: F_DUPFD_QUERY of Linux 6.10, kcmp(2) before.
func SameFile(a, b *Device) bool {
	if a.fd == b.fd {
		return true
	}
	same := false
	err := a.fd.Use(func(n int) error {
		return b.fd.Use(func(m int) error {
			same = sameFile(n, m)
			return nil
		})
	})
	return err == nil && same
}

// SameDevice says whether a and b are nodes of one device, for which objects
// of one are no imports on the other.
func SameDevice(a, b *Device) bool {
	return a == b || a.parent() == b.parent()
}

// parent names what a's nodes have in common in sysfs, and where sysfs does
// not tell, the node itself.
func (d *Device) parent() string {
	d.once.Do(func() {
		p, err := parentOf(d.rdev)
		if err != nil {
			p = d.path
		}
		d.sysfs = p
	})
	return d.sysfs
}

// Closed says whether Close was called.
func (d *Device) Closed() bool {
	return errors.Is(d.fd.Use(func(int) error { return nil }), ErrClosed)
}

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

// DeviceID names the device that the node is of, the same for all nodes of one
// device: for an object of one file an import on another is none if the two
// have one DeviceID. A device that was unbound and the one that is bound in its
// place differ. It is for comparing only.
func (d *Device) DeviceID() string { return d.id }

// Closed says whether Close was called.
func (d *Device) Closed() bool {
	return errors.Is(d.fd.Use(func(int) error { return nil }), ErrClosed)
}

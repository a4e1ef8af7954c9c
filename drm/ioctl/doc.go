// Package ioctl issues ioctls with typed arguments on descriptors that cannot
// be used after their close. It knows no DRM number; packages drm, prime and
// a driver's private bindings declare theirs with it:
//
//	var opAttach = ioctl.ReadWrite[vgemFenceAttach]("VGEM_FENCE_ATTACH", 'd', 0x41)
//
//	arg := vgemFenceAttach{handle: h}
//	err := opAttach.Do(fd, &arg)
//
// A call on an open [FD] allocates nothing. It is issued again while the
// kernel answers EINTR or EAGAIN, with the argument as the kernel left it, as
// libdrm's drmIoctl does: drivers keep what a restart needs in the argument.
// After an error no field of the argument says anything.
package ioctl

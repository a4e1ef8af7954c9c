package drm

import (
	"fmt"
	"syscall"

	"github.com/gemtool/gemtool/drm/internal/uapi"
	"github.com/gemtool/gemtool/drm/ioctl"
)

// HandleToFD exports an object as a dma-buf, read-write and close-on-exec.
// The object's first export decides for its life whether its dma-bufs can be
// written through: a later one gets that mode whatever it asks for, so ask
// the descriptor. The caller owns the result.
//
// Nodes: card, render. Errors: ENOENT for an unknown handle; ErrNotSupported
// for a driver that does not export; EMFILE and ENFILE without a descriptor
// left. Source: drm_prime.c.
func (d *Device) HandleToFD(h Handle) (*ioctl.FD, error) {
	arg := uapi.PrimeHandle{Handle: uint32(h), Flags: syscall.O_RDWR | syscall.O_CLOEXEC, FD: -1}
	if err := uapi.OpPrimeHandleToFD.Do(d.fd, &arg); err != nil {
		return nil, d.NewError(uapi.OpPrimeHandleToFD.Name(), h.String(), err)
	}
	if arg.FD < 0 {
		err := fmt.Errorf("kernel answered with descriptor %d", arg.FD)
		return nil, d.NewError(uapi.OpPrimeHandleToFD.Name(), h.String(), err)
	}
	return ioctl.NewFD(int(arg.FD)), nil
}

// FDToHandle imports a dma-buf and returns its handle on this file. An object
// that the file has a handle of already comes back with that same handle,
// which one CloseHandle ends for all: package gem counts them. fd stays the
// caller's, and may be closed at once.
//
// Nodes: card, render. Errors: EINVAL for a file that is no dma-buf, and for
// a driver that cannot import another's memory, as can ErrNotSupported and
// ENODEV (virtio-gpu) be; EBADF; ErrClosed when either descriptor is closed.
// Source: drm_prime.c.
func (d *Device) FDToHandle(fd *ioctl.FD) (Handle, error) {
	var arg uapi.PrimeHandle
	err := fd.Use(func(n int) error {
		arg.FD = int32(n)
		return uapi.OpPrimeFDToHandle.Do(d.fd, &arg)
	})
	if err != nil {
		return 0, d.NewError(uapi.OpPrimeFDToHandle.Name(), "", err)
	}
	return Handle(arg.Handle), nil
}

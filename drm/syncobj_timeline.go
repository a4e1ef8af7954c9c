package drm

import (
	"fmt"
	"runtime"
	"syscall"

	"github.com/gemtool/gemtool/drm/internal/uapi"
	"github.com/gemtool/gemtool/drm/ioctl"
)

// SignalTimelines adds a point to each timeline that is signaled as soon as
// all points before it are. A point that is not above the last one breaks the
// order for all who wait: the kernel only notes it in its log.
//
// Nodes: card, render. Errors: ErrNotSupported; ErrRange for another number of
// points than of handles; ENOENT for an unknown handle, and nothing has
// changed; EINVAL for none; ENOMEM. Source: drm_syncobj.c.
func (d *Device) SignalTimelines(hs []SyncobjHandle, points []uint64) error {
	return d.timelines(uapi.OpSyncobjTimelineSignal, hs, points, 0)
}

// SyncobjQueryFlags say which point of a timeline QueryTimelines wants.
type SyncobjQueryFlags uint32

// SyncobjLastSubmitted asks for the last point that has a fence, be it
// signaled or not.
const SyncobjLastSubmitted SyncobjQueryFlags = uapi.SyncobjQueryLastSubmitted

// QueryTimelines writes the last signaled point of each timeline into points.
// It is 0 for one that has none, and for a binary sync object.
//
// Nodes: card, render. Errors: ErrNotSupported; ErrRange for another number of
// points than of handles; ENOENT for an unknown handle; EINVAL for none.
func (d *Device) QueryTimelines(hs []SyncobjHandle, points []uint64, flags SyncobjQueryFlags) error {
	return d.timelines(uapi.OpSyncobjQuery, hs, points, uint32(flags))
}

func (d *Device) timelines(op ioctl.Op[uapi.SyncobjTimelineArray], hs []SyncobjHandle, points []uint64, flags uint32) error {
	if !fitsCount(hs) || len(hs) != len(points) {
		return d.NewError(op.Name(), countOf(hs), ErrRange)
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	arg := uapi.SyncobjTimelineArray{
		Handles: ioctl.Addr(&pin, hs), Points: ioctl.Addr(&pin, points),
		CountHandles: uint32(len(hs)), Flags: flags,
	}
	if err := op.Do(d.fd, &arg); err != nil {
		return d.NewError(op.Name(), countOf(hs), err)
	}
	return nil
}

// TransferSyncobj puts the fence of a point of src at a point of dst, each 0
// for a binary one. SyncobjWaitForSubmit waits for the fence to come: it
// blocks a thread, for five seconds, which a signal starts anew.
//
// Nodes: card, render. Errors: ErrNotSupported; ENOENT for an unknown handle;
// EINVAL for a point without a fence; ETIME when none came; ENOMEM.
func (d *Device) TransferSyncobj(dst SyncobjHandle, dstPoint uint64, src SyncobjHandle, srcPoint uint64, flags SyncobjWaitFlags) error {
	arg := uapi.SyncobjTransfer{
		DstHandle: uint32(dst), DstPoint: dstPoint,
		SrcHandle: uint32(src), SrcPoint: srcPoint,
		Flags: uint32(flags),
	}
	if err := uapi.OpSyncobjTransfer.Do(d.fd, &arg); err != nil {
		object := fmt.Sprintf("%v point %d to %v point %d", src, srcPoint, dst, dstPoint)
		return d.NewError(uapi.OpSyncobjTransfer.Name(), object, err)
	}
	return nil
}

// SyncobjEventfd has the kernel add one to the counter of an eventfd as soon
// as the point is signaled, or with SyncobjWaitAvailable has a fence. For one
// that already is it does so at once. There is no way to take the wish back
// but to destroy the sync object; the eventfd may be closed.
//
// It takes Linux 6.6. Nodes: card, render. Errors: ErrNotSupported for an
// older kernel, too; ENOENT for an unknown handle; EINVAL for another file
// than an eventfd and for other flags; EBADF; ErrClosed when either descriptor
// is closed.
func (d *Device) SyncobjEventfd(h SyncobjHandle, point uint64, fd *ioctl.FD, flags SyncobjWaitFlags) error {
	arg := uapi.SyncobjEventfd{Handle: uint32(h), Point: point, Flags: uint32(flags)}
	err := fd.Use(func(n int) error {
		arg.FD = int32(n)
		return uapi.OpSyncobjEventfd.Do(d.fd, &arg)
	})
	if err == nil {
		return nil
	}
	e := d.NewError(uapi.OpSyncobjEventfd.Name(), fmt.Sprintf("%v point %d", h, point), err)
	// A kernel that knows the call looks for the handle first, and there is
	// no handle 0.
	if err == syscall.EINVAL && uapi.OpSyncobjEventfd.Do(d.fd, &uapi.SyncobjEventfd{FD: -1}) == syscall.EINVAL {
		e.Kind = ErrNotSupported
		e.Hint = "this kernel is too old: eventfds for sync objects came with Linux 6.6"
	}
	return e
}

package drm

import (
	"os"
	"runtime"
	"syscall"
	"time"

	"github.com/gemtool/gemtool/drm/internal/uapi"
	"github.com/gemtool/gemtool/drm/ioctl"
)

// SyncobjWaitFlags say what to wait for.
type SyncobjWaitFlags uint32

// The flags of <drm/drm.h>. Without SyncobjWaitForSubmit or
// SyncobjWaitAvailable a sync object without a fence is EINVAL.
const (
	SyncobjWaitAll       SyncobjWaitFlags = uapi.SyncobjWaitAll       // all of them, not the first
	SyncobjWaitForSubmit SyncobjWaitFlags = uapi.SyncobjWaitForSubmit // also for a fence to come
	SyncobjWaitAvailable SyncobjWaitFlags = uapi.SyncobjWaitAvailable // only for a fence to come; timelines
)

// SyncobjWait says how to wait for sync objects. Times are absolute, of
// CLOCK_MONOTONIC: see [Monotonic]. So a wait that a signal interrupts is
// issued again as it was and ends when it should.
type SyncobjWait struct {
	Flags SyncobjWaitFlags
	// Until is when to give up. A time that has passed, 0 for one, only
	// looks. math.MaxInt64 is never, and on a kernel of 32 bits some weeks.
	Until time.Duration
	// Deadline, if not 0, is a hint for the fences' drivers of when the
	// result is needed, so that they may raise a clock. It came after
	// Linux 6.1: kernels that cannot pass it on are asked without it.
	Deadline time.Duration
}

// WaitSyncobjs waits for the fences of sync objects to be signaled. It
// returns the place in hs of one that is, or -1 with SyncobjWaitAll and, at
// once, for none. It blocks a thread, and only the kernel ends it: Close does
// not, and leaves the descriptor open as long. For a wait with a context use
// [Device.SyncobjEventfd] or an exported sync_file, and the runtime's poller.
//
// Nodes: card, render. Errors: ETIME, which matches os.ErrDeadlineExceeded,
// too; EINVAL for one without a fence and for unknown flags; ENOENT for an
// unknown handle; ErrNotSupported. Source: drm_syncobj.c.
func (d *Device) WaitSyncobjs(hs []SyncobjHandle, w SyncobjWait) (first int, err error) {
	if !fitsCount(hs) {
		return -1, d.NewError(uapi.OpSyncobjWait.Name(), countOf(hs), ErrRange)
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	arg := uapi.SyncobjWait{
		Handles: ioctl.Addr(&pin, hs), CountHandles: uint32(len(hs)),
		TimeoutNSec: int64(w.Until), Flags: w.flags(), DeadlineNSec: w.deadline(),
	}
	err = uapi.OpSyncobjWait.Do(d.fd, &arg)
	if err == syscall.EINVAL && w.Deadline != 0 {
		arg.Flags = uint32(w.Flags)
		err = uapi.OpSyncobjWait.Do(d.fd, &arg)
	}
	if err != nil {
		return -1, d.waitError(uapi.OpSyncobjWait.Name(), hs, err)
	}
	return w.first(arg.FirstSignaled, hs), nil
}

// WaitTimelines is [Device.WaitSyncobjs] for a point of each sync object.
//
// Nodes: card, render. Errors: the same, and ErrRange for another number of
// points than of handles.
func (d *Device) WaitTimelines(hs []SyncobjHandle, points []uint64, w SyncobjWait) (first int, err error) {
	if !fitsCount(hs) || len(hs) != len(points) {
		return -1, d.NewError(uapi.OpSyncobjTimelineWait.Name(), countOf(hs), ErrRange)
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	arg := uapi.SyncobjTimelineWait{
		Handles: ioctl.Addr(&pin, hs), Points: ioctl.Addr(&pin, points), CountHandles: uint32(len(hs)),
		TimeoutNSec: int64(w.Until), Flags: w.flags(), DeadlineNSec: w.deadline(),
	}
	err = uapi.OpSyncobjTimelineWait.Do(d.fd, &arg)
	if err == syscall.EINVAL && w.Deadline != 0 {
		arg.Flags = uint32(w.Flags)
		err = uapi.OpSyncobjTimelineWait.Do(d.fd, &arg)
	}
	if err != nil {
		return -1, d.waitError(uapi.OpSyncobjTimelineWait.Name(), hs, err)
	}
	return w.first(arg.FirstSignaled, hs), nil
}

func (w SyncobjWait) flags() uint32 {
	if w.Deadline != 0 {
		return uint32(w.Flags) | uapi.SyncobjWaitDeadline
	}
	return uint32(w.Flags)
}

// deadline makes a time before the clock began the clock's beginning.
func (w SyncobjWait) deadline() uint64 { return uint64(max(w.Deadline, 0)) }

// first makes an index of the kernel's answer, which says nothing after a wait
// for all, and is ~0 where nothing was looked at.
func (w SyncobjWait) first(answer uint32, hs []SyncobjHandle) int {
	if w.Flags&SyncobjWaitAll != 0 || uint64(answer) >= uint64(len(hs)) {
		return -1
	}
	return int(answer)
}

func (d *Device) waitError(op string, hs []SyncobjHandle, err error) error {
	e := d.NewError(op, countOf(hs), err)
	if err == syscall.ETIME {
		e.Kind = os.ErrDeadlineExceeded
	}
	return e
}

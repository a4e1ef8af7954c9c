package drm

import (
	"fmt"
	"math"
	"runtime"
	"strconv"

	"github.com/gemtool/gemtool/drm/internal/uapi"
	"github.com/gemtool/gemtool/drm/ioctl"
)

// SyncobjHandle names a sync object on one open file: a place for a fence. A
// binary one holds the last fence that was put in; a timeline holds a chain of
// them, each at a point, a number that only grows. The same object is either,
// as it is used: 0 in the place of a point stands for the binary use.
//
// Unlike GEM handles, each create and import gives a handle of its own.
// Drivers without them (vkms, vgem, bochs; virtio-gpu of Linux 6.1) answer all
// calls with ErrNotSupported: see CapSyncobj, and CapSyncobjTimeline, which a
// driver with the first can lack.
type SyncobjHandle uint32

func (h SyncobjHandle) String() string { return fmt.Sprintf("syncobj %d", uint32(h)) }

// SyncobjFlags say how CreateSyncobj makes a sync object.
type SyncobjFlags uint32

// SyncobjSignaled makes a sync object with a signaled fence in it.
const SyncobjSignaled SyncobjFlags = uapi.SyncobjCreateSignaled

// CreateSyncobj makes a sync object without a fence.
//
// Nodes: card, render. Errors: ErrNotSupported; EINVAL for unknown flags;
// ENOMEM. Source: drm_syncobj.c.
func (d *Device) CreateSyncobj(flags SyncobjFlags) (SyncobjHandle, error) {
	arg := uapi.SyncobjCreate{Flags: uint32(flags)}
	if err := uapi.OpSyncobjCreate.Do(d.fd, &arg); err != nil {
		return 0, d.NewError(uapi.OpSyncobjCreate.Name(), "", err)
	}
	return SyncobjHandle(arg.Handle), nil
}

// DestroySyncobj closes the handle. The object lives on while another handle,
// a descriptor or a wait has it.
//
// Nodes: card, render. Errors: ErrNotSupported; EINVAL for an unknown handle,
// where all other calls answer ENOENT.
func (d *Device) DestroySyncobj(h SyncobjHandle) error {
	arg := uapi.SyncobjDestroy{Handle: uint32(h)}
	if err := uapi.OpSyncobjDestroy.Do(d.fd, &arg); err != nil {
		return d.NewError(uapi.OpSyncobjDestroy.Name(), h.String(), err)
	}
	return nil
}

// ResetSyncobjs takes the fences out of sync objects, and so all points.
//
// Nodes: card, render. Errors: ErrNotSupported; ENOENT for an unknown handle,
// and nothing has changed; EINVAL for none.
func (d *Device) ResetSyncobjs(hs []SyncobjHandle) error {
	return d.syncobjArray(uapi.OpSyncobjReset, hs)
}

// SignalSyncobjs puts a signaled fence into sync objects.
//
// Nodes: card, render. Errors: as for [Device.ResetSyncobjs].
func (d *Device) SignalSyncobjs(hs []SyncobjHandle) error {
	return d.syncobjArray(uapi.OpSyncobjSignal, hs)
}

func (d *Device) syncobjArray(op ioctl.Op[uapi.SyncobjArray], hs []SyncobjHandle) error {
	if !fitsCount(hs) {
		return d.NewError(op.Name(), countOf(hs), ErrRange)
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	arg := uapi.SyncobjArray{Handles: ioctl.Addr(&pin, hs), CountHandles: uint32(len(hs))}
	if err := op.Do(d.fd, &arg); err != nil {
		return d.NewError(op.Name(), countOf(hs), err)
	}
	return nil
}

// fitsCount says whether the number of handles fits the kernel's field.
func fitsCount(hs []SyncobjHandle) bool { return uint64(len(hs)) <= math.MaxUint32 }

// countOf names handles in an error.
func countOf(hs []SyncobjHandle) string {
	if len(hs) == 1 {
		return hs[0].String()
	}
	return strconv.Itoa(len(hs)) + " syncobjs"
}

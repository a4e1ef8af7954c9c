package kms

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/internal/uapi"
	"github.com/gemtool/gemtool/drm/ioctl"
)

// CommitFlags say how to commit a Request.
type CommitFlags uint32

// The flags of <drm/drm_mode.h>.
const (
	CommitEvent        CommitFlags = 0x0001 // send an event for every CRTC concerned when it is done
	CommitAsync        CommitFlags = 0x0002 // flip at once: drm.CapAtomicAsyncPageFlip, after Linux 6.1
	CommitTestOnly     CommitFlags = 0x0100 // check, change nothing
	CommitNonblock     CommitFlags = 0x0200 // do not wait until it is done
	CommitAllowModeset CommitFlags = 0x0400 // what can make displays flicker, too
)

// Request is a list of properties to change at once, or not at all. The zero
// value is an empty one. After Reset it can be filled again, without an
// allocation. It is for one goroutine at a time.
//
// A plane waits for a fence before it shows what the fence is about: its
// property IN_FENCE_FD is set to the number of a sync_file's descriptor, which
// has to stay open until Commit returns. Ask ioctl.FD's Use for the number,
// and call Set and Commit inside.
type Request struct {
	// UserData comes back with the events of CommitEvent.
	UserData uint64

	changes []change

	// What Commit gives to the kernel, kept for the next one.
	objects, counts []uint32
	props           []PropertyID
	values          []uint64
}

type change struct {
	object   uint32
	property PropertyID
	value    uint64
	fence    *OutFence
}

// sharesFence says whether b puts another fence where c does.
func (c change) sharesFence(b change) bool {
	return b.fence == c.fence && (b.object != c.object || b.property != c.property)
}

// Set adds a property to change. Of two values for one property the later
// counts. A signed value goes in as uint64 of an int64.
func (r *Request) Set(o Object, p PropertyID, value uint64) {
	r.changes = append(r.changes, change{object: o.id, property: p, value: value})
}

// SetOutFence adds a property that asks for a fence: OUT_FENCE_PTR of a CRTC
// or WRITEBACK_OUT_FENCE_PTR of a connector. Commit puts it into f.
func (r *Request) SetOutFence(o Object, p PropertyID, f *OutFence) {
	r.changes = append(r.changes, change{object: o.id, property: p, fence: f})
}

// Reset makes r empty.
func (r *Request) Reset() {
	clear(r.changes) // of their fences
	r.changes = r.changes[:0]
	r.UserData = 0
}

// OutFence is where the kernel puts a fence at Commit.
type OutFence struct {
	n [1]int32 // the descriptor, as the kernel writes it
	// set says that there is a descriptor that nobody has taken.
	set bool
}

// Take returns the sync_file that the last Commit has put there, which is the
// caller's from now on, or nil if there is none. It is close-on-exec. The next
// Commit closes one that nobody has taken.
func (f *OutFence) Take() *ioctl.FD {
	if !f.set {
		return nil
	}
	f.set = false
	return ioctl.NewFD(int(f.n[0]))
}

// Commit asks the kernel to make the changes of r. It sorts them by object,
// as the kernel wants them, and leaves r otherwise as it is.
//
// Nodes: card. Permissions: master, and drm.ClientCapAtomic set. Errors:
// EINVAL for what the driver cannot do, which only the kernel's log may
// explain (drm.debug=0x10), for a value that its property cannot have, such as
// an unknown blob or framebuffer, for CommitEvent with CommitTestOnly or without
// a CRTC, and for CommitAsync on a driver that does not do it; EBUSY for
// CommitNonblock while an earlier one is under way; ENOENT for an unknown
// object, and a property that it does not have; ENOSPC; ENOMEM when more
// events wait than the file has room for; ErrNotSupported for a driver without
// the atomic interface; ErrRange for one OutFence of two properties. Source:
// drm_atomic_uapi.c.
func (r *Request) Commit(d *drm.Device, flags CommitFlags) error {
	slices.SortStableFunc(r.changes, func(a, b change) int { return cmp.Compare(a.object, b.object) })
	var pin runtime.Pinner
	defer pin.Unpin()
	r.objects, r.counts, r.props, r.values = r.objects[:0], r.counts[:0], r.props[:0], r.values[:0]
	for i, c := range r.changes {
		if i == 0 || c.object != r.changes[i-1].object {
			r.objects = append(r.objects, c.object)
			r.counts = append(r.counts, 0)
		}
		if c.fence != nil {
			// Two fences at one address, and nobody would close the first.
			if slices.ContainsFunc(r.changes[:i], c.sharesFence) {
				return d.NewError(uapi.OpModeAtomic.Name(), "with an OutFence of two properties", drm.ErrRange)
			}
			if old := c.fence.Take(); old != nil {
				old.Close()
			}
			c.fence.n[0] = -1
			c.value = ioctl.Addr(&pin, c.fence.n[:])
		}
		r.counts[len(r.counts)-1]++
		r.props, r.values = append(r.props, c.property), append(r.values, c.value)
	}
	arg := uapi.ModeAtomic{
		Flags: uint32(flags), CountObjs: uint32(len(r.objects)),
		ObjsPtr: ioctl.Addr(&pin, r.objects), CountPropsPtr: ioctl.Addr(&pin, r.counts),
		PropsPtr: ioctl.Addr(&pin, r.props), PropValuesPtr: ioctl.Addr(&pin, r.values),
		UserData: r.UserData,
	}
	if err := uapi.OpModeAtomic.Do(d.FD(), &arg); err != nil {
		return d.NewError(uapi.OpModeAtomic.Name(), fmt.Sprintf("of %d objects", len(r.objects)), err)
	}
	for _, c := range r.changes {
		if c.fence != nil {
			c.fence.set = c.fence.n[0] >= 0
		}
	}
	return nil
}

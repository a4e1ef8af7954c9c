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
	CommitTestOnly     CommitFlags = 0x0100 // check, change nothing
	CommitNonblock     CommitFlags = 0x0200 // do not wait until it is done
	CommitAllowModeset CommitFlags = 0x0400 // what can make displays flicker, too
)

// Request is a list of properties to change at once, or not at all. The zero
// value is an empty one.
type Request struct {
	changes []change
}

type change struct {
	object   uint32
	property PropertyID
	value    uint64
}

// Set adds a property to change. Of two values for one property the later
// counts.
func (r *Request) Set(o Object, p PropertyID, value uint64) {
	r.changes = append(r.changes, change{o.id, p, value})
}

// Commit asks the kernel to make the changes of r.
//
// Nodes: card. Permissions: master, and drm.ClientCapAtomic set. Errors:
// EINVAL for what the driver cannot do, which only the kernel's log may
// explain (drm.debug=0x10); EBUSY while an earlier CommitNonblock is under
// way; ENOENT for an unknown object, property or blob; ENOSPC;
// ErrNotSupported for a driver without the atomic interface. Source:
// drm_atomic_uapi.c.
func (r *Request) Commit(d *drm.Device, flags CommitFlags) error {
	// The kernel wants the changes object by object.
	changes := slices.Clone(r.changes)
	slices.SortStableFunc(changes, func(a, b change) int { return cmp.Compare(a.object, b.object) })
	var objects, counts []uint32
	props := make([]PropertyID, len(changes))
	values := make([]uint64, len(changes))
	for i, c := range changes {
		if i == 0 || c.object != changes[i-1].object {
			objects = append(objects, c.object)
			counts = append(counts, 0)
		}
		counts[len(counts)-1]++
		props[i], values[i] = c.property, c.value
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	arg := uapi.ModeAtomic{
		Flags: uint32(flags), CountObjs: uint32(len(objects)),
		ObjsPtr: ioctl.Addr(&pin, objects), CountPropsPtr: ioctl.Addr(&pin, counts),
		PropsPtr: ioctl.Addr(&pin, props), PropValuesPtr: ioctl.Addr(&pin, values),
	}
	if err := uapi.OpModeAtomic.Do(d.FD(), &arg); err != nil {
		return d.NewError(uapi.OpModeAtomic.Name(), fmt.Sprintf("of %d objects", len(objects)), err)
	}
	return nil
}

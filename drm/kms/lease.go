package kms

import (
	"fmt"
	"os"
	"runtime"
	"syscall"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/internal/uapi"
	"github.com/gemtool/gemtool/drm/ioctl"
)

// CreateLease lends objects: the Device that it returns is master of them, and
// of nothing else, until it is closed or RevokeLease. It is a file of its own,
// with its own handles and framebuffers, close-on-exec. A lease is of at least
// a CRTC, a connector and, for a file with drm.ClientCapUniversalPlanes, a
// plane; without that cap the CRTC's own planes go with it. It may also be of
// nothing.
//
// Nodes: card. Permissions: master. Errors: EBUSY for what is lent already;
// ENOENT for an unknown object; EINVAL for objects of another kind, too few of
// them, and on a lease; ENOSPC for an object twice; ErrNotSupported on a
// device without modesetting. Source: drm_lease.c.
func CreateLease(d *drm.Device, objects []Object) (*drm.Device, LesseeID, error) {
	ids := make([]uint32, len(objects))
	for i, o := range objects {
		ids[i] = o.id
	}
	fail := func(err error) error {
		return d.NewError(uapi.OpModeCreateLease.Name(), fmt.Sprintf("of %d objects", len(ids)), err)
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	// O_NONBLOCK would do nothing: the file has the status flags of d's.
	arg := uapi.ModeCreateLease{
		ObjectIDs: ioctl.Addr(&pin, ids), ObjectCount: uint32(len(ids)), Flags: syscall.O_CLOEXEC,
	}
	if err := uapi.OpModeCreateLease.Do(d.FD(), &arg); err != nil {
		return nil, 0, fail(err)
	}
	if int32(arg.FD) < 0 {
		return nil, 0, fail(fmt.Errorf("kernel answered with descriptor %d", int32(arg.FD)))
	}
	f := os.NewFile(uintptr(arg.FD), d.Path())
	defer f.Close()
	lease, err := drm.FromFile(f)
	if err != nil {
		return nil, 0, err
	}
	return lease, LesseeID(arg.LesseeID), nil
}

// ListLessees lists the leases that d has granted and not revoked, those of
// nothing left out.
//
// Nodes: card. Permissions: master. Errors: ErrNotSupported on a device
// without modesetting. Source: drm_lease.c.
func ListLessees(d *drm.Device) ([]LesseeID, error) {
	var pin runtime.Pinner
	defer pin.Unpin()
	var ids []LesseeID
	for {
		arg := uapi.ModeListLessees{LesseesPtr: ioctl.Addr(&pin, ids), CountLessees: uint32(len(ids))}
		if err := uapi.OpModeListLessees.Do(d.FD(), &arg); err != nil {
			return nil, d.NewError(uapi.OpModeListLessees.Name(), "", err)
		}
		var room room
		fit(&room, &ids, arg.CountLessees)
		if room.err != nil {
			return nil, d.NewError(uapi.OpModeListLessees.Name(), "", room.err)
		}
		if !room.short {
			return ids, nil
		}
	}
}

// GetLease lists the objects that d has a lease of. Who has no lease but the
// device is told all its objects, properties and blobs included.
//
// Nodes: card. Permissions: master. Errors: ErrNotSupported on a device
// without modesetting. Source: drm_lease.c.
func GetLease(d *drm.Device) ([]Object, error) {
	var pin runtime.Pinner
	defer pin.Unpin()
	var ids []uint32
	for {
		arg := uapi.ModeGetLease{ObjectsPtr: ioctl.Addr(&pin, ids), CountObjects: uint32(len(ids))}
		if err := uapi.OpModeGetLease.Do(d.FD(), &arg); err != nil {
			return nil, d.NewError(uapi.OpModeGetLease.Name(), "", err)
		}
		var room room
		fit(&room, &ids, arg.CountObjects)
		if room.err != nil {
			return nil, d.NewError(uapi.OpModeGetLease.Name(), "", room.err)
		}
		if room.short {
			continue
		}
		objects := make([]Object, len(ids))
		for i, id := range ids {
			objects[i] = AnyObject(id)
		}
		return objects, nil
	}
}

// RevokeLease ends a lease that d has granted: its file stays open and can use
// none of the objects any more.
//
// Nodes: card. Permissions: master. Errors: ENOENT for an unknown lease;
// EACCES for another's. Source: drm_lease.c.
func RevokeLease(d *drm.Device, id LesseeID) error {
	arg := uapi.ModeRevokeLease{LesseeID: uint32(id)}
	if err := uapi.OpModeRevokeLease.Do(d.FD(), &arg); err != nil {
		return d.NewError(uapi.OpModeRevokeLease.Name(), id.String(), err)
	}
	return nil
}

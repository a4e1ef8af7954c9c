package kms

import (
	"fmt"
	"runtime"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/internal/uapi"
	"github.com/gemtool/gemtool/drm/ioctl"
)

// MaxBlob is how many bytes a blob of CreateBlob and ReadBlob has at most. The
// largest that hardware is known to take are color cubes of some 100 KiB.
const MaxBlob = maxList

// CreateBlob gives the kernel a value of a property that does not fit in 64
// bits, such as a mode. It lives until DestroyBlob and for as long as a
// property has it as its value.
//
// The kernel takes blobs of up to 2 GiB from everybody, as many as they like,
// and kernels without the fix of CVE-2026-43287 do not even charge them to who
// made them: hence MaxBlob. Whoever makes blobs for others has to count them.
//
// Nodes: card. Errors: ErrRange for more than MaxBlob, of which the kernel is
// not asked; EINVAL for no data; ENOMEM; ErrNotSupported on a device without
// modesetting. Source: drm_property.c.
func CreateBlob(d *drm.Device, data []byte) (BlobID, error) {
	fail := func(err error) error {
		return d.NewError(uapi.OpModeCreatePropBlob.Name(), fmt.Sprintf("of %d bytes", len(data)), err)
	}
	if len(data) > MaxBlob {
		return 0, fail(drm.ErrRange)
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	arg := uapi.ModeCreateBlob{Data: ioctl.Addr(&pin, data), Length: uint32(len(data))}
	if err := uapi.OpModeCreatePropBlob.Do(d.FD(), &arg); err != nil {
		return 0, fail(err)
	}
	return BlobID(arg.BlobID), nil
}

// DestroyBlob gives up a blob that this file created.
//
// Nodes: card. Errors: ENOENT for an unknown blob, EPERM for another file's.
func DestroyBlob(d *drm.Device, id BlobID) error {
	arg := uapi.ModeDestroyBlob{BlobID: uint32(id)}
	if err := uapi.OpModeDestroyPropBlob.Do(d.FD(), &arg); err != nil {
		return d.NewError(uapi.OpModeDestroyPropBlob.Name(), id.String(), err)
	}
	return nil
}

// ReadBlob reads a blob, whoever created it.
//
// Nodes: card. Errors: ENOENT for an unknown blob; ErrRange for one larger
// than MaxBlob.
func ReadBlob(d *drm.Device, id BlobID) ([]byte, error) {
	var pin runtime.Pinner
	defer pin.Unpin()
	var data []byte
	for {
		arg := uapi.ModeGetBlob{BlobID: uint32(id), Data: ioctl.Addr(&pin, data), Length: uint32(len(data))}
		if err := uapi.OpModeGetPropBlob.Do(d.FD(), &arg); err != nil {
			return nil, d.NewError(uapi.OpModeGetPropBlob.Name(), id.String(), err)
		}
		// The kernel copies only where the length is right to the byte. The
		// number may by now be that of another blob, also of a shorter one.
		if arg.Length == uint32(len(data)) {
			return data, nil
		}
		if arg.Length > MaxBlob {
			err := fmt.Errorf("kernel has %d bytes: %w", arg.Length, drm.ErrRange)
			return nil, d.NewError(uapi.OpModeGetPropBlob.Name(), id.String(), err)
		}
		data = make([]byte, arg.Length)
	}
}

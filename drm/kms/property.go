package kms

import (
	"fmt"
	"runtime"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/internal/uapi"
	"github.com/gemtool/gemtool/drm/ioctl"
)

// Property is a property of an object. What its value means says
// [ReadProperty].
type Property struct {
	ID    PropertyID
	Value uint64
}

// Properties are an object's properties by name. Names are the kernel's:
// escape them before they reach a terminal.
type Properties map[string]Property

// ReadProperties reads the properties of an object. A file without
// drm.ClientCapAtomic does not see those of the atomic interface.
//
// It costs a call for every property, for its name. Numbers and names do not
// change, and are the same for all objects of a device: keep them, and set by
// number what changes with every frame.
//
// Nodes: card. Errors: ENOENT for an unknown object, EINVAL for one of a kind
// without properties; ErrNotSupported on a device without modesetting. Source:
// drm_mode_object.c.
func ReadProperties(d *drm.Device, o Object) (Properties, error) {
	var pin runtime.Pinner
	defer pin.Unpin()
	var ids []PropertyID
	var values []uint64
	for {
		arg := uapi.ModeObjGetProperties{
			ObjID: o.id, ObjType: o.kind,
			PropsPtr: ioctl.Addr(&pin, ids), PropValuesPtr: ioctl.Addr(&pin, values),
			CountProps: uint32(len(ids)),
		}
		if err := uapi.OpModeObjGetProperties.Do(d.FD(), &arg); err != nil {
			return nil, d.NewError(uapi.OpModeObjGetProperties.Name(), o.String(), err)
		}
		var room room
		fit(&room, &ids, arg.CountProps)
		fit(&room, &values, arg.CountProps)
		if room.err != nil {
			return nil, d.NewError(uapi.OpModeObjGetProperties.Name(), o.String(), room.err)
		}
		if !room.short {
			break
		}
	}
	props := make(Properties, len(ids))
	for i, id := range ids {
		name, err := propertyName(d, id)
		if err != nil {
			return nil, err
		}
		props[name] = Property{id, values[i]}
	}
	return props, nil
}

func propertyName(d *drm.Device, id PropertyID) (string, error) {
	arg := uapi.ModeGetProperty{PropID: uint32(id)}
	if err := uapi.OpModeGetProperty.Do(d.FD(), &arg); err != nil {
		return "", d.NewError(uapi.OpModeGetProperty.Name(), id.String(), err)
	}
	return cString(arg.Name[:]), nil
}

// SetProperty sets one property of an object at once. [Request] sets several
// together.
//
// Nodes: card. Permissions: master. Errors: ENOENT for an unknown object;
// EINVAL for a property that the object does not have, one that is immutable,
// and a value that it cannot have; ERANGE and others for one that the driver
// cannot do. Source: drm_mode_object.c.
func SetProperty(d *drm.Device, o Object, id PropertyID, value uint64) error {
	arg := uapi.ModeObjSetProperty{Value: value, PropID: uint32(id), ObjID: o.id, ObjType: o.kind}
	if err := uapi.OpModeObjSetProperty.Do(d.FD(), &arg); err != nil {
		return d.NewError(uapi.OpModeObjSetProperty.Name(), fmt.Sprintf("%v of %v", id, o), err)
	}
	return nil
}

package kms

import (
	"bytes"
	"runtime"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/internal/uapi"
	"github.com/gemtool/gemtool/drm/ioctl"
)

// Property is a property of an object.
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
// Nodes: card. Errors: ENOENT for an unknown object.
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
	name, _, _ := bytes.Cut(arg.Name[:], []byte{0})
	return string(name), nil
}

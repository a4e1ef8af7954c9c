package kms

import (
	"runtime"
	"strconv"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/internal/uapi"
	"github.com/gemtool/gemtool/drm/ioctl"
)

// Connector is where a picture leaves the device.
type Connector struct {
	ID     ConnectorID
	Type   ConnectorType
	TypeID uint32 // counts connectors of a type, from 1, in the order of the driver's probes

	Status   ConnectorStatus
	Width    uint32 // of the display, in mm; 0 when not known
	Height   uint32 // of the display, in mm; 0 when not known
	Subpixel Subpixel

	Encoder    EncoderID   // that drives it, 0 for none
	Encoders   []EncoderID // what can drive it
	Modes      []Mode
	Properties []Property // without their names: see ReadProperties
}

// Name returns the connector's name as the kernel builds it, such as
// "HDMI-A-1". It is unique on the device.
func (c Connector) Name() string {
	return c.Type.String() + "-" + strconv.FormatUint(uint64(c.TypeID), 10)
}

// ConnectorStatus says whether something is plugged in: enum
// drm_connector_status.
type ConnectorStatus uint32

// The values of a ConnectorStatus.
const (
	Connected     ConnectorStatus = 1
	Disconnected  ConnectorStatus = 2
	StatusUnknown ConnectorStatus = 3 // it may or may not be
)

func (s ConnectorStatus) String() string {
	switch s {
	case Connected:
		return "connected"
	case Disconnected:
		return "disconnected"
	case StatusUnknown:
		return "unknown"
	}
	return strconv.FormatUint(uint64(s), 10)
}

// Subpixel is the order of a pixel's parts on a display: enum subpixel_order.
type Subpixel uint32

// The values of a Subpixel.
const (
	SubpixelUnknown Subpixel = iota
	SubpixelHorizontalRGB
	SubpixelHorizontalBGR
	SubpixelVerticalRGB
	SubpixelVerticalBGR
	SubpixelNone
)

// ReadConnector reads what the kernel knows of a connector, without looking
// at its display: that takes long, and can make displays flicker. After a
// start and after a hotplug event it may be out of date: see ProbeConnector.
//
// Modes of stereo and with an aspect ratio are left out, or stripped of it,
// for a file without drm.ClientCapStereo3D and drm.ClientCapAspectRatio.
//
// Nodes: card. Errors: ENOENT for an unknown connector; ErrNotSupported on a
// device without modesetting. Source: drm_connector.c.
func ReadConnector(d *drm.Device, id ConnectorID) (Connector, error) {
	return connector(d, id, false)
}

// ProbeConnector is ReadConnector after a look at the display: its status,
// modes and EDID are then up to date.
//
// Nodes: card. Permissions: without master it is ReadConnector. Errors: those
// of ReadConnector.
func ProbeConnector(d *drm.Device, id ConnectorID) (Connector, error) {
	return connector(d, id, true)
}

func connector(d *drm.Device, id ConnectorID, probe bool) (Connector, error) {
	fail := func(err error) (Connector, error) {
		return Connector{}, d.NewError(uapi.OpModeGetConnector.Name(), id.String(), err)
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	var encoders []EncoderID
	var modes []uapi.ModeModeInfo
	var props []PropertyID
	var values []uint64
	for ; ; probe = false {
		// With room for no mode at all the kernel looks at the display.
		if !probe && len(modes) == 0 {
			modes = make([]uapi.ModeModeInfo, 1)
		}
		arg := uapi.ModeGetConnector{
			ConnectorID: uint32(id),
			EncodersPtr: ioctl.Addr(&pin, encoders), CountEncoders: uint32(len(encoders)),
			ModesPtr: ioctl.Addr(&pin, modes), CountModes: uint32(len(modes)),
			PropsPtr: ioctl.Addr(&pin, props), PropValuesPtr: ioctl.Addr(&pin, values),
			CountProps: uint32(len(props)),
		}
		if err := uapi.OpModeGetConnector.Do(d.FD(), &arg); err != nil {
			return fail(err)
		}
		var room room
		fit(&room, &encoders, arg.CountEncoders)
		fit(&room, &modes, arg.CountModes)
		fit(&room, &props, arg.CountProps)
		fit(&room, &values, arg.CountProps)
		if room.err != nil {
			return fail(room.err)
		}
		if room.short {
			continue
		}
		c := Connector{
			ID: id, Type: ConnectorType(arg.ConnectorType), TypeID: arg.ConnectorTypeID,
			Status: ConnectorStatus(arg.Connection), Width: arg.MMWidth, Height: arg.MMHeight,
			Subpixel: Subpixel(arg.Subpixel), Encoder: EncoderID(arg.EncoderID), Encoders: encoders,
		}
		for i := range modes {
			c.Modes = append(c.Modes, modeOf(&modes[i]))
		}
		for i, id := range props {
			c.Properties = append(c.Properties, Property{id, values[i]})
		}
		return c, nil
	}
}

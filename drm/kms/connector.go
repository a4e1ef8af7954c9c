package kms

import (
	"runtime"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/internal/uapi"
	"github.com/gemtool/gemtool/drm/ioctl"
)

// ConnectorType is a DRM_MODE_CONNECTOR_*.
type ConnectorType uint32

// ConnectorWriteback is no connector to a display: what its CRTC shows is
// written into a framebuffer.
const ConnectorWriteback ConnectorType = uapi.ModeConnectorWriteback

// Connector is where a picture leaves the device.
type Connector struct {
	ID       ConnectorID
	Type     ConnectorType
	Encoders []EncoderID // what can drive it
}

// ReadConnector reads what the kernel knows of a connector, without looking
// at its display: that takes long, and can make displays flicker.
//
// Nodes: card. Errors: ENOENT for an unknown connector.
func ReadConnector(d *drm.Device, id ConnectorID) (Connector, error) {
	var pin runtime.Pinner
	defer pin.Unpin()
	// With room for no mode at all the kernel looks at the display.
	var mode [1]uapi.ModeModeInfo
	c := Connector{ID: id}
	for {
		arg := uapi.ModeGetConnector{
			ConnectorID: uint32(id),
			EncodersPtr: ioctl.Addr(&pin, c.Encoders), CountEncoders: uint32(len(c.Encoders)),
			ModesPtr: ioctl.Addr(&pin, mode[:]), CountModes: 1,
		}
		if err := uapi.OpModeGetConnector.Do(d.FD(), &arg); err != nil {
			return Connector{}, d.NewError(uapi.OpModeGetConnector.Name(), id.String(), err)
		}
		var room room
		fit(&room, &c.Encoders, arg.CountEncoders)
		if room.err != nil {
			return Connector{}, d.NewError(uapi.OpModeGetConnector.Name(), id.String(), room.err)
		}
		if !room.short {
			c.Type = ConnectorType(arg.ConnectorType)
			return c, nil
		}
	}
}

// Encoder is what turns a CRTC's picture into a connector's signal.
type Encoder struct {
	ID            EncoderID
	PossibleCRTCs uint32 // bits by place in Resources.CRTCs
}

// ReadEncoder reads an encoder.
//
// Nodes: card. Errors: ENOENT for an unknown encoder.
func ReadEncoder(d *drm.Device, id EncoderID) (Encoder, error) {
	arg := uapi.ModeGetEncoder{EncoderID: uint32(id)}
	if err := uapi.OpModeGetEncoder.Do(d.FD(), &arg); err != nil {
		return Encoder{}, d.NewError(uapi.OpModeGetEncoder.Name(), id.String(), err)
	}
	return Encoder{ID: id, PossibleCRTCs: arg.PossibleCRTCs}, nil
}

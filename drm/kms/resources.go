package kms

import (
	"runtime"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/internal/uapi"
	"github.com/gemtool/gemtool/drm/ioctl"
)

// Resources are the objects of a device's display pipelines, and the sizes of
// framebuffers that it takes. The place of a CRTC is its bit in the masks of
// possible CRTCs, and that of an encoder its bit in the masks of clones.
type Resources struct {
	FBs        []FBID // this file's own
	CRTCs      []CRTCID
	Connectors []ConnectorID
	Encoders   []EncoderID

	MinWidth, MaxWidth   uint32
	MinHeight, MaxHeight uint32
}

// ReadResources lists what this file may use of the device: of a lease, what
// was leased. Writeback connectors are left out for a file without
// drm.ClientCapWritebackConnectors.
//
// Nodes: card. Errors: ErrNotSupported on a device without modesetting.
// Source: drm_mode_config.c.
func ReadResources(d *drm.Device) (Resources, error) {
	var pin runtime.Pinner
	defer pin.Unpin()
	var r Resources
	for {
		arg := uapi.ModeCardRes{
			FBIDPtr: ioctl.Addr(&pin, r.FBs), CountFBs: uint32(len(r.FBs)),
			CRTCIDPtr: ioctl.Addr(&pin, r.CRTCs), CountCRTCs: uint32(len(r.CRTCs)),
			ConnectorIDPtr: ioctl.Addr(&pin, r.Connectors), CountConnectors: uint32(len(r.Connectors)),
			EncoderIDPtr: ioctl.Addr(&pin, r.Encoders), CountEncoders: uint32(len(r.Encoders)),
		}
		if err := uapi.OpModeGetResources.Do(d.FD(), &arg); err != nil {
			return Resources{}, d.NewError(uapi.OpModeGetResources.Name(), "", err)
		}
		var room room
		fit(&room, &r.FBs, arg.CountFBs)
		fit(&room, &r.CRTCs, arg.CountCRTCs)
		fit(&room, &r.Connectors, arg.CountConnectors)
		fit(&room, &r.Encoders, arg.CountEncoders)
		if room.err != nil {
			return Resources{}, d.NewError(uapi.OpModeGetResources.Name(), "", room.err)
		}
		if room.short {
			continue
		}
		r.MinWidth, r.MaxWidth = arg.MinWidth, arg.MaxWidth
		r.MinHeight, r.MaxHeight = arg.MinHeight, arg.MaxHeight
		return r, nil
	}
}

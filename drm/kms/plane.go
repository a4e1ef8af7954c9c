package kms

import (
	"runtime"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/fourcc"
	"github.com/gemtool/gemtool/drm/internal/uapi"
	"github.com/gemtool/gemtool/drm/ioctl"
)

// Plane shows a framebuffer on a CRTC.
type Plane struct {
	ID            PlaneID
	CRTC          CRTCID // that it is on, 0 for none
	FB            FBID   // that it shows, 0 for none
	PossibleCRTCs uint32 // bits by place in Resources.CRTCs
	Formats       []fourcc.Format
}

// The values of a plane's property "type".
const (
	PlaneOverlay = 0
	PlanePrimary = 1
	PlaneCursor  = 2
)

// ReadPlanes lists the device's planes and reads each of them. Primary and
// cursor planes are left out for a file without drm.ClientCapUniversalPlanes,
// which drm.ClientCapAtomic implies.
//
// Nodes: card. Errors: ErrNotSupported on a device without modesetting.
// Source: drm_plane.c.
func ReadPlanes(d *drm.Device) ([]Plane, error) {
	ids, err := planeIDs(d)
	if err != nil {
		return nil, err
	}
	planes := make([]Plane, len(ids))
	for i, id := range ids {
		if planes[i], err = ReadPlane(d, id); err != nil {
			return nil, err
		}
	}
	return planes, nil
}

func planeIDs(d *drm.Device) ([]PlaneID, error) {
	var pin runtime.Pinner
	defer pin.Unpin()
	var ids []PlaneID
	for {
		arg := uapi.ModeGetPlaneRes{PlaneIDPtr: ioctl.Addr(&pin, ids), CountPlanes: uint32(len(ids))}
		if err := uapi.OpModeGetPlaneResources.Do(d.FD(), &arg); err != nil {
			return nil, d.NewError(uapi.OpModeGetPlaneResources.Name(), "", err)
		}
		var room room
		fit(&room, &ids, arg.CountPlanes)
		if room.err != nil {
			return nil, d.NewError(uapi.OpModeGetPlaneResources.Name(), "", room.err)
		}
		if !room.short {
			return ids, nil
		}
	}
}

// ReadPlane reads a plane. Which modifiers it takes with its formats says the
// property IN_FORMATS: see [ParseInFormats].
//
// Nodes: card. Errors: ENOENT for an unknown plane; ErrNotSupported on a
// device without modesetting. Source: drm_plane.c.
func ReadPlane(d *drm.Device, id PlaneID) (Plane, error) {
	var pin runtime.Pinner
	defer pin.Unpin()
	p := Plane{ID: id}
	for {
		arg := uapi.ModeGetPlane{
			PlaneID:       uint32(id),
			FormatTypePtr: ioctl.Addr(&pin, p.Formats), CountFormatTypes: uint32(len(p.Formats)),
		}
		if err := uapi.OpModeGetPlane.Do(d.FD(), &arg); err != nil {
			return Plane{}, d.NewError(uapi.OpModeGetPlane.Name(), id.String(), err)
		}
		var room room
		fit(&room, &p.Formats, arg.CountFormatTypes)
		if room.err != nil {
			return Plane{}, d.NewError(uapi.OpModeGetPlane.Name(), id.String(), room.err)
		}
		if !room.short {
			p.CRTC, p.FB, p.PossibleCRTCs = CRTCID(arg.CRTCID), FBID(arg.FBID), arg.PossibleCRTCs
			return p, nil
		}
	}
}

// PlaneSetup is what a plane shows where.
type PlaneSetup struct {
	CRTC CRTCID
	FB   FBID // 0: nothing

	X, Y          int32  // of the left upper corner on the CRTC, in pixels
	Width, Height uint32 // on the CRTC, in pixels

	// The part of the framebuffer, in 1/65536 of a pixel.
	SrcX, SrcY, SrcWidth, SrcHeight uint32
}

// SetPlane has a plane show something, and waits until it does. It is for
// drivers without the atomic interface.
//
// Nodes: card. Permissions: master. Errors: ENOENT for an unknown plane, CRTC
// or framebuffer; EINVAL for a CRTC or format that is not the plane's, and for
// what the driver cannot do; ENOSPC for a part outside of the framebuffer;
// ERANGE for a place beyond 31 bits. Source: drm_plane.c.
func SetPlane(d *drm.Device, id PlaneID, s PlaneSetup) error {
	arg := uapi.ModeSetPlane{
		PlaneID: uint32(id), CRTCID: uint32(s.CRTC), FBID: uint32(s.FB),
		CRTCX: s.X, CRTCY: s.Y, CRTCW: s.Width, CRTCH: s.Height,
		SrcX: s.SrcX, SrcY: s.SrcY, SrcW: s.SrcWidth, SrcH: s.SrcHeight,
	}
	if err := uapi.OpModeSetPlane.Do(d.FD(), &arg); err != nil {
		return d.NewError(uapi.OpModeSetPlane.Name(), id.String(), err)
	}
	return nil
}

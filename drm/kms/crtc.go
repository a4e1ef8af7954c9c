package kms

import (
	"runtime"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/internal/uapi"
	"github.com/gemtool/gemtool/drm/ioctl"
)

// CRTC makes one picture of planes, at a mode's pace.
type CRTC struct {
	ID        CRTCID
	FB        FBID   // that its primary plane shows, 0 for none
	X, Y      uint32 // where in the framebuffer the picture starts, in pixels
	Mode      *Mode  // nil: it is off
	GammaSize uint32 // entries of the tables of ReadGamma, 0 for none
}

// ReadCRTC reads what a CRTC is set to.
//
// Nodes: card. Errors: ENOENT for an unknown CRTC; ErrNotSupported on a device
// without modesetting. Source: drm_crtc.c.
func ReadCRTC(d *drm.Device, id CRTCID) (CRTC, error) {
	arg := uapi.ModeCRTC{CRTCID: uint32(id)}
	if err := uapi.OpModeGetCRTC.Do(d.FD(), &arg); err != nil {
		return CRTC{}, d.NewError(uapi.OpModeGetCRTC.Name(), id.String(), err)
	}
	c := CRTC{ID: id, FB: FBID(arg.FBID), X: arg.X, Y: arg.Y, GammaSize: arg.GammaSize}
	if arg.ModeValid != 0 {
		m := modeOf(&arg.Mode)
		c.Mode = &m
	}
	return c, nil
}

// CRTCSetup is what SetCRTC sets a CRTC to. The zero value is off.
type CRTCSetup struct {
	FB         FBID
	X, Y       uint32 // where in the framebuffer the picture starts, in pixels
	Mode       *Mode
	Connectors []ConnectorID
}

// SameFB is for CRTCSetup.FB: what the CRTC shows already.
const SameFB FBID = 1<<32 - 1

// SetCRTC has a CRTC show a framebuffer at connectors, which leave the CRTCs
// that they were on, or switches it off. It waits until that is done.
//
// Nodes: card. Permissions: master. Errors: ENOENT for an unknown CRTC,
// framebuffer or connector; EINVAL for a mode without connectors, connectors
// without a mode, SameFB of nothing, a mode or format that the driver does not
// do; ENOSPC for a picture larger than the framebuffer; ERANGE for a place
// beyond 16 bits. Source: drm_crtc.c.
func SetCRTC(d *drm.Device, id CRTCID, s CRTCSetup) error {
	var pin runtime.Pinner
	defer pin.Unpin()
	arg := uapi.ModeCRTC{
		CRTCID: uint32(id), FBID: uint32(s.FB), X: s.X, Y: s.Y,
		SetConnectorsPtr: ioctl.Addr(&pin, s.Connectors), CountConnectors: uint32(len(s.Connectors)),
	}
	if s.Mode != nil {
		arg.ModeValid, arg.Mode = 1, s.Mode.info()
	}
	if err := uapi.OpModeSetCRTC.Do(d.FD(), &arg); err != nil {
		return d.NewError(uapi.OpModeSetCRTC.Name(), id.String(), err)
	}
	return nil
}

package kms

import (
	"fmt"
	"runtime"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/internal/uapi"
	"github.com/gemtool/gemtool/drm/ioctl"
)

// Gamma are the tables by which a CRTC looks up what to show for a color, each
// of CRTC.GammaSize entries: the darkest is first, 65535 is all the light.
type Gamma struct {
	Red, Green, Blue []uint16
}

// ReadGamma reads what SetGamma set last.
//
// Nodes: card. Errors: ENOENT for an unknown CRTC; EINVAL for another size
// than the CRTC's; ErrRange; ErrNotSupported on a device without modesetting.
// Source: drm_color_mgmt.c.
func ReadGamma(d *drm.Device, id CRTCID, size uint32) (Gamma, error) {
	fail := func(err error) (Gamma, error) {
		return Gamma{}, d.NewError(uapi.OpModeGetGamma.Name(), fmt.Sprintf("%v of %d", id, size), err)
	}
	if size > maxList {
		return fail(drm.ErrRange)
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	g := Gamma{make([]uint16, size), make([]uint16, size), make([]uint16, size)}
	arg := gammaArg(&pin, id, g)
	if err := uapi.OpModeGetGamma.Do(d.FD(), &arg); err != nil {
		return fail(err)
	}
	return g, nil
}

// SetGamma sets the tables of a CRTC, all of one size.
//
// Nodes: card. Permissions: master. Errors: ErrRange for tables of several
// sizes; ENOENT for an unknown CRTC; EINVAL for another size than the CRTC's;
// ErrNotSupported for a CRTC without such tables (ENOSYS), and on a device
// without modesetting. Source: drm_color_mgmt.c.
func SetGamma(d *drm.Device, id CRTCID, g Gamma) error {
	fail := func(err error) error {
		return d.NewError(uapi.OpModeSetGamma.Name(), fmt.Sprintf("%v of %d", id, len(g.Red)), err)
	}
	if len(g.Green) != len(g.Red) || len(g.Blue) != len(g.Red) || len(g.Red) > maxList {
		return fail(drm.ErrRange)
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	arg := gammaArg(&pin, id, g)
	if err := uapi.OpModeSetGamma.Do(d.FD(), &arg); err != nil {
		return fail(err)
	}
	return nil
}

func gammaArg(pin *runtime.Pinner, id CRTCID, g Gamma) uapi.ModeCRTCLUT {
	return uapi.ModeCRTCLUT{
		CRTCID: uint32(id), GammaSize: uint32(len(g.Red)),
		Red: ioctl.Addr(pin, g.Red), Green: ioctl.Addr(pin, g.Green), Blue: ioctl.Addr(pin, g.Blue),
	}
}

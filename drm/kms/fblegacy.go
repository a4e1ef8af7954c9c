package kms

import (
	"fmt"
	"runtime"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/internal/uapi"
	"github.com/gemtool/gemtool/drm/ioctl"
)

// LegacyFB is a framebuffer whose format is told by numbers of bits.
type LegacyFB struct {
	Handle        drm.Handle
	Width, Height uint32 // pixels
	Pitch         uint32 // bytes from a row to the next
	BPP           uint32 // bits of a pixel
	Depth         uint32 // of them, bits that are color
}

// AddFB makes a framebuffer in the way that every driver knows. AddFB2 can say
// more.
//
// Nodes: card. Errors: EINVAL for bits that are no format (8/8, 16/15, 16/16,
// 24/24, 32/24, 32/30 and 32/32 can be one), and what AddFB2 has. Source:
// drm_framebuffer.c.
func AddFB(d *drm.Device, fb LegacyFB) (FBID, error) {
	arg := uapi.ModeFBCmd{
		Width: fb.Width, Height: fb.Height, Pitch: fb.Pitch,
		BPP: fb.BPP, Depth: fb.Depth, Handle: uint32(fb.Handle),
	}
	if err := uapi.OpModeAddFB.Do(d.FD(), &arg); err != nil {
		object := fmt.Sprintf("%dx%d of %d bits, depth %d", fb.Width, fb.Height, fb.BPP, fb.Depth)
		return 0, d.NewError(uapi.OpModeAddFB.Name(), object, err)
	}
	return FBID(arg.FBID), nil
}

// Clip is a part of a framebuffer: pixels from X1, Y1 up to and without X2,
// Y2.
type Clip struct {
	X1, Y1, X2, Y2 uint16
}

// MaxClips is how many parts DirtyFB takes, DRM_MODE_FB_DIRTY_MAX_CLIPS.
const MaxClips = 256

// DirtyFB tells the driver that parts of a framebuffer have been drawn to, all
// of it without clips. Drivers that copy what they show (virtio-gpu, USB
// displays) show it only then.
//
// Nodes: card. Permissions: master. Errors: ErrRange for more than MaxClips;
// ENOENT for an unknown framebuffer; ErrNotSupported for a driver that shows
// memory as it is and needs no telling (ENOSYS), and on a device without
// modesetting. Source: drm_framebuffer.c.
func DirtyFB(d *drm.Device, id FBID, clips ...Clip) error {
	if len(clips) > MaxClips {
		return d.NewError(uapi.OpModeDirtyFB.Name(), id.String(), drm.ErrRange)
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	rects := make([]uapi.ClipRect, len(clips))
	for i, c := range clips {
		rects[i] = uapi.ClipRect{X1: c.X1, Y1: c.Y1, X2: c.X2, Y2: c.Y2}
	}
	arg := uapi.ModeFBDirtyCmd{FBID: uint32(id), ClipsPtr: ioctl.Addr(&pin, rects), NumClips: uint32(len(rects))}
	if err := uapi.OpModeDirtyFB.Do(d.FD(), &arg); err != nil {
		return d.NewError(uapi.OpModeDirtyFB.Name(), id.String(), err)
	}
	return nil
}

package kms

import (
	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/internal/uapi"
)

// FlipFlags say how PageFlip is done.
type FlipFlags uint32

// The flags of <drm/drm_mode.h>.
const (
	FlipEvent          FlipFlags = 0x1 // send an event with UserData when it is done
	FlipAsync          FlipFlags = 0x2 // do not wait for the vertical blank: drm.CapAsyncPageFlip
	FlipTargetAbsolute FlipFlags = 0x4 // at the vertical blank Sequence: drm.CapPageFlipTarget
	FlipTargetRelative FlipFlags = 0x8 // Sequence vertical blanks from now
)

// Flip is what PageFlip is to show.
type Flip struct {
	FB       FBID
	Flags    FlipFlags
	Sequence uint32 // 0 without one of the flags for a target
	UserData uint64 // comes back with the event
}

// PageFlip has a CRTC show another framebuffer of the same format from its
// next vertical blank on, and does not wait for that: the event tells.
//
// Nodes: card. Permissions: master. Errors: EBUSY while an earlier flip is
// under way, and on a CRTC that shows nothing; ENOENT for an unknown CRTC or
// framebuffer; EINVAL for another format, flags or a target that the driver
// does not do, and on a CRTC that is switched off with what it shows; ENOSPC
// for a picture larger than the framebuffer; ENOMEM when more events wait than
// the file has room for. Source: drm_plane.c.
func PageFlip(d *drm.Device, id CRTCID, f Flip) error {
	arg := uapi.ModeCRTCPageFlipTarget{
		CRTCID: uint32(id), FBID: uint32(f.FB),
		Flags: uint32(f.Flags), Sequence: f.Sequence, UserData: f.UserData,
	}
	if err := uapi.OpModePageFlip.Do(d.FD(), &arg); err != nil {
		return d.NewError(uapi.OpModePageFlip.Name(), id.String(), err)
	}
	return nil
}

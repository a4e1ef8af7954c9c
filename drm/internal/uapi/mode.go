package uapi

import (
	"structs"

	"github.com/gemtool/gemtool/drm/ioctl"
)

// ModeCreateDumb is struct drm_mode_create_dumb.
type ModeCreateDumb struct {
	_      structs.HostLayout
	Height uint32
	Width  uint32
	BPP    uint32
	Flags  uint32
	Handle uint32
	Pitch  uint32
	Size   uint64
}

// ModeMapDumb is struct drm_mode_map_dumb.
type ModeMapDumb struct {
	_      structs.HostLayout
	Handle uint32
	Pad    uint32
	Offset uint64
}

// ModeDestroyDumb is struct drm_mode_destroy_dumb.
type ModeDestroyDumb struct {
	_      structs.HostLayout
	Handle uint32
}

// ModeFBCmd2 is struct drm_mode_fb_cmd2.
type ModeFBCmd2 struct {
	_           structs.HostLayout
	FBID        uint32
	Width       uint32
	Height      uint32
	PixelFormat uint32
	Flags       uint32
	Handles     [4]uint32
	Pitches     [4]uint32
	Offsets     [4]uint32
	_           padU64
	Modifier    [4]uint64
}

// ModeFBModifiers is DRM_MODE_FB_MODIFIERS, a flag of ModeFBCmd2.
const ModeFBModifiers = 1 << 1

// ModeFBCmd is struct drm_mode_fb_cmd.
type ModeFBCmd struct {
	_      structs.HostLayout
	FBID   uint32
	Width  uint32
	Height uint32
	Pitch  uint32
	BPP    uint32
	Depth  uint32
	Handle uint32
}

// ModeFBDirtyCmd is struct drm_mode_fb_dirty_cmd.
type ModeFBDirtyCmd struct {
	_        structs.HostLayout
	FBID     uint32
	Flags    uint32
	Color    uint32
	NumClips uint32
	ClipsPtr uint64
}

// ClipRect is struct drm_clip_rect. The second corner is outside of it.
type ClipRect struct {
	_  structs.HostLayout
	X1 uint16
	Y1 uint16
	X2 uint16
	Y2 uint16
}

// ModeRmFB is the argument of RMFB, an unsigned int.
type ModeRmFB struct {
	_    structs.HostLayout
	FBID uint32
}

// ModeCloseFB is struct drm_mode_closefb.
type ModeCloseFB struct {
	_    structs.HostLayout
	FBID uint32
	Pad  uint32
}

// The ioctls of <drm/drm_mode.h>, of buffers and framebuffers.
var (
	OpModeAddFB       = ioctl.ReadWrite[ModeFBCmd]("MODE_ADDFB", base, 0xae)
	OpModeRmFB        = ioctl.ReadWrite[ModeRmFB]("MODE_RMFB", base, 0xaf)
	OpModeDirtyFB     = ioctl.ReadWrite[ModeFBDirtyCmd]("MODE_DIRTYFB", base, 0xb1)
	OpModeCreateDumb  = ioctl.ReadWrite[ModeCreateDumb]("MODE_CREATE_DUMB", base, 0xb2)
	OpModeMapDumb     = ioctl.ReadWrite[ModeMapDumb]("MODE_MAP_DUMB", base, 0xb3)
	OpModeDestroyDumb = ioctl.ReadWrite[ModeDestroyDumb]("MODE_DESTROY_DUMB", base, 0xb4)
	OpModeAddFB2      = ioctl.ReadWrite[ModeFBCmd2]("MODE_ADDFB2", base, 0xb8)
	OpModeGetFB2      = ioctl.ReadWrite[ModeFBCmd2]("MODE_GETFB2", base, 0xce)
	OpModeCloseFB     = ioctl.ReadWrite[ModeCloseFB]("MODE_CLOSEFB", base, 0xd0)
)

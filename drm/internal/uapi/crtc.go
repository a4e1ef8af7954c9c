package uapi

import (
	"structs"

	"github.com/gemtool/gemtool/drm/ioctl"
)

// ModeCRTC is struct drm_mode_crtc.
type ModeCRTC struct {
	_                structs.HostLayout
	SetConnectorsPtr uint64
	CountConnectors  uint32
	CRTCID           uint32
	FBID             uint32
	X                uint32
	Y                uint32
	GammaSize        uint32
	ModeValid        uint32
	Mode             ModeModeInfo
}

// ModeSetPlane is struct drm_mode_set_plane. The source is in 16.16 fixed
// point, its height before its width.
type ModeSetPlane struct {
	_       structs.HostLayout
	PlaneID uint32
	CRTCID  uint32
	FBID    uint32
	Flags   uint32
	CRTCX   int32
	CRTCY   int32
	CRTCW   uint32
	CRTCH   uint32
	SrcX    uint32
	SrcY    uint32
	SrcH    uint32
	SrcW    uint32
}

// ModeCursor is struct drm_mode_cursor.
type ModeCursor struct {
	_      structs.HostLayout
	Flags  uint32
	CRTCID uint32
	X      int32
	Y      int32
	Width  uint32
	Height uint32
	Handle uint32
}

// ModeCursor2 is struct drm_mode_cursor2.
type ModeCursor2 struct {
	_      structs.HostLayout
	Flags  uint32
	CRTCID uint32
	X      int32
	Y      int32
	Width  uint32
	Height uint32
	Handle uint32
	HotX   int32
	HotY   int32
}

// The flags of ModeCursor and ModeCursor2.
const (
	ModeCursorBO   = 1 << 0 // DRM_MODE_CURSOR_BO
	ModeCursorMove = 1 << 1 // DRM_MODE_CURSOR_MOVE
)

// ModeCRTCLUT is struct drm_mode_crtc_lut.
type ModeCRTCLUT struct {
	_         structs.HostLayout
	CRTCID    uint32
	GammaSize uint32
	Red       uint64
	Green     uint64
	Blue      uint64
}

// ModeCRTCPageFlipTarget is struct drm_mode_crtc_page_flip_target, and with
// a Sequence of 0 struct drm_mode_crtc_page_flip.
type ModeCRTCPageFlipTarget struct {
	_        structs.HostLayout
	CRTCID   uint32
	FBID     uint32
	Flags    uint32
	Sequence uint32
	UserData uint64
}

// The ioctls of <drm/drm_mode.h> that set a CRTC and its planes.
var (
	OpModeGetCRTC  = ioctl.ReadWrite[ModeCRTC]("MODE_GETCRTC", base, 0xa1)
	OpModeSetCRTC  = ioctl.ReadWrite[ModeCRTC]("MODE_SETCRTC", base, 0xa2)
	OpModeCursor   = ioctl.ReadWrite[ModeCursor]("MODE_CURSOR", base, 0xa3)
	OpModeGetGamma = ioctl.ReadWrite[ModeCRTCLUT]("MODE_GETGAMMA", base, 0xa4)
	OpModeSetGamma = ioctl.ReadWrite[ModeCRTCLUT]("MODE_SETGAMMA", base, 0xa5)
	OpModePageFlip = ioctl.ReadWrite[ModeCRTCPageFlipTarget]("MODE_PAGE_FLIP", base, 0xb0)
	OpModeSetPlane = ioctl.ReadWrite[ModeSetPlane]("MODE_SETPLANE", base, 0xb7)
	OpModeCursor2  = ioctl.ReadWrite[ModeCursor2]("MODE_CURSOR2", base, 0xbb)
)

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

// The ioctls of <drm/drm_mode.h>.
var (
	OpModeCreateDumb  = ioctl.ReadWrite[ModeCreateDumb]("MODE_CREATE_DUMB", base, 0xb2)
	OpModeMapDumb     = ioctl.ReadWrite[ModeMapDumb]("MODE_MAP_DUMB", base, 0xb3)
	OpModeDestroyDumb = ioctl.ReadWrite[ModeDestroyDumb]("MODE_DESTROY_DUMB", base, 0xb4)
)

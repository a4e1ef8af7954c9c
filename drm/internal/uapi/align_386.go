package uapi

import "structs"

// C on i386 aligns a u64 to 4 bytes, as Go does, and a 64-bit kernel expects
// just that of a 32-bit program.

// padU64 is what C puts before a u64 that follows an odd number of u32.
type padU64 [0]uint32

// ModeGetPlaneRes is struct drm_mode_get_plane_res.
type ModeGetPlaneRes struct {
	_           structs.HostLayout
	PlaneIDPtr  uint64
	CountPlanes uint32
}

// ModeObjGetProperties is struct drm_mode_obj_get_properties.
type ModeObjGetProperties struct {
	_             structs.HostLayout
	PropsPtr      uint64
	PropValuesPtr uint64
	CountProps    uint32
	ObjID         uint32
	ObjType       uint32
}

// ModeObjSetProperty is struct drm_mode_obj_set_property.
type ModeObjSetProperty struct {
	_       structs.HostLayout
	Value   uint64
	PropID  uint32
	ObjID   uint32
	ObjType uint32
}

// unwritten is in no modifier's lower half that a framebuffer can have.
const unwritten = 1<<32 - 1

// AwaitModifier prepares c for GETFB2, after which FirstModifier is what the
// kernel says. A 64-bit kernel has compat code for ADDFB2 alone: it writes the
// modifiers of GETFB2 4 bytes on, where its own structure has them, and leaves
// what is its padding as it was. See drm_ioc32.c.
func (c *ModeFBCmd2) AwaitModifier() { c.Modifier[0] = unwritten }

// FirstModifier returns the modifier of the first plane.
func (c *ModeFBCmd2) FirstModifier() uint64 {
	if uint32(c.Modifier[0]) == unwritten {
		return c.Modifier[0]>>32 | c.Modifier[1]<<32
	}
	return c.Modifier[0]
}

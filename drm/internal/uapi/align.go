//go:build !386

package uapi

import "structs"

// C aligns a u64 to 8 bytes, also on arm, where Go aligns it to 4. What this
// is about on 386 is in align_386.go: a padding of no bytes at a structure's
// end would make Go pad it.

// padU64 is what C puts before a u64 that follows an odd number of u32.
type padU64 [1]uint32

// ModeGetPlaneRes is struct drm_mode_get_plane_res.
type ModeGetPlaneRes struct {
	_           structs.HostLayout
	PlaneIDPtr  uint64
	CountPlanes uint32
	_           padU64
}

// ModeObjGetProperties is struct drm_mode_obj_get_properties.
type ModeObjGetProperties struct {
	_             structs.HostLayout
	PropsPtr      uint64
	PropValuesPtr uint64
	CountProps    uint32
	ObjID         uint32
	ObjType       uint32
	_             padU64
}

// ModeObjSetProperty is struct drm_mode_obj_set_property.
type ModeObjSetProperty struct {
	_       structs.HostLayout
	Value   uint64
	PropID  uint32
	ObjID   uint32
	ObjType uint32
	_       padU64
}

// AwaitModifier prepares c for GETFB2, after which FirstModifier is what the
// kernel says.
func (c *ModeFBCmd2) AwaitModifier() {}

// FirstModifier returns the modifier of the first plane.
func (c *ModeFBCmd2) FirstModifier() uint64 { return c.Modifier[0] }

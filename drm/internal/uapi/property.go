package uapi

import (
	"structs"

	"github.com/gemtool/gemtool/drm/ioctl"
)

// ModeGetProperty is struct drm_mode_get_property.
type ModeGetProperty struct {
	_              structs.HostLayout
	ValuesPtr      uint64
	EnumBlobPtr    uint64
	PropID         uint32
	Flags          uint32
	Name           [32]byte
	CountValues    uint32
	CountEnumBlobs uint32
}

// ModePropertyEnum is struct drm_mode_property_enum.
type ModePropertyEnum struct {
	_     structs.HostLayout
	Value uint64
	Name  [32]byte
}

// ModeGetBlob is struct drm_mode_get_blob.
type ModeGetBlob struct {
	_      structs.HostLayout
	BlobID uint32
	Length uint32
	Data   uint64
}

// ModeCreateBlob is struct drm_mode_create_blob.
type ModeCreateBlob struct {
	_      structs.HostLayout
	Data   uint64
	Length uint32
	BlobID uint32
}

// ModeDestroyBlob is struct drm_mode_destroy_blob.
type ModeDestroyBlob struct {
	_      structs.HostLayout
	BlobID uint32
}

// ModeFormatModifierBlob is struct drm_format_modifier_blob, the head of the
// blob of a plane's IN_FORMATS. Offsets count bytes from its start.
type ModeFormatModifierBlob struct {
	_               structs.HostLayout
	Version         uint32
	Flags           uint32
	CountFormats    uint32
	FormatsOffset   uint32
	CountModifiers  uint32
	ModifiersOffset uint32
}

// ModeFormatModifier is struct drm_format_modifier.
type ModeFormatModifier struct {
	_        structs.HostLayout
	Formats  uint64
	Offset   uint32
	Pad      uint32
	Modifier uint64
}

// The types of objects, DRM_MODE_OBJECT_*.
const (
	ModeObjectCRTC      = 0xcccccccc // DRM_MODE_OBJECT_CRTC
	ModeObjectConnector = 0xc0c0c0c0 // DRM_MODE_OBJECT_CONNECTOR
	ModeObjectEncoder   = 0xe0e0e0e0 // DRM_MODE_OBJECT_ENCODER
	ModeObjectFB        = 0xfbfbfbfb // DRM_MODE_OBJECT_FB
	ModeObjectPlane     = 0xeeeeeeee // DRM_MODE_OBJECT_PLANE
	ModeObjectColorOp   = 0xfafafafa // DRM_MODE_OBJECT_COLOROP
	ModeObjectAny       = 0          // DRM_MODE_OBJECT_ANY
)

// The flags of ModeGetProperty, DRM_MODE_PROP_*. Types up to bitmask have a
// bit each, the later ones are numbers in ModePropExtendedType.
const (
	ModePropRange        = 1 << 1     // DRM_MODE_PROP_RANGE
	ModePropImmutable    = 1 << 2     // DRM_MODE_PROP_IMMUTABLE
	ModePropEnum         = 1 << 3     // DRM_MODE_PROP_ENUM
	ModePropBlob         = 1 << 4     // DRM_MODE_PROP_BLOB
	ModePropBitmask      = 1 << 5     // DRM_MODE_PROP_BITMASK
	ModePropExtendedType = 0x0000ffc0 // DRM_MODE_PROP_EXTENDED_TYPE
	ModePropObject       = 1 << 6     // DRM_MODE_PROP_OBJECT
	ModePropSignedRange  = 2 << 6     // DRM_MODE_PROP_SIGNED_RANGE
	ModePropAtomic       = 1 << 31    // DRM_MODE_PROP_ATOMIC
)

// The ioctls of <drm/drm_mode.h>, of objects' properties.
var (
	OpModeGetProperty      = ioctl.ReadWrite[ModeGetProperty]("MODE_GETPROPERTY", base, 0xaa)
	OpModeGetPropBlob      = ioctl.ReadWrite[ModeGetBlob]("MODE_GETPROPBLOB", base, 0xac)
	OpModeObjGetProperties = ioctl.ReadWrite[ModeObjGetProperties]("MODE_OBJ_GETPROPERTIES", base, 0xb9)
	OpModeObjSetProperty   = ioctl.ReadWrite[ModeObjSetProperty]("MODE_OBJ_SETPROPERTY", base, 0xba)
	OpModeCreatePropBlob   = ioctl.ReadWrite[ModeCreateBlob]("MODE_CREATEPROPBLOB", base, 0xbd)
	OpModeDestroyPropBlob  = ioctl.ReadWrite[ModeDestroyBlob]("MODE_DESTROYPROPBLOB", base, 0xbe)
)

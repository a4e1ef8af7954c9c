package uapi

import (
	"structs"

	"github.com/gemtool/gemtool/drm/ioctl"
)

// ModeModeInfo is struct drm_mode_modeinfo.
type ModeModeInfo struct {
	_          structs.HostLayout
	Clock      uint32 // kHz
	HDisplay   uint16
	HSyncStart uint16
	HSyncEnd   uint16
	HTotal     uint16
	HSkew      uint16
	VDisplay   uint16
	VSyncStart uint16
	VSyncEnd   uint16
	VTotal     uint16
	VScan      uint16
	VRefresh   uint32 // Hz
	Flags      uint32
	Type       uint32
	Name       [32]byte
}

// ModeCardRes is struct drm_mode_card_res.
type ModeCardRes struct {
	_               structs.HostLayout
	FBIDPtr         uint64
	CRTCIDPtr       uint64
	ConnectorIDPtr  uint64
	EncoderIDPtr    uint64
	CountFBs        uint32
	CountCRTCs      uint32
	CountConnectors uint32
	CountEncoders   uint32
	MinWidth        uint32
	MaxWidth        uint32
	MinHeight       uint32
	MaxHeight       uint32
}

// ModeGetEncoder is struct drm_mode_get_encoder.
type ModeGetEncoder struct {
	_              structs.HostLayout
	EncoderID      uint32
	EncoderType    uint32
	CRTCID         uint32
	PossibleCRTCs  uint32
	PossibleClones uint32
}

// ModeGetConnector is struct drm_mode_get_connector.
type ModeGetConnector struct {
	_               structs.HostLayout
	EncodersPtr     uint64
	ModesPtr        uint64
	PropsPtr        uint64
	PropValuesPtr   uint64
	CountModes      uint32
	CountProps      uint32
	CountEncoders   uint32
	EncoderID       uint32
	ConnectorID     uint32
	ConnectorType   uint32
	ConnectorTypeID uint32
	Connection      uint32
	MMWidth         uint32
	MMHeight        uint32
	Subpixel        uint32
	Pad             uint32
}

// ModeGetPlane is struct drm_mode_get_plane.
type ModeGetPlane struct {
	_                structs.HostLayout
	PlaneID          uint32
	CRTCID           uint32
	FBID             uint32
	PossibleCRTCs    uint32
	GammaSize        uint32
	CountFormatTypes uint32
	FormatTypePtr    uint64
}

// ModeAtomic is struct drm_mode_atomic.
type ModeAtomic struct {
	_             structs.HostLayout
	Flags         uint32
	CountObjs     uint32
	ObjsPtr       uint64
	CountPropsPtr uint64
	PropsPtr      uint64
	PropValuesPtr uint64
	Reserved      uint64
	UserData      uint64
}

// The ioctls of <drm/drm_mode.h>, of what shows framebuffers.
var (
	OpModeGetResources      = ioctl.ReadWrite[ModeCardRes]("MODE_GETRESOURCES", base, 0xa0)
	OpModeGetEncoder        = ioctl.ReadWrite[ModeGetEncoder]("MODE_GETENCODER", base, 0xa6)
	OpModeGetConnector      = ioctl.ReadWrite[ModeGetConnector]("MODE_GETCONNECTOR", base, 0xa7)
	OpModeGetPlaneResources = ioctl.ReadWrite[ModeGetPlaneRes]("MODE_GETPLANERESOURCES", base, 0xb5)
	OpModeGetPlane          = ioctl.ReadWrite[ModeGetPlane]("MODE_GETPLANE", base, 0xb6)
	OpModeAtomic            = ioctl.ReadWrite[ModeAtomic]("MODE_ATOMIC", base, 0xbc)
)

package uapi

import (
	"structs"

	"github.com/gemtool/gemtool/drm/ioctl"
)

// WaitVBlank is union drm_wait_vblank, of struct drm_wait_vblank_request and
// struct drm_wait_vblank_reply. Long fields are a C long, so its size differs
// between 32 and 64 bits.
type WaitVBlank struct {
	_        structs.HostLayout
	Type     uint32
	Sequence uint32
	Signal   uintptr // request.signal, the user data of an event; reply.tval_sec
	TvalUSec uintptr // reply.tval_usec
}

// CRTCGetSequence is struct drm_crtc_get_sequence.
type CRTCGetSequence struct {
	_          structs.HostLayout
	CRTCID     uint32
	Active     uint32
	Sequence   uint64
	SequenceNS int64
}

// CRTCQueueSequence is struct drm_crtc_queue_sequence.
type CRTCQueueSequence struct {
	_        structs.HostLayout
	CRTCID   uint32
	Flags    uint32
	Sequence uint64
	UserData uint64
}

// Event is struct drm_event, what every event starts with. Length counts it,
// too.
type Event struct {
	_      structs.HostLayout
	Type   uint32
	Length uint32
}

// EventVBlank is struct drm_event_vblank.
type EventVBlank struct {
	_        structs.HostLayout
	Base     Event
	UserData uint64
	TvSec    uint32
	TvUSec   uint32
	Sequence uint32
	CRTCID   uint32
}

// EventCRTCSequence is struct drm_event_crtc_sequence.
type EventCRTCSequence struct {
	_        structs.HostLayout
	Base     Event
	UserData uint64
	TimeNS   int64
	Sequence uint64
}

// Types of WaitVBlank, enum drm_vblank_seq_type. FLIP and SIGNAL are not here:
// every kernel refuses them.
const (
	VBlankAbsolute      = 0x0        // _DRM_VBLANK_ABSOLUTE
	VBlankRelative      = 0x1        // _DRM_VBLANK_RELATIVE
	VBlankHighCRTCMask  = 0x3e       // _DRM_VBLANK_HIGH_CRTC_MASK
	VBlankHighCRTCShift = 1          // _DRM_VBLANK_HIGH_CRTC_SHIFT
	VBlankEvent         = 0x4000000  // _DRM_VBLANK_EVENT
	VBlankNextOnMiss    = 0x10000000 // _DRM_VBLANK_NEXTONMISS
	VBlankSecondary     = 0x20000000 // _DRM_VBLANK_SECONDARY
)

// Flags of CRTCQueueSequence.
const (
	CRTCSequenceRelative   = 1 << 0 // DRM_CRTC_SEQUENCE_RELATIVE
	CRTCSequenceNextOnMiss = 1 << 1 // DRM_CRTC_SEQUENCE_NEXT_ON_MISS
)

// Types of events. Those from 0x80000000 on are drivers' own.
const (
	EventTypeVBlank       = 1 // DRM_EVENT_VBLANK
	EventTypeFlipComplete = 2 // DRM_EVENT_FLIP_COMPLETE
	EventTypeCRTCSequence = 3 // DRM_EVENT_CRTC_SEQUENCE
)

// The ioctls of <drm/drm.h> that wait for a CRTC.
var (
	OpWaitVBlank        = ioctl.ReadWrite[WaitVBlank]("WAIT_VBLANK", base, 0x3a)
	OpCRTCGetSequence   = ioctl.ReadWrite[CRTCGetSequence]("CRTC_GET_SEQUENCE", base, 0x3b)
	OpCRTCQueueSequence = ioctl.ReadWrite[CRTCQueueSequence]("CRTC_QUEUE_SEQUENCE", base, 0x3c)
)

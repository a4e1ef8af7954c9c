package kms

import (
	"time"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/internal/uapi"
)

// Sequence is where a CRTC is in the count of its frames.
type Sequence struct {
	Active   bool   // the CRTC has a mode; it may be switched off all the same
	Sequence uint64 // of the last frame that began
	// Time is when its first pixel left the device, on CLOCK_MONOTONIC.
	Time time.Duration
}

// GetSequence returns where a CRTC is in the count of its frames.
//
// Nodes: card. Errors: EINVAL for a CRTC that is off, on most drivers; ENOENT
// for an unknown CRTC; drm.ErrNotSupported for a driver without vertical
// blankings or modesetting. Source: drm_vblank.c.
func GetSequence(d *drm.Device, crtc CRTCID) (Sequence, error) {
	arg := uapi.CRTCGetSequence{CRTCID: uint32(crtc)}
	if err := uapi.OpCRTCGetSequence.Do(d.FD(), &arg); err != nil {
		return Sequence{}, d.NewError(uapi.OpCRTCGetSequence.Name(), crtc.String(), err)
	}
	return Sequence{Active: arg.Active != 0, Sequence: arg.Sequence, Time: time.Duration(arg.SequenceNS)}, nil
}

// SequenceFlags say which frame QueueSequence means.
type SequenceFlags uint32

// The flags of <drm/drm.h>.
const (
	SequenceRelative   SequenceFlags = uapi.CRTCSequenceRelative   // so many after the last one
	SequenceNextOnMiss SequenceFlags = uapi.CRTCSequenceNextOnMiss // the next one, if it has passed
)

// QueueSequence asks for an event, drm.EventCRTCSequence, when a CRTC begins a
// frame. It returns the frame's number. For one that has passed the event is
// there at once, with the number of the last frame.
//
// Nodes: card. Errors: ENOMEM when too many events are under way: see
// drm.Device.Events; EINVAL for a CRTC that is off and for other flags; ENOENT
// for an unknown CRTC; drm.ErrNotSupported for a driver without vertical
// blankings or modesetting. Source: drm_vblank.c.
func QueueSequence(d *drm.Device, crtc CRTCID, flags SequenceFlags, sequence, userData uint64) (uint64, error) {
	arg := uapi.CRTCQueueSequence{CRTCID: uint32(crtc), Flags: uint32(flags), Sequence: sequence, UserData: userData}
	if err := uapi.OpCRTCQueueSequence.Do(d.FD(), &arg); err != nil {
		return 0, d.NewError(uapi.OpCRTCQueueSequence.Name(), crtc.String(), err)
	}
	return arg.Sequence, nil
}

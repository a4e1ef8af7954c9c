package kms

import (
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/internal/uapi"
)

// VBlankFlags say which vertical blanking is meant.
type VBlankFlags uint32

// The flags of <drm/drm.h>.
const (
	VBlankRelative   VBlankFlags = uapi.VBlankRelative   // so many after the last one
	VBlankNextOnMiss VBlankFlags = uapi.VBlankNextOnMiss // the next one, if it has passed
)

// VBlank is a vertical blanking of a CRTC.
type VBlank struct {
	Sequence uint32 // counts frames, and wraps around
	// Time is when the first pixel of the frame left the device, on
	// CLOCK_MONOTONIC, in whole microseconds.
	Time time.Duration
}

// WaitVBlank waits for a vertical blanking of a CRTC that runs, the one with
// this number or, with VBlankRelative, so many after the last; relative 0 asks
// for the last one and does not wait. It blocks a thread, for three seconds,
// which a signal starts anew: to wait with a context use [QueueVBlank] or
// [QueueSequence].
//
// When the CRTC goes off meanwhile the wait ends, too, without an error and
// with the last vertical blanking that there was. Who waits for a number looks
// for int32(got.Sequence-want) < 0.
//
// The kernel writes the number that it made of a relative one back before it
// waits. So a wait that a signal interrupts goes on for the same vertical
// blanking, however often that happens.
//
// The CRTC is its place in Resources.CRTCs here: the call is older than the
// numbers of CRTCs, and can name 32 of them.
//
// Nodes: card. Errors: EBUSY, which also matches os.ErrDeadlineExceeded, when
// it has not come in that time; EINVAL for a CRTC that is off and for
// one that does not exist; drm.ErrNotSupported for a driver without vertical
// blankings; drm.ErrRange. Source: drm_vblank.c.
func WaitVBlank(d *drm.Device, crtc int, flags VBlankFlags, sequence uint32) (VBlank, error) {
	arg, err := waitVBlank(d, crtc, flags, sequence, 0, 0)
	if err != nil {
		return VBlank{}, err
	}
	return VBlank{
		Sequence: arg.Sequence,
		Time:     time.Duration(int(arg.Signal))*time.Second + time.Duration(int(arg.TvalUSec))*time.Microsecond,
	}, nil
}

// QueueVBlank asks for an event, drm.EventVBlank, when the vertical blanking
// comes. It returns its number.
//
// Nodes: card. Errors: those of [WaitVBlank] but EBUSY; ENOMEM when too many
// events are under way: see drm.Device.Events; drm.ErrRange for user data that
// a C long does not hold, on a system of 32 bits.
func QueueVBlank(d *drm.Device, crtc int, flags VBlankFlags, sequence uint32, userData uint64) (uint32, error) {
	arg, err := waitVBlank(d, crtc, flags, sequence, uapi.VBlankEvent, userData)
	return arg.Sequence, err
}

func waitVBlank(d *drm.Device, crtc int, flags VBlankFlags, sequence, event uint32, userData uint64) (uapi.WaitVBlank, error) {
	fail := func(err error) *drm.Error {
		return d.NewError(uapi.OpWaitVBlank.Name(), fmt.Sprintf("CRTC in place %d", crtc), err)
	}
	const places = uapi.VBlankHighCRTCMask>>uapi.VBlankHighCRTCShift + 1
	if crtc < 0 || crtc >= places || uint64(uintptr(userData)) != userData ||
		flags&^(VBlankRelative|VBlankNextOnMiss) != 0 {
		return uapi.WaitVBlank{}, fail(drm.ErrRange)
	}
	arg := uapi.WaitVBlank{
		Type:     uint32(flags) | event | uint32(crtc)<<uapi.VBlankHighCRTCShift,
		Sequence: sequence,
		Signal:   uintptr(userData),
	}
	if err := uapi.OpWaitVBlank.Do(d.FD(), &arg); err != nil {
		e := fail(err)
		if err == syscall.EBUSY {
			e.Kind = os.ErrDeadlineExceeded
		}
		return uapi.WaitVBlank{}, e
	}
	return arg, nil
}

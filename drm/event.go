package drm

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/gemtool/gemtool/drm/internal/uapi"
)

// EventType says what an event tells.
type EventType uint32

// The types that all drivers share. Those from 0x80000000 on are drivers' own.
const (
	// EventVBlank: a vertical blanking came that was asked for.
	EventVBlank EventType = uapi.EventTypeVBlank
	// EventFlipComplete: a page flip or atomic commit is on the screen.
	EventFlipComplete EventType = uapi.EventTypeFlipComplete
	// EventCRTCSequence: a CRTC reached the sequence that was asked for.
	EventCRTCSequence EventType = uapi.EventTypeCRTCSequence
)

func (t EventType) String() string {
	switch t {
	case EventVBlank:
		return "vblank"
	case EventFlipComplete:
		return "flip complete"
	case EventCRTCSequence:
		return "CRTC sequence"
	}
	return fmt.Sprintf("event %#x", uint32(t))
}

// Event is what the kernel tells a file of something that the file asked for.
// Its fields besides Type are set where the type has them.
type Event struct {
	Type EventType
	// UserData is what the request said.
	UserData uint64
	// Time is when the first pixel of the frame left the device, on
	// CLOCK_MONOTONIC: see [Monotonic]. It is a whole number of
	// microseconds for all but EventCRTCSequence.
	Time time.Duration
	// Sequence counts the CRTC's frames. It has 32 bits, and wraps around,
	// for all but EventCRTCSequence.
	Sequence uint64
	// CRTC is the number of the CRTC, a kms.CRTCID. EventCRTCSequence does
	// not have it: put it in the user data.
	CRTC uint32
	// Data is what stands after the header of an event of another type. It
	// is valid until the next event is asked for.
	Data []byte
}

// errEvent says that the kernel broke its own format.
var errEvent = errors.New("malformed event")

// Sizes of <drm/drm.h>'s structures.
const (
	eventHeader = 8
	eventSize   = 32 // of all types that we know
)

// decodeEvent decodes the first event in b and returns what follows it. The
// kernel never splits an event; one that is longer than its type was when this
// was written has more at its end.
func decodeEvent(b []byte) (e Event, rest []byte, err error) {
	if len(b) < eventHeader {
		return Event{}, nil, fmt.Errorf("%w: %d bytes", errEvent, len(b))
	}
	e.Type = EventType(binary.NativeEndian.Uint32(b))
	length := uint64(binary.NativeEndian.Uint32(b[4:]))
	if length < eventHeader || length > uint64(len(b)) {
		return Event{}, nil, fmt.Errorf("%w: %v of %d bytes, where %d are", errEvent, e.Type, length, len(b))
	}
	b, rest = b[:length], b[length:]
	switch e.Type {
	case EventVBlank, EventFlipComplete, EventCRTCSequence:
	default:
		e.Data = b[eventHeader:]
		return e, rest, nil
	}
	if len(b) < eventSize {
		return Event{}, nil, fmt.Errorf("%w: %v of %d bytes", errEvent, e.Type, length)
	}
	e.UserData = binary.NativeEndian.Uint64(b[8:])
	if e.Type == EventCRTCSequence {
		e.Time = time.Duration(binary.NativeEndian.Uint64(b[16:]))
		e.Sequence = binary.NativeEndian.Uint64(b[24:])
		return e, rest, nil
	}
	e.Time = time.Duration(binary.NativeEndian.Uint32(b[16:]))*time.Second +
		time.Duration(binary.NativeEndian.Uint32(b[20:]))*time.Microsecond
	e.Sequence = uint64(binary.NativeEndian.Uint32(b[24:]))
	e.CRTC = binary.NativeEndian.Uint32(b[28:])
	return e, rest, nil
}

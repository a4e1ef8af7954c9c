package drm

import (
	"encoding/binary"
	"errors"
	"testing"
	"time"
)

// record makes an event as the kernel writes it.
func record(typ, length uint32, fields ...uint64) []byte {
	b := binary.NativeEndian.AppendUint32(nil, typ)
	b = binary.NativeEndian.AppendUint32(b, length)
	for _, f := range fields {
		b = binary.NativeEndian.AppendUint64(b, f)
	}
	return b
}

// pair makes the u64 of two u32 that follow each other.
func pair(a, b uint32) uint64 {
	return binary.NativeEndian.Uint64(binary.NativeEndian.AppendUint32(binary.NativeEndian.AppendUint32(nil, a), b))
}

// TestDecodeEvent passes if events of all types come out of one buffer with
// what they say, also those that are longer than today's or of types that
// nobody knows, and malformed ones are errors.
func TestDecodeEvent(t *testing.T) {
	b := record(1, 32, 7, pair(3, 4), pair(5, 6))
	b = append(b, record(2, 40, 8, pair(0xffffffff, 999999), pair(0xffffffff, 0), 0xdead)...)
	b = append(b, record(3, 32, 9, 1234567890123, 1<<40)...)
	b = append(b, record(0x80000001, 16, 0x11)...)
	b = append(b, record(4, 8)...)
	want := []Event{
		{Type: EventVBlank, UserData: 7, Time: 3*time.Second + 4*time.Microsecond, Sequence: 5, CRTC: 6},
		{Type: EventFlipComplete, UserData: 8, Time: 0xffffffff*time.Second + 999999*time.Microsecond, Sequence: 0xffffffff},
		{Type: EventCRTCSequence, UserData: 9, Time: 1234567890123, Sequence: 1 << 40},
		{Type: 0x80000001, Data: record(0, 0, 0x11)[8:]},
		{Type: 4},
	}
	for i, want := range want {
		var got Event
		var err error
		if got, b, err = decodeEvent(b); err != nil {
			t.Fatalf("event %d: %v", i, err)
		}
		data, wantData := string(got.Data), string(want.Data)
		got.Data, want.Data = nil, nil
		if data != wantData || !sameEvent(got, want) {
			t.Errorf("event %d: %+v %q, want %+v %q", i, got, data, want, wantData)
		}
	}
	if len(b) != 0 {
		t.Errorf("%d bytes left", len(b))
	}
	for name, b := range map[string][]byte{
		"empty":           nil,
		"half a header":   record(1, 32)[:4],
		"length 0":        record(1, 0, 1, 2, 3),
		"length 7":        record(1, 7, 1, 2, 3),
		"more than there": record(1, 33, 1, 2, 3),
		"huge":            record(1, 0xffffffff, 1, 2, 3),
		"short vblank":    record(1, 24, 1, 2, 3),
		"short sequence":  record(3, 31, 1, 2, 3),
	} {
		if e, rest, err := decodeEvent(b); !errors.Is(err, errEvent) || !sameEvent(e, Event{}) || rest != nil {
			t.Errorf("%s: %+v, %v, %v", name, e, rest, err)
		}
	}
}

func sameEvent(a, b Event) bool {
	return a.Type == b.Type && a.UserData == b.UserData && a.Time == b.Time &&
		a.Sequence == b.Sequence && a.CRTC == b.CRTC && string(a.Data) == string(b.Data)
}

// TestDecodeEventAllocations passes if no event allocates.
func TestDecodeEventAllocations(t *testing.T) {
	b := append(record(1, 32, 7, 8, 9), record(0x80000000, 32, 7, 8, 9)...)
	if n := testing.AllocsPerRun(100, func() {
		for rest := b; len(rest) > 0; {
			_, rest, _ = decodeEvent(rest)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzEvents passes if whatever bytes come are taken apart into events that
// lie in them, one after the other, or are an error, and never a panic.
func FuzzEvents(f *testing.F) {
	f.Add(record(1, 32, 7, 8, 9))
	f.Add(append(record(3, 32, 7, 8, 9), record(0x80000000, 16, 1)...))
	f.Add(record(2, 0, 1, 2, 3))
	f.Add(record(2, 0xffffffff))
	f.Fuzz(func(t *testing.T, b []byte) {
		for rest := b; len(rest) > 0; {
			e, after, err := decodeEvent(rest)
			if err != nil {
				if after != nil || !sameEvent(e, Event{}) {
					t.Fatalf("an error and a result: %+v, %v", e, err)
				}
				return
			}
			length := binary.NativeEndian.Uint32(rest[4:])
			if len(rest)-len(after) != int(length) || length < eventHeader {
				t.Fatalf("%d bytes of an event of %d", len(rest)-len(after), length)
			}
			if uint32(e.Type) != binary.NativeEndian.Uint32(rest) {
				t.Fatalf("type %v", e.Type)
			}
			rest = after
		}
	})
}

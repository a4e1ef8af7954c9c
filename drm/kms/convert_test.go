package kms_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/fourcc"
	"github.com/gemtool/gemtool/drm/internal/uapi"
	"github.com/gemtool/gemtool/drm/kms"
)

// hd is 1920x1080 as televisions have it.
var hd = kms.Mode{
	Name: "1920x1080", Clock: 148500,
	HDisplay: 1920, HSyncStart: 2008, HSyncEnd: 2052, HTotal: 2200,
	VDisplay: 1080, VSyncStart: 1084, VSyncEnd: 1089, VTotal: 1125,
	VRefresh: 60, Flags: kms.ModePHSync | kms.ModePVSync | 2<<19, Type: kms.ModeDriver | kms.ModePreferred,
}

// TestRefresh passes if rates are those of the standards, and no timings make
// it divide by nothing or overflow.
func TestRefresh(t *testing.T) {
	with := func(change func(*kms.Mode)) kms.Mode {
		m := hd
		change(&m)
		return m
	}
	for _, test := range []struct {
		name string
		mode kms.Mode
		want uint64
	}{
		{"60 Hz", hd, 60000},
		{"59.94 Hz", with(func(m *kms.Mode) { m.Clock = 148352 }), 59940},
		{"interlaced", with(func(m *kms.Mode) { m.Clock = 74250; m.Flags |= kms.ModeInterlace }), 60000},
		{"doubled lines", with(func(m *kms.Mode) { m.Flags |= kms.ModeDblScan }), 30000},
		{"lines three times", with(func(m *kms.Mode) { m.VScan = 3 }), 20000},
		{"nothing", kms.Mode{}, 0},
		{"no lines", with(func(m *kms.Mode) { m.VTotal = 0 }), 0},
		{"fastest", kms.Mode{Clock: 1<<32 - 1, HTotal: 1, VTotal: 1, Flags: kms.ModeInterlace}, (1<<32 - 1) * 2_000_000},
		{"slowest", kms.Mode{Clock: 1, HTotal: 1<<16 - 1, VTotal: 1<<16 - 1, VScan: 1<<16 - 1, Flags: kms.ModeDblScan}, 0},
	} {
		if got := test.mode.Refresh(); got != test.want {
			t.Errorf("%s: %d, want %d", test.name, got, test.want)
		}
	}
	if s, a := (hd.Flags | 3<<14).Stereo(), hd.Flags.Aspect(); s != 3 || a != 2 {
		t.Errorf("stereo %d, aspect %d", s, a)
	}
}

// TestModeBlob passes if a mode comes back as it was given, with a name that
// has no end, and another size is refused.
func TestModeBlob(t *testing.T) {
	for _, name := range []string{"", "1920x1080", strings.Repeat("x", 32), "\x1b[31m"} {
		want := hd
		want.Name = name
		got, err := kms.ParseMode(want.Blob())
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v", name, got, err)
		}
	}
	long := hd
	long.Name = strings.Repeat("x", 33)
	if got, err := kms.ParseMode(long.Blob()); err != nil || len(got.Name) != 32 {
		t.Errorf("%+v, %v", got, err)
	}
	for _, n := range []int{0, 67, 69} {
		if _, err := kms.ParseMode(make([]byte, n)); !errors.Is(err, drm.ErrRange) {
			t.Errorf("%d bytes: %v, want ErrRange", n, err)
		}
	}
}

// TestNames passes if connectors are called what the kernel calls them.
func TestNames(t *testing.T) {
	for want, c := range map[string]kms.Connector{
		"HDMI-A-1":     {Type: kms.ConnectorHDMIA, TypeID: 1},
		"eDP-2":        {Type: kms.ConnectorEDP, TypeID: 2},
		"USB-3":        {Type: kms.ConnectorUSB, TypeID: 3},
		"Writeback-1":  {Type: kms.ConnectorWriteback, TypeID: 1},
		"type21-1":     {Type: 21, TypeID: 1},
		"type1048576-": {Type: 1 << 20},
	} {
		if got := c.Name(); !strings.HasPrefix(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// formatBlob makes the blob of IN_FORMATS.
func formatBlob(formats []fourcc.Format, modifiers ...uapi.ModeFormatModifier) []byte {
	const head = 24
	b, _ := binary.Append(nil, binary.NativeEndian, uapi.ModeFormatModifierBlob{
		Version: 1, CountFormats: uint32(len(formats)), FormatsOffset: head,
		CountModifiers: uint32(len(modifiers)), ModifiersOffset: uint32(head + 4*len(formats)),
	})
	b, _ = binary.Append(b, binary.NativeEndian, formats)
	b, _ = binary.Append(b, binary.NativeEndian, modifiers)
	return b
}

// TestParseInFormats passes if bits name the right formats, behind the 64th
// as well, and a blob that speaks of what it does not hold is refused.
func TestParseInFormats(t *testing.T) {
	formats := make([]fourcc.Format, 70)
	for i := range formats {
		formats[i] = fourcc.Format(i + 1)
	}
	got, err := kms.ParseInFormats(formatBlob(formats,
		uapi.ModeFormatModifier{Formats: 1<<63 | 5, Modifier: 7},
		uapi.ModeFormatModifier{Formats: 1<<5 | 1, Offset: 64, Modifier: 8},
		uapi.ModeFormatModifier{Modifier: 9},
	))
	want := []kms.FormatModifier{{1, 7}, {3, 7}, {64, 7}, {65, 8}, {70, 8}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
	set := func(word int, value uint32) []byte {
		b := formatBlob(formats[:2], uapi.ModeFormatModifier{Formats: 3})
		binary.NativeEndian.PutUint32(b[4*word:], value)
		return b
	}
	for name, test := range map[string]struct {
		blob []byte
		want error
	}{
		"as it is":              {set(1, 0), nil},
		"empty":                 {nil, drm.ErrRange},
		"short":                 {set(1, 0)[:23], drm.ErrRange},
		"another version":       {set(0, 2), drm.ErrNotSupported},
		"too many formats":      {set(2, 1<<32-1), drm.ErrRange},
		"formats behind it":     {set(3, 1<<32-1), drm.ErrRange},
		"too many modifiers":    {set(4, 2), drm.ErrRange},
		"modifiers behind it":   {set(5, 33), drm.ErrRange},
		"bits without formats":  {set(8, 7), drm.ErrRange},
		"offset behind formats": {set(10, 1<<32-1), drm.ErrRange},
	} {
		if _, err := kms.ParseInFormats(test.blob); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
}

// FuzzParseInFormats passes if no blob makes the parser panic, allocate
// without bounds, or answer with pairs and an error at once.
func FuzzParseInFormats(f *testing.F) {
	f.Add(formatBlob([]fourcc.Format{fourcc.XRGB8888, fourcc.NV12}, uapi.ModeFormatModifier{Formats: 3}))
	f.Add(formatBlob(make([]fourcc.Format, 65), uapi.ModeFormatModifier{Formats: 1, Offset: 64, Modifier: 1}))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, blob []byte) {
		before := bytes.Clone(blob)
		pairs, err := kms.ParseInFormats(blob)
		if err != nil && pairs != nil {
			t.Errorf("%d pairs and %v", len(pairs), err)
		}
		// A modifier of 24 bytes has at most 64 pairs.
		if len(pairs) > len(blob)/24*64 {
			t.Errorf("%d pairs of %d bytes", len(pairs), len(blob))
		}
		if !bytes.Equal(blob, before) {
			t.Error("the blob was written to")
		}
	})
}

// FuzzParseMode passes if what is taken for a mode is given back the same.
func FuzzParseMode(f *testing.F) {
	f.Add(hd.Blob())
	f.Add(make([]byte, 68))
	f.Fuzz(func(t *testing.T, blob []byte) {
		m, err := kms.ParseMode(blob)
		if (err == nil) != (len(blob) == 68) {
			t.Fatalf("%d bytes: %v", len(blob), err)
		}
		_ = m.Refresh()
		if again, err2 := kms.ParseMode(m.Blob()); err == nil && (err2 != nil || again != m) {
			t.Errorf("%+v, %v, was %+v", again, err2, m)
		}
	})
}

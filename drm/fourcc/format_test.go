package fourcc_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/gemtool/gemtool/drm/fourcc"
)

// TestString passes if formats have the names of drm_fourcc.h, and no
// character reaches a terminal unescaped.
func TestString(t *testing.T) {
	for f, want := range map[fourcc.Format][2]string{
		fourcc.XRGB8888:                    {"XR24", "XRGB8888"},
		fourcc.RGB565 | fourcc.BigEndian:   {"RG16 big-endian", "RGB565_BE"},
		fourcc.R8:                          {"R8  ", "R8"},
		fourcc.New('N', 'O', 'N', 'E'):     {"NONE", "0x454e4f4e"},
		fourcc.New(0x1b, '[', 'm', '"'):    {`\x1b[m\"`, "0x226d5b1b"},
		fourcc.New(0xff, 0xff, 0x00, 'A'):  {`\xff\xff\x00A`, "0x4100ffff"},
		fourcc.New('a', 0xc3, 0xa4, ' '):   {`a\u00e4 `, "0x20a4c361"},
		fourcc.New('N', 'O', 'N', 'E'|128): {"NONE big-endian", "0xc54e4f4e"},
	} {
		if got := [2]string{f.String(), f.Name()}; got != want {
			t.Errorf("%#x: %q, want %q", uint32(f), got, want)
		}
	}
	if fourcc.New('X', 'R', '2', '4') != fourcc.XRGB8888 {
		t.Error("New puts the characters elsewhere")
	}
}

// TestParseFormat passes if what names no format is refused, and a name goes
// before the same characters.
func TestParseFormat(t *testing.T) {
	for _, s := range []string{"", "XRGB888", "XRGB8888 ", "ABCDE", "0x", "0x100000000", `\x1`, `"`, "XRGB8888_BE_BE", `\xff\xff\xff\xff`, " big-endian", "0xg"} {
		if f, err := fourcc.ParseFormat(s); err == nil {
			t.Errorf("%q: %v", s, f)
		}
	}
	for s, want := range map[string]fourcc.Format{
		"R16F": fourcc.R16F, "R8": fourcc.R8, "C1": fourcc.C1, "A_BE": fourcc.New('A', '_', 'B', 'E'), "NV12_BE": fourcc.NV12 | fourcc.BigEndian,
		"ab": fourcc.New('a', 'b', ' ', ' '), "0x34325258": fourcc.XRGB8888, `\x1b[m\"`: fourcc.New(0x1b, '[', 'm', '"'),
	} {
		if f, err := fourcc.ParseFormat(s); f != want || err != nil {
			t.Errorf("%q: %#x, %v, want %#x", s, uint32(f), err, uint32(want))
		}
	}
}

// TestJSON passes if both types go through JSON as text.
func TestJSON(t *testing.T) {
	type pair struct {
		Format   fourcc.Format
		Modifier fourcc.Modifier
	}
	want := pair{fourcc.XRGB8888, fourcc.ModIntelXTiled}
	text, err := json.Marshal(want)
	if string(text) != `{"Format":"XRGB8888","Modifier":"INTEL_X_TILED"}` || err != nil {
		t.Errorf("%s, %v", text, err)
	}
	var got pair
	if err := json.Unmarshal(text, &got); got != want || err != nil {
		t.Errorf("%v, %v", got, err)
	}
	for _, text := range []string{`{"Format":"?????"}`, `{"Modifier":"?"}`} {
		if err := json.Unmarshal([]byte(text), &got); err == nil {
			t.Errorf("%s: no error", text)
		}
	}
}

// FuzzFormat passes if every format comes back from its name and its text, and
// no text is trusted.
func FuzzFormat(f *testing.F) {
	f.Add(uint32(fourcc.XRGB8888), "XRGB8888")
	f.Add(uint32(fourcc.RGB565|fourcc.BigEndian), "RG16 big-endian")
	f.Add(uint32(0), `\x00\x00`)
	f.Add(^uint32(0), "_BE")
	f.Add(uint32(0x3231564e), "NV12_BE")
	f.Fuzz(func(t *testing.T, n uint32, s string) {
		want := fourcc.Format(n)
		if got, err := fourcc.ParseFormat(want.Name()); got != want || err != nil {
			t.Errorf("%#x: %q is %#x, %v", n, want.Name(), uint32(got), err)
		}
		// Names and numbers go before the same characters; else there is no doubt.
		if text := want.String(); !strings.HasPrefix(text, "0x") {
			got, err := fourcc.ParseFormat(text)
			if err != nil || got != want && got.Name() != text {
				t.Errorf("%#x: %q is %#x, %v", n, text, uint32(got), err)
			}
		}
		if f, err := fourcc.ParseFormat(s); err != nil && f != 0 {
			t.Errorf("%q: both %v and %v", s, f, err)
		}
		if info, ok := want.Info(); ok && (len(info.Planes) == 0 || want.Name() == fmt.Sprintf("%#08x", n)) {
			t.Errorf("%#x: %+v", n, info)
		}
	})
}

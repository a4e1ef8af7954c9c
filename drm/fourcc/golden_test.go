package fourcc_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/gemtool/gemtool/drm/fourcc"
)

// golden returns the lines of testdata/uapi/fourcc.txt that begin with a word,
// split into their other words.
func golden(tb testing.TB, kind string) [][]string {
	tb.Helper()
	text, err := os.ReadFile("../../testdata/uapi/fourcc.txt")
	if err != nil {
		tb.Fatal(err)
	}
	var found [][]string
	for line := range strings.Lines(string(text)) {
		if words := strings.Fields(line); words[0] == kind {
			found = append(found, words[1:])
		}
	}
	if len(found) == 0 {
		tb.Fatalf("no lines %q", kind)
	}
	return found
}

// format is a format as drm_fourcc.h has it.
type format struct {
	fourcc.Format
	name       string
	components string // "[31:0] x:R:G:B 8:8:8:8 little endian", "" for none
}

func goldenFormats(tb testing.TB) []format {
	var all []format
	for _, words := range golden(tb, "format") {
		all = append(all, format{
			Format:     fourcc.Format(number(tb, words[1])),
			name:       words[0],
			components: strings.Trim(strings.Join(words[2:], " "), `"`),
		})
	}
	return all
}

func number(tb testing.TB, s string) uint64 {
	tb.Helper()
	n, err := strconv.ParseUint(s, 0, 64)
	if err != nil {
		tb.Fatal(err)
	}
	return n
}

// TestNames passes if every format of the header has its name and number here,
// and is found by name, characters and number.
func TestNames(t *testing.T) {
	all := goldenFormats(t)
	if len(all) < 148 {
		t.Errorf("%d formats, 7.2 has 148", len(all))
	}
	for _, f := range all {
		if got := f.Name(); got != f.name {
			t.Errorf("%v: name %q, want %q", f, got, f.name)
		}
		for _, s := range []string{f.name, f.String(), strings.TrimRight(f.String(), " "), fmt.Sprintf("%#x", uint32(f.Format))} {
			if got, err := fourcc.ParseFormat(s); got != f.Format || err != nil {
				t.Errorf("%q: %v, %v, want %s", s, got, err, f.name)
			}
		}
		for _, s := range []string{f.name + "_BE", f.String() + " big-endian"} {
			if got, err := fourcc.ParseFormat(s); got != f.Format|fourcc.BigEndian || err != nil {
				t.Errorf("%q: %v, %v, want %s", s, got, err, f.name)
			}
		}
	}
}

// TestKernelLayouts passes if every format has the layout that the kernel's
// table says, and every pitch and size is the kernel's.
func TestKernelLayouts(t *testing.T) {
	byName := make(map[string]fourcc.Format)
	for _, f := range goldenFormats(t) {
		byName[f.name] = f.Format
	}
	planes := make(map[string][][]string)
	for _, words := range golden(t, "plane") {
		planes[words[0]] = append(planes[words[0]], words[2:])
	}
	sizes := golden(t, "sizes")[0]
	for _, words := range golden(t, "info") {
		name := words[0]
		info, ok := byName[name].Info()
		got := fmt.Sprint(len(info.Planes), info.HSub, info.VSub, digit(info.Alpha), digit(info.YUV), digit(info.Indexed))
		if want := strings.Join(words[1:], " "); got != want {
			t.Errorf("%s: %s, the kernel has %s", name, got, want)
			continue
		}
		if linear := planes[name][0][0] != "0"; ok != linear {
			t.Errorf("%s: has a linear layout: %v, want %v", name, ok, linear)
		}
		for i, plane := range info.Planes {
			want := planes[name][i]
			if got := fmt.Sprint(plane.Bytes, plane.Width, plane.Height); got != strings.Join(want[:3], " ") {
				t.Errorf("%s: plane %d: block %s, the kernel has %s", name, i, got, want[:3])
			}
			for n, want := range want[3:] {
				var w, h uint32
				fmt.Sscanf(sizes[n], "%dx%d", &w, &h)
				row, rows := plane.Row(w), plane.Rows(h)
				if got := fmt.Sprintf("%d/%d/%d", plane.MinPitch(w), row, row*rows); got != want {
					t.Errorf("%s of %s: plane %d: pitch, row, size %s, the kernel has %s", name, sizes[n], i, got, want)
				}
			}
		}
	}
}

func digit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// TestHeaderLayouts passes if every format has a layout, and blocks are as
// large as the components that the header lists. That is all there is about
// formats that the kernel's table lacks.
func TestHeaderLayouts(t *testing.T) {
	known := make(map[string]bool)
	for _, words := range golden(t, "info") {
		known[words[0]] = true
	}
	for _, f := range goldenFormats(t) {
		info, ok := f.Info()
		if len(info.Planes) == 0 {
			t.Errorf("%s: no layout", f.name)
			continue
		}
		if big, bigOK := (f.Format | fourcc.BigEndian).Info(); fmt.Sprint(big, bigOK) != fmt.Sprint(info, ok) {
			t.Errorf("%s: the byte order changes its layout", f.name)
		}
		var high int
		if _, err := fmt.Sscanf(f.components, "[%d:0]", &high); err != nil {
			if !known[f.name] {
				t.Errorf("%s: nothing to compare with", f.name)
			}
			continue
		}
		if got := 8 * info.Planes[0].Bytes; got != high+1 || len(info.Planes) != 1 {
			t.Errorf("%s: %d planes, block of %d bits, the header says %s", f.name, len(info.Planes), got, f.components)
		}
		if known[f.name] {
			continue
		}
		names := strings.Fields(f.components)[1]
		if want := strings.Contains(names, "A"); info.Alpha != want {
			t.Errorf("%s: alpha %v, the header says %s", f.name, info.Alpha, f.components)
		}
		if want := strings.Contains(names, "C"); info.YUV != want || info.Planes[0].Width != 1 || info.HSub != 1 {
			t.Errorf("%s: %+v, the header says %s", f.name, info, f.components)
		}
	}
}

// TestModifiers passes if every modifier that the header names, and every one
// that its macros make, has the string expected and is found by it.
func TestModifiers(t *testing.T) {
	for _, words := range append(golden(t, "mod"), golden(t, "made")...) {
		text, m := words[0], fourcc.Modifier(number(t, words[1]))
		switch text { // second names
		case "NONE":
			text = "LINEAR"
		case "GENERIC_16_16_TILE":
			text = "SAMSUNG_16_16_TILE"
		}
		if got := m.String(); got != text {
			t.Errorf("%#x: %s, want %s", uint64(m), got, text)
		}
		for _, s := range []string{words[0], text, fmt.Sprintf("%#x", uint64(m))} {
			if got, err := fourcc.ParseModifier(s); got != m || err != nil {
				t.Errorf("%s: %v, %v, want %#x", s, got, err, uint64(m))
			}
		}
	}
	for _, words := range golden(t, "vendor") {
		if got := (fourcc.Modifier(number(t, words[1])) << 56).Vendor().String(); got != words[0] {
			t.Errorf("vendor %s is %s", words[1], got)
		}
	}
}

package edid_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gemtool/gemtool/drm/edid"
	"github.com/google/go-cmp/cmp"
)

func parse(t *testing.T, raw []byte) edid.EDID {
	t.Helper()
	e, err := edid.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func equal(t *testing.T, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestQEMU passes if the display of QEMU's virtio-gpu is understood, to the
// last bit that says something.
func TestQEMU(t *testing.T) {
	e := parse(t, corpus(t)["qemu-virtio-gpu.hex"])
	mode := edid.Timing{
		Clock:   107300,
		HActive: 1280, HSyncOffset: 320, HSyncWidth: 38, HBlank: 448,
		VActive: 800, VSyncOffset: 4, VSyncWidth: 4, VBlank: 28,
		WidthMM: 325, HeightMM: 203,
	}
	equal(t, e.Detailed, []edid.Timing{mode})
	equal(t, mode.Refresh(), uint32(74994))
	equal(t, e.Name, "QEMU Monitor")
	equal(t, e.Vendor, "RHT")
	equal(t, e.Product, uint16(0x1234))
	equal(t, []int{e.Week, e.Year, int(e.Version), int(e.Revision)}, []int{42, 2014, 1, 4})
	equal(t, e.Input, edid.Input{Digital: true, BitsPerColor: 8, Interface: edid.DisplayPort})
	equal(t, e.Size, edid.Size{WidthCM: 32, HeightCM: 20})
	equal(t, e.Gamma, 2.2)
	equal(t, e.Limits, &edid.Limits{VMin: 50, VMax: 125, HMin: 30, HMax: 160, MaxClock: 2550, Formula: edid.FormulaNone})
	equal(t, len(e.CTA), 1)
	equal(t, e.CTA[0].Video, []edid.VIC{{Code: 125}, {Code: 101}, {Code: 96}, {Code: 89}, {Code: 31}, {Code: 97}})
	equal(t, e.Warnings, []edid.Warning(nil))
}

// TestTruncated passes if what does not begin as an EDID or has no whole base
// block is an error that says so, and of what is cut off behind it the whole
// blocks are read.
func TestTruncated(t *testing.T) {
	raw := corpus(t)["qemu-virtio-gpu.hex"]
	missing := edid.Warning{Kind: edid.WarnMissing, Text: "1 blocks where 2 are counted"}
	for n := range len(raw) {
		want := edid.ErrTruncated
		switch {
		case n < 8:
			want = edid.ErrHeader
		case n >= 128:
			want = nil
		}
		e, err := edid.Parse(raw[:n])
		if !errors.Is(err, want) {
			t.Errorf("%d bytes: %v, want %v", n, err, want)
		}
		if n < 128 {
			continue
		}
		warnings := []edid.Warning{missing}
		if n > 128 {
			warnings = append(warnings, edid.Warning{Kind: edid.WarnLength, Text: fmt.Sprintf("%d bytes behind the last whole block", n-128)})
		}
		equal(t, e.Warnings, warnings)
		equal(t, e.Name, "QEMU Monitor")
		equal(t, len(e.CTA), 0)
	}
	if _, err := edid.Parse(append(slices.Clone(raw), make([]byte, 255*128)...)); !errors.Is(err, edid.ErrTooLong) {
		t.Errorf("257 blocks: %v", err)
	}
	bad := slices.Clone(raw)
	bad[0] = 1
	if _, err := edid.Parse(bad); !errors.Is(err, edid.ErrHeader) {
		t.Errorf("other header: %v", err)
	}
}

// TestWarnings passes if what is wrong is said, and the rest is read.
func TestWarnings(t *testing.T) {
	raw := corpus(t)["qemu-virtio-gpu.hex"]
	for name, c := range map[string]struct {
		change func(b []byte) []byte
		want   edid.Warning
	}{
		"checksum":            {func(b []byte) []byte { b[127]++; return b }, edid.Warning{Kind: edid.WarnChecksum, Text: "block has 0x3b, should be 0x3a"}},
		"of an extension":     {func(b []byte) []byte { b[255]--; return b }, edid.Warning{Block: 1, Kind: edid.WarnChecksum, Text: "block has 0x2e, should be 0x2f"}},
		"extra block":         {func(b []byte) []byte { b[126]--; b[127]++; return b }, edid.Warning{Kind: edid.WarnExtra, Text: "2 blocks where 1 are counted"}},
		"unknown extension":   {func(b []byte) []byte { b[128]++; b[255]--; return b }, edid.Warning{Block: 1, Kind: edid.WarnUnknown, Text: "tag 0x03"}},
		"data block too long": {func(b []byte) []byte { b[132] |= 0x1f; b[255] -= 0x18; return b }, edid.Warning{Block: 1, Kind: edid.WarnLength, Text: "data block 2 of 31 bytes where 6 are left"}},
		"timings nowhere":     {func(b []byte) []byte { b[130] = 3; b[255] += 8; return b }, edid.Warning{Block: 1, Kind: edid.WarnLength, Text: "detailed timings at byte 3"}},
		"text":                {func(b []byte) []byte { b[113] = 0x1b; b[127] += 'Q' - 0x1b; return b }, edid.Warning{Kind: edid.WarnText, Text: `\x1bEMU Monitor`}},
		"vendor":              {func(b []byte) []byte { b[8] = 0; b[127] += 0x49; return b }, edid.Warning{Kind: edid.WarnReserved, Text: "vendor 0x0014 is not three letters"}},
	} {
		t.Run(name, func(t *testing.T) {
			e := parse(t, c.change(slices.Clone(raw)))
			if !slices.Contains(e.Warnings, c.want) {
				t.Errorf("%q is not in %v", c.want, e.Warnings)
			}
			if !strings.HasSuffix(e.Name, "EMU Monitor") {
				t.Errorf("name %q", e.Name)
			}
		})
	}
}

// TestExtensionCount passes if HDMI 2.1's count of extensions is believed, and
// what it counts and is not there is said.
func TestExtensionCount(t *testing.T) {
	r := rand.New(rand.NewPCG(0, 0))
	first := make([]byte, 128)
	copy(first, []byte{2, 3, 7, 0, 7<<5 | 2, 0x78, 2})
	b := base(r)
	b[126] = 1
	raw := slices.Concat(sum(b), sum(first), displayID(r))
	if e := parse(t, raw); len(e.Warnings) != 0 || e.CTA[0].ExtensionCount != 2 || len(e.DisplayIDs) != 1 {
		t.Errorf("%+v", e)
	}
	e := parse(t, raw[:256])
	equal(t, e.Warnings, []edid.Warning{{Kind: edid.WarnMissing, Text: "2 blocks where 3 are counted"}})
	equal(t, len(e.CTA), 1)
}

// TestYCbCr420Map passes if the map counts all codes of all extensions, also
// those that mean nothing.
func TestYCbCr420Map(t *testing.T) {
	ext := func(blocks ...byte) []byte {
		b := make([]byte, 128)
		copy(b, append([]byte{2, 3, byte(4 + len(blocks)), 0}, blocks...))
		return sum(b)
	}
	b := base(rand.New(rand.NewPCG(0, 0)))
	b[126] = 2
	e := parse(t, slices.Concat(sum(b), ext(2<<5|3, 0, 97, 96, 7<<5|2, 15, 0b1010), ext(2<<5|1, 107)))
	equal(t, e.CTA[0].YCbCr420, []uint8{97, 107})
	e = parse(t, slices.Concat(sum(b), ext(2<<5|2, 97, 96), ext(7<<5|1, 15)))
	equal(t, e.CTA[1].YCbCr420, []uint8{97, 96})
}

// TestYCbCr420Bound passes if extensions with a map each of all codes make no
// more of them than is said where they are read, and a second map makes none.
func TestYCbCr420Bound(t *testing.T) {
	b := base(rand.New(rand.NewPCG(0, 0)))
	b[126] = 255
	ext := make([]byte, 128)
	copy(ext, []byte{2, 3, 127, 0, 7<<5 | 1, 15, 7<<5 | 1, 15})
	for i := 8; i < 127; i += 32 {
		n := min(31, 127-i-1)
		ext[i] = 2<<5 | byte(n)
		for j := range n {
			ext[i+1+j] = 97
		}
	}
	raw := slices.Concat(sum(b), bytes.Repeat(sum(ext), 255))
	total := 0
	for _, c := range parse(t, raw).CTA {
		total += len(c.YCbCr420)
	}
	equal(t, total, 255*255*115)
}

// TestBlockMap passes if a map of blocks and a data block that nobody knows are
// kept as they are, and not in the caller's memory.
func TestBlockMap(t *testing.T) {
	blocks := make([]byte, 128)
	blocks[0], blocks[1] = 0xf0, 2
	other := make([]byte, 128)
	copy(other, []byte{2, 3, 9, 0, 3<<5 | 4, 1, 2, 3, 4})
	b := base(rand.New(rand.NewPCG(0, 0)))
	b[126] = 2
	raw := slices.Concat(sum(b), sum(blocks), sum(other))
	e := parse(t, raw)
	clear(raw)
	if len(e.BlockMaps) != 1 || e.BlockMaps[0][0] != 2 {
		t.Errorf("%v", e.BlockMaps)
	}
	equal(t, e.CTA[0].Other, []edid.DataBlock{{Tag: 3, Payload: []byte{1, 2, 3, 4}}})
}

// TestClean passes if no byte of a name is a control sequence.
func TestClean(t *testing.T) {
	raw := bytes.Replace(corpus(t)["qemu-virtio-gpu.hex"], []byte("QEMU Monitor\n"), []byte("\x1b]0;x\a\xff\x80\x00 y\\\n"), 1)
	equal(t, parse(t, raw).Name, `\x1b]0;x\x07\xff\x80\x00 y\`)
}

// TestRefresh passes if no number overflows, and fields are counted.
func TestRefresh(t *testing.T) {
	interlaced, _ := edid.VICTiming(5)
	equal(t, interlaced.Refresh(), uint32(60000))
	even, _ := edid.VICTiming(39)
	equal(t, even.Refresh(), uint32(50000))
	equal(t, edid.Timing{Clock: 1<<32 - 1, HActive: 1, VActive: 1}.Refresh(), uint32(1<<32-1))
	equal(t, edid.Timing{Clock: 1}.Refresh(), uint32(0))
	huge := uint32(1<<32 - 1)
	equal(t, edid.Timing{Clock: 1, HActive: huge, HBlank: 1, VActive: huge, VBlank: 1}.Refresh(), uint32(0))
}

// TestCorpus passes if the EDIDs in testdata are understood as they were when
// edid-decode said the same of them.
func TestCorpus(t *testing.T) {
	for name, raw := range corpus(t) {
		t.Run(name, func(t *testing.T) {
			golden := filepath.Join("testdata", strings.TrimSuffix(name, ".hex")+".txt")
			got := strings.Join(lines(parse(t, raw)), "\n") + "\n"
			if *update {
				compare(t, raw)
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, got, string(want))
		})
	}
}

var update = flag.Bool("update", false, "write what edid-decode agrees with to testdata")

// TestDisplayIDLengths passes if no length of a DisplayID section reaches beyond
// its block.
func TestDisplayIDLengths(t *testing.T) {
	r := rand.New(rand.NewPCG(0, 0))
	for _, c := range []struct {
		at   int
		to   byte
		want string
	}{
		{2, 122, "DisplayID section of 122 bytes"},
		{2, 255, "DisplayID section of 255 bytes"},
		{7, 200, "DisplayID block 0x%02x of 200 bytes where"},
		{19, 9, "DisplayID name of 9 bytes where 8 are left"},
	} {
		b := base(r)
		b[126] = 1
		ext := displayID(r)
		ext[c.at] = c.to
		want := strings.Replace(c.want, "%02x", fmt.Sprintf("%02x", ext[5]), 1)
		e := parse(t, slices.Concat(sum(b), sum(ext)))
		if !slices.ContainsFunc(e.Warnings, func(w edid.Warning) bool { return w.Kind == edid.WarnLength && strings.HasPrefix(w.Text, want) }) {
			t.Errorf("%q is not in %v", want, e.Warnings)
		}
	}
}

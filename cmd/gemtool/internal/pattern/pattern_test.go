package pattern

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
)

const (
	width, height = 256, 64
	pitch         = width*BytesPerPixel + 256
)

func drawn(t *testing.T, p *Picture, pitch int) []byte {
	t.Helper()
	w, h := p.Size()
	pix := make([]byte, pitch*h)
	if err := p.Draw(pix, pitch); err != nil {
		t.Fatalf("%dx%d: %v", w, h, err)
	}
	return pix
}

// TestCompareNotices passes if what was drawn compares equal, and each
// mistake in reading it differs in nearly all pixels and is recognised.
func TestCompareNotices(t *testing.T) {
	p := New("vgem card0", "vkms card1", width, height)
	page := os.Getpagesize()
	for _, test := range []struct {
		name  string
		spoil func(pix []byte) []byte
		pitch int
		guess string
		least int // of pixels that differ
	}{
		{"nothing", func(b []byte) []byte { return b }, pitch, "", 0},
		{"offset by a pixel", func(b []byte) []byte { return append(b[4:], 0, 0, 0, 0) }, pitch, "shifted by 4 bytes", width * height * 9 / 10},
		{"pitch of a pixel less", func(b []byte) []byte { return b }, pitch - 4, "pitch 1280 read as 1276", width * (height - 1) * 9 / 10},
		{"row shifted", func(b []byte) []byte { return append(b[pitch:], make([]byte, pitch)...) }, pitch, "row 1 in the place of row 0", width * (height - 1) * 9 / 10},
		{"page shifted", func(b []byte) []byte { return append(b[page:], make([]byte, page)...) }, pitch, "page 1 in the place of page 0", width * height / 2},
		{"page twice", func(b []byte) []byte { copy(b[page:2*page], b); return b }, pitch, "page 0 in the place of page 1", page / 4 * 7 / 10},
		{"never written", func(b []byte) []byte { clear(b); return b }, pitch, "never written", width * height * 9 / 10},
		{"one pixel", func(b []byte) []byte { b[5*pitch+9*4] ^= 1; return b }, pitch, "", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := p.Compare(test.spoil(drawn(t, p, pitch)), test.pitch, AllBits)
			if test.least == 0 {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var m *Mismatch
			if !errors.As(err, &m) {
				t.Fatalf("got %v, want a mismatch", err)
			}
			if m.Count < test.least {
				t.Errorf("%d pixels differ, want at least %d", m.Count, test.least)
			}
			if !strings.Contains(m.Error(), test.guess) || test.guess == "" && m.Guess != "" {
				t.Errorf("got %q, want it to guess %q", m.Error(), test.guess)
			}
		})
	}
}

// TestFirst passes if the report names the first pixel that differs.
func TestFirst(t *testing.T) {
	p := New("a", "b", width, height)
	pix := drawn(t, p, pitch)
	for _, at := range []int{9*pitch + 7*4, 3*pitch + 11*4} {
		pix[at+1] ^= 0x80
	}
	var m *Mismatch
	if err := p.Compare(pix, pitch, ColorBits); !errors.As(err, &m) {
		t.Fatalf("got %v, want a mismatch", err)
	}
	if m.X != 11 || m.Y != 3 || m.Got^m.Want != 0x8000 || m.Count != 2 {
		t.Errorf("got %+v", m)
	}
}

// TestMask passes if ColorBits ignores the X byte and nothing else.
func TestMask(t *testing.T) {
	p := New("a", "b", width, height)
	pix := drawn(t, p, pitch)
	for i := 3; i < len(pix); i += 4 {
		pix[i] ^= 0xff
	}
	if err := p.Compare(pix, pitch, ColorBits); err != nil {
		t.Error(err)
	}
	if err := p.Compare(pix, pitch, AllBits); err == nil {
		t.Error("AllBits ignores the X byte")
	}
}

// TestPairsDiffer passes if pictures of different pairs differ nearly
// everywhere.
func TestPairsDiffer(t *testing.T) {
	names := [][2]string{{"vgem", "vkms"}, {"vkms", "vgem"}, {"vgemv", "kms"}, {"vgem", "vkms2"}}
	for i, a := range names {
		for _, b := range names[i+1:] {
			var m *Mismatch
			err := New(a[0], a[1], width, height).Compare(drawn(t, New(b[0], b[1], width, height), pitch), pitch, ColorBits)
			if !errors.As(err, &m) || m.Count < width*height*9/10 {
				t.Errorf("%q and %q: %v", a, b, err)
			}
		}
	}
}

// TestFits passes if memory that is too small or a pitch shorter than a row is
// an error, not a panic, and memory that just fits is none.
func TestFits(t *testing.T) {
	p := New("a", "b", 16, 2)
	for _, test := range []struct {
		bytes, pitch int
		ok           bool
	}{{128, 64, true}, {127, 64, false}, {128, 63, false}, {164, 100, true}, {163, 100, false}, {128, -64, false}, {0, 64, false}} {
		pix := make([]byte, test.bytes)
		if err := p.Draw(pix, test.pitch); (err == nil) != test.ok {
			t.Errorf("draw, %d bytes, pitch %d: %v", test.bytes, test.pitch, err)
		}
		if err := p.Compare(pix, test.pitch, AllBits); (err == nil) != test.ok {
			t.Errorf("compare, %d bytes, pitch %d: %v", test.bytes, test.pitch, err)
		}
	}
}

// TestImage passes if the picture for a file has the colours that were drawn.
func TestImage(t *testing.T) {
	p := New("a", "b", 40, 20)
	img := Image(drawn(t, p, 40*BytesPerPixel), 40, 20)
	var got, want []uint32
	for y := range 20 {
		for x := range 40 {
			c := img.NRGBAAt(x, y)
			got = append(got, uint32(c.R)<<16|uint32(c.G)<<8|uint32(c.B))
			want = append(want, p.At(x, y)&ColorBits)
		}
	}
	if !slices.Equal(got, want) {
		t.Error("colours differ from the picture's")
	}
}

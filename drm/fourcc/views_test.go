package fourcc_test

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gemtool/gemtool/drm/fourcc"
)

// component is a part of a pixel, by the words of drm_fourcc.h.
type component struct {
	name        string
	shift, bits int
}

// components reads "[31:0] x:R:G:B 8:8:8:8 little endian". Without numbers all
// are as wide, and the highest comes first.
func components(tb testing.TB, f format) (parts []component, size int) {
	words := strings.Fields(f.components)
	if len(words) < 2 {
		return nil, 0
	}
	if _, err := fmt.Sscanf(words[0], "[%d:0]", &size); err != nil {
		return nil, 0
	}
	size++
	names := strings.Split(words[1], ":")
	shift := size
	for i, name := range names {
		n := size / len(names)
		if len(words) > 2 && strings.ContainsAny(words[2][:1], "0123456789") {
			widths := strings.Split(words[2], ":")
			var err error
			if n, err = strconv.Atoi(widths[i]); err != nil {
				tb.Fatalf("%s: %v", f.name, err)
			}
		}
		shift -= n
		parts = append(parts, component{name, shift, n})
	}
	if shift != 0 {
		tb.Fatalf("%s: %d bits left over in %q", f.name, shift, f.components)
	}
	return parts, size / 8
}

// viewable tells whether NewImage promises a view.
func viewable(parts []component, bytes int) bool {
	has := func(name string) bool {
		return slices.ContainsFunc(parts, func(c component) bool { return c.name == name })
	}
	return has("R") && has("G") && has("B") && bytes <= 8
}

// bytesOf lays a pixel out in memory.
func bytesOf(v uint64, size int, big bool) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(v >> (8 * i))
	}
	if big {
		slices.Reverse(b)
	}
	return b
}

// valueOf returns what a component stands for, of 65535.
func valueOf(f format, c component, n int) float64 {
	if !strings.HasSuffix(f.name, "F") {
		return float64(n) / float64(uint(1)<<c.bits-1) * 0xffff
	}
	exponent, fraction := n>>10&0x1f, float64(n&0x3ff)/1024
	v := math.Ldexp(1+fraction, exponent-15)
	switch {
	case exponent == 0:
		v = math.Ldexp(fraction, -14)
	case exponent == 31 && fraction != 0:
		v = 0
	case exponent == 31:
		v = 1
	}
	if n >= 0x8000 {
		v = 0
	}
	return min(v, 1) * 0xffff
}

// TestViews passes if every packed RGB format has its components where the
// comment in drm_fourcc.h says, in both byte orders: of every value of every
// component, of 16 bits every 13th, read and written.
func TestViews(t *testing.T) {
	views := 0
	for _, f := range goldenFormats(t) {
		parts, size := components(t, f)
		for _, big := range []bool{false, true} {
			format := f.Format
			if big {
				format |= fourcc.BigEndian
			}
			pix := make([]byte, 3*size)
			m, err := fourcc.NewImage(format, pix, 1, 2, 2*size)
			if want := viewable(parts, size); (err == nil) != want {
				t.Errorf("%v: %v, want a view: %v", f.name, err, want)
			}
			if err != nil {
				continue
			}
			views++
			testView(t, f, parts, big, m.(image.RGBA64Image), m.(draw64), pix[2*size:])
		}
	}
	if views != 2*50 {
		t.Errorf("%d views, want those of 50 formats in two byte orders", views)
	}
}

// draw64 is what package draw looks for.
type draw64 interface {
	SetRGBA64(x, y int, c color.RGBA64)
}

// testView looks at the second pixel of m, whose bytes are pix.
func testView(t *testing.T, f format, parts []component, big bool, m image.RGBA64Image, set draw64, pix []byte) {
	alpha := slices.ContainsFunc(parts, func(c component) bool { return c.name == "A" })
	for _, c := range parts {
		step := 1
		if c.bits > 10 {
			step = 13 // the machines of the tests are slow; TestHalf goes on
		}
		for n := 1<<c.bits - 1; n >= 0; n -= step {
			pixel := bytesOf(uint64(n)<<c.shift, len(pix), big)
			copy(pix, pixel)
			got := m.RGBA64At(0, 1)
			want := valueOf(f, c, n)
			for i, v := range [4]uint16{got.R, got.G, got.B, got.A} {
				switch name := "RGBA"[i : i+1]; {
				case name == c.name:
					// A repeated component is not quite the quotient.
					if math.Abs(float64(v)-want) >= 1 {
						t.Fatalf("%s: %s of %#x is %d, want %.1f", f.name, name, n, v, want)
					}
				case name == "A" && !alpha:
					if v != 0xffff {
						t.Fatalf("%s: not opaque: %d", f.name, v)
					}
				case v != 0:
					t.Fatalf("%s: %s %#x shows in %s: %d", f.name, c.name, n, name, v)
				}
			}
			if strings.EqualFold(c.name, "x") {
				continue
			}
			// What is read and set again does not change, save for padding and
			// halves that stand for no color.
			set.SetRGBA64(0, 1, got)
			for _, p := range parts {
				if strings.EqualFold(p.name, "x") && !alpha {
					fill := uint64(1)<<p.bits - 1
					if strings.HasSuffix(f.name, "F") {
						fill = 0x3c00 // 1
					}
					or(pixel, bytesOf(fill<<p.shift, len(pix), big))
				}
			}
			if exact := !strings.HasSuffix(f.name, "F"); exact && !slices.Equal(pix, pixel) {
				t.Fatalf("%s: %s %#x set: %x, want %x", f.name, c.name, n, pix, pixel)
			}
			if again := m.RGBA64At(0, 1); again != got {
				t.Fatalf("%s: %s %#x: %v, set and read %v", f.name, c.name, n, got, again)
			}
		}
	}
}

func or(a, b []byte) {
	for i := range a {
		a[i] |= b[i]
	}
}

// TestHalf passes if every half reads as the color nearest to it, and every
// color has the half that is nearest.
func TestHalf(t *testing.T) {
	pix := make([]byte, 8)
	m, err := fourcc.NewImage(fourcc.ABGR16161616F, pix, 1, 1, 8)
	if err != nil {
		t.Fatal(err)
	}
	f, c := format{name: "F"}, component{bits: 16}
	for n := range 1 << 16 {
		pix[0], pix[1] = byte(n), byte(n>>8)
		if got, want := m.(image.RGBA64Image).RGBA64At(0, 0).R, valueOf(f, c, n); math.Abs(float64(got)-want) > 0.5 {
			t.Fatalf("half %#x is %d, want %.1f", n, got, want)
		}
	}
	for v := range 1 << 16 {
		m.(draw64).SetRGBA64(0, 0, color.RGBA64{R: uint16(v)})
		n := int(pix[0]) | int(pix[1])<<8
		for _, other := range []int{n - 1, n + 1} {
			if other >= 0 && math.Abs(valueOf(f, c, other)-float64(v)) < math.Abs(valueOf(f, c, n)-float64(v))-1e-3 {
				t.Fatalf("%d: half %#x, %#x is nearer", v, n, other)
			}
		}
	}
}

// FuzzView passes if no view of any format and size, made over any bytes,
// reaches beyond them.
func FuzzView(f *testing.F) {
	all := goldenFormats(f)
	for i := range all {
		f.Add(uint8(i), i%2 == 0, 5, 3, 40, uint16(120), uint16(80))
	}
	f.Add(uint8(0), true, math.MaxInt32, 1, math.MaxInt32, uint16(9), uint16(9))
	f.Fuzz(func(t *testing.T, format uint8, big bool, width, height, pitch int, n, chroma uint16) {
		code := all[int(format)%len(all)].Format
		if big {
			code |= fourcc.BigEndian
		}
		m, err := fourcc.NewImage(code, make([]byte, n), width, height, pitch)
		if err != nil {
			m, err = fourcc.NewYCbCr(code, fourcc.BT709, width, height, fourcc.Samples{Pix: make([]byte, n), Pitch: pitch}, fourcc.Samples{Pix: make([]byte, chroma), Pitch: pitch})
		}
		if (err == nil) != (m != nil) {
			t.Fatalf("%v and %v", m, err)
		}
		if err != nil {
			return
		}
		if m.Bounds() != image.Rect(0, 0, width, height) {
			t.Errorf("%v: %dx%d is %v", code, width, height, m.Bounds())
		}
		for _, p := range []image.Point{{0, 0}, {width - 1, 0}, {0, height - 1}, {width - 1, height - 1}, {width, 0}, {0, height}, {-1, -1}} {
			m.Set(p.X, p.Y, color.White)
			if _, _, _, a := m.At(p.X, p.Y).RGBA(); (a == 0xffff) != p.In(m.Bounds()) {
				t.Errorf("%v: alpha of %v is %#x", code, p, a)
			}
		}
		fourcc.Draw(m, m.Bounds().Inset(-pitch%50), image.Black, image.Point{}, draw.Src)
	})
}

package fourcc_test

import (
	"encoding/binary"
	"image"
	"image/color"
	"image/draw"
	"math"
	"testing"

	"github.com/gemtool/gemtool/drm/fourcc"
)

func newYCbCr(tb testing.TB, f fourcc.Format, e fourcc.Encoding, width, height int) draw.Image {
	tb.Helper()
	info, _ := f.Info()
	var planes [2]fourcc.Samples
	for i, p := range info.Planes {
		pitch := int(p.Row(uint32(width))) + 2
		planes[i] = fourcc.Samples{Pix: make([]byte, pitch*int(p.Rows(uint32(height)))), Pitch: pitch}
	}
	m, err := fourcc.NewYCbCr(f, e, width, height, planes[0], planes[1])
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// TestYCbCrSamples passes if colors have the samples that the
// recommendations, limited range, give them, and lie where the header says:
// chroma as Cb, Cr, and 10 bits at the top of 16.
func TestYCbCrSamples(t *testing.T) {
	for _, test := range []struct {
		e         fourcc.Encoding
		c         color.RGBA
		y, cb, cr int // of 8 bits
		deep      [3]int
	}{
		{fourcc.BT601, color.RGBA{0, 0, 0, 255}, 16, 128, 128, [3]int{64, 512, 512}},
		{fourcc.BT601, color.RGBA{255, 255, 255, 255}, 235, 128, 128, [3]int{940, 512, 512}},
		{fourcc.BT601, color.RGBA{255, 0, 0, 255}, 81, 90, 240, [3]int{326, 361, 960}},
		{fourcc.BT601, color.RGBA{0, 255, 0, 255}, 145, 54, 34, [3]int{578, 215, 137}},
		{fourcc.BT601, color.RGBA{0, 0, 255, 255}, 41, 240, 110, [3]int{164, 960, 439}},
		{fourcc.BT709, color.RGBA{255, 0, 0, 255}, 63, 102, 240, [3]int{250, 409, 960}},
		{fourcc.BT709, color.RGBA{0, 255, 0, 255}, 173, 42, 26, [3]int{691, 167, 105}},
		{fourcc.BT709, color.RGBA{0, 0, 255, 255}, 32, 240, 118, [3]int{127, 960, 471}},
		{fourcc.BT2020, color.RGBA{255, 0, 0, 255}, 74, 97, 240, [3]int{294, 387, 960}},
		{fourcc.BT2020, color.RGBA{0, 0, 255, 255}, 29, 240, 119, [3]int{116, 960, 476}},
	} {
		y, c := make([]byte, 4), make([]byte, 4)
		m, err := fourcc.NewYCbCr(fourcc.NV12, test.e, 3, 1, fourcc.Samples{y, 4}, fourcc.Samples{c, 4})
		if err != nil {
			t.Fatal(err)
		}
		m.Set(2, 0, test.c)
		if y[2] != byte(test.y) || c[2] != byte(test.cb) || c[3] != byte(test.cr) {
			t.Errorf("NV12 %d %v: %d, %d, want %d %d %d", test.e, test.c, y, c, test.y, test.cb, test.cr)
		}
		y, c = make([]byte, 8), make([]byte, 8)
		m, err = fourcc.NewYCbCr(fourcc.P010, test.e, 3, 1, fourcc.Samples{y, 8}, fourcc.Samples{c, 8})
		if err != nil {
			t.Fatal(err)
		}
		m.Set(2, 0, test.c)
		got := [3]int{int(binary.LittleEndian.Uint16(y[4:])), int(binary.LittleEndian.Uint16(c[4:])), int(binary.LittleEndian.Uint16(c[6:]))}
		want := test.deep
		for i := range want {
			want[i] <<= 6
		}
		if got != want {
			t.Errorf("P010 %d %v: %d, want %d", test.e, test.c, got, want)
		}
	}
}

// TestYCbCrRead passes if every triple of samples reads as the exact formula
// says, and colors beyond the range as the nearest.
func TestYCbCrRead(t *testing.T) {
	y, c := make([]byte, 2), make([]byte, 2)
	m, err := fourcc.NewYCbCr(fourcc.NV12, fourcc.BT709, 2, 1, fourcc.Samples{y, 2}, fourcc.Samples{c, 2})
	if err != nil {
		t.Fatal(err)
	}
	clamp := func(v float64) float64 { return min(max(v, 0), 1) * 0xffff }
	for i := 0; i < 1<<24; i += 37 {
		y[1], c[0], c[1] = byte(i>>16), byte(i>>8), byte(i)
		l, cb, cr := (float64(y[1])-16)/219, (float64(c[0])-128)/224, (float64(c[1])-128)/224
		r, b := l+1.5748*cr, l+1.8556*cb
		g := (l - 0.2126*r - 0.0722*b) / 0.7152
		got := m.(image.RGBA64Image).RGBA64At(1, 0)
		if math.Abs(float64(got.R)-clamp(r)) > 1 || math.Abs(float64(got.G)-clamp(g)) > 1 || math.Abs(float64(got.B)-clamp(b)) > 1 || got.A != 0xffff {
			t.Fatalf("%d %d: %v, want %.1f %.1f %.1f", y[1], c, got, clamp(r), clamp(g), clamp(b))
		}
	}
}

// TestYCbCrDrawn passes if a picture of one color comes back nearly as it was,
// nothing outside is touched, and four pixels share their chroma.
func TestYCbCrDrawn(t *testing.T) {
	for f, most := range map[fourcc.Format]float64{fourcc.NV12: 600, fourcc.P010: 150} {
		for e := fourcc.BT601; e <= fourcc.BT2020; e++ {
			for i := range 1000 {
				m := newYCbCr(t, f, e, 5, 3)
				want := color.RGBA64{R: uint16(i * 77), G: uint16(i * 1031), B: uint16(i * 4099), A: 0xffff}
				draw.Draw(m, m.Bounds().Inset(-3), image.NewUniform(want), image.Point{}, draw.Src)
				for y := range 3 {
					for x := range 5 {
						got := m.At(x, y).(color.RGBA64)
						if dist(got.R, want.R) > most || dist(got.G, want.G) > most || dist(got.B, want.B) > most {
							t.Fatalf("%v, %d: %v, want %v", f, e, got, want)
						}
					}
				}
				if got := m.At(5, 0).(color.RGBA64); got != (color.RGBA64{}) {
					t.Fatalf("outside is %v", got)
				}
			}
		}
	}
	m := newYCbCr(t, fourcc.NV12, fourcc.BT601, 4, 2)
	draw.Draw(m, m.Bounds(), image.Black, image.Point{}, draw.Src)
	m.Set(1, 1, color.RGBA{R: 255, A: 255})
	if c := m.At(0, 0).(color.RGBA64); c.R < 0x8000 {
		t.Errorf("the pixel beside a red one has chroma of its own: %v", c)
	}
	if c := m.At(2, 0).(color.RGBA64); c.R != 0 {
		t.Errorf("a pixel beyond has its chroma: %v", c)
	}
}

func dist(a, b uint16) float64 { return math.Abs(float64(a) - float64(b)) }

// TestYCbCrRefused passes if no view reaches beyond its bytes.
func TestYCbCrRefused(t *testing.T) {
	y, c := fourcc.Samples{make([]byte, 35), 10}, fourcc.Samples{make([]byte, 16), 10}
	if _, err := fourcc.NewYCbCr(fourcc.NV12, fourcc.BT601, 5, 4, y, c); err != nil {
		t.Error(err)
	}
	for _, test := range []struct {
		f             fourcc.Format
		e             fourcc.Encoding
		width, height int
		y, c          fourcc.Samples
	}{
		{fourcc.NV21, 0, 5, 4, y, c}, {fourcc.NV12 | fourcc.BigEndian, 0, 5, 4, y, c}, {fourcc.XRGB8888, 0, 1, 1, y, c},
		{fourcc.NV12, 3, 5, 4, y, c}, {fourcc.P010, 0, 5, 4, y, c}, {fourcc.NV12, 0, 0, 4, y, c}, {fourcc.NV12, 0, 5, -1, y, c},
		{fourcc.NV12, 0, 6, 4, y, c}, {fourcc.NV12, 0, 5, 5, y, c}, {fourcc.NV12, 0, 5, 4, y, fourcc.Samples{c.Pix[:15], 10}},
		{fourcc.NV12, 0, 5, 4, fourcc.Samples{y.Pix, 4}, c}, {fourcc.NV12, 0, 5, 4, y, fourcc.Samples{c.Pix, 5}}, {fourcc.NV12, 0, 5, 4, y, fourcc.Samples{}},
	} {
		if _, err := fourcc.NewYCbCr(test.f, test.e, test.width, test.height, test.y, test.c); err == nil {
			t.Errorf("%v %d %dx%d: made", test.f, test.e, test.width, test.height)
		}
	}
}

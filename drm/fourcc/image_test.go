package fourcc_test

import (
	"image"
	"image/color"
	"image/draw"
	"testing"

	"github.com/gemtool/gemtool/drm/fourcc"
)

// TestImage passes if pixels are where pitch and format put them.
func TestImage(t *testing.T) {
	const width, height, pitch = 3, 2, 20
	c := color.RGBA{R: 1, G: 2, B: 3, A: 4}
	for f, alpha := range map[fourcc.Format]uint8{fourcc.XRGB8888: 255, fourcc.ARGB8888: 4} {
		pix := make([]byte, pitch+4*width)
		m, err := fourcc.NewImage(f, pix, width, height, pitch)
		if err != nil {
			t.Fatal(err)
		}
		m.Set(2, 1, c)
		if got, want := string(pix[pitch+8:]), string([]byte{3, 2, 1, alpha}); got != want {
			t.Errorf("%v: %q, want %q", f, got, want)
		}
		want := color.RGBA{R: 1, G: 2, B: 3, A: alpha}
		if got := m.At(2, 1); got != want {
			t.Errorf("%v: At is %v, want %v", f, got, want)
		}
		for _, p := range []image.Point{{-1, 0}, {3, 0}, {0, 2}, {0, -1}} {
			m.Set(p.X, p.Y, c)
			if got := m.At(p.X, p.Y); got != (color.RGBA{}) {
				t.Errorf("%v: outside is %v", f, got)
			}
		}
	}
}

// TestImageRefused passes if no view reaches beyond its bytes.
func TestImageRefused(t *testing.T) {
	pix := make([]byte, 1000)
	for _, test := range []struct {
		f                    fourcc.Format
		width, height, pitch int
	}{
		{fourcc.NV12, 10, 10, 40}, {0, 10, 10, 40}, {fourcc.XRGB8888_A8, 10, 10, 40}, {fourcc.R8, 10, 10, 40},
		{fourcc.XRGB8888, 0, 10, 40}, {fourcc.XRGB8888, 10, 0, 40}, {fourcc.XRGB8888, -1, 10, 40},
		{fourcc.XRGB8888, 10, 10, 39}, {fourcc.XRGB8888, 10, 10, -40}, {fourcc.XRGB8888, 10, 26, 40},
		{fourcc.XRGB8888, 1 << 30, 1, 4}, {fourcc.XRGB8888, 1, 1<<31 - 1, 1<<31 - 1},
	} {
		if _, err := fourcc.NewImage(test.f, pix, test.width, test.height, test.pitch); err == nil {
			t.Errorf("%+v: made", test)
		}
	}
	if _, err := fourcc.NewImage(fourcc.XRGB8888, pix, 10, 25, 40); err != nil {
		t.Error(err)
	}
}

// TestImageAllocations passes if drawing on a view allocates nothing a pixel.
func TestImageAllocations(t *testing.T) {
	m, err := fourcc.NewImage(fourcc.XRGB8888, make([]byte, 64*64*4), 64, 64, 256)
	if err != nil {
		t.Fatal(err)
	}
	src := image.NewUniform(color.White)
	if n := testing.AllocsPerRun(10, func() { draw.Draw(m, m.Bounds(), src, image.Point{}, draw.Src) }); n > 10 {
		t.Errorf("drawing 4096 pixels allocates %v times", n)
	}
}

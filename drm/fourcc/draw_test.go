package fourcc_test

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"math/rand/v2"
	"testing"

	"github.com/gemtool/gemtool/drm/fourcc"
)

// noisy returns an image of width by height pixels with 5 bytes of something
// else behind every row, all at random.
func noisy(tb testing.TB, f fourcc.Format, width, height int) (draw.Image, []byte) {
	tb.Helper()
	info, _ := f.Info()
	pitch := int(info.Planes[0].Row(uint32(width))) + 5
	pix := make([]byte, pitch*height)
	for i := range pix {
		pix[i] = byte(rand.Uint32())
	}
	m, err := fourcc.NewImage(f, pix, width, height, pitch)
	if err != nil {
		tb.Fatal(err)
	}
	return m, pix
}

// TestDraw passes if Draw leaves the very bytes that draw.Draw does, whatever
// is drawn where, and nothing beside the rectangle changes.
func TestDraw(t *testing.T) {
	rgba := image.NewRGBA(image.Rect(-3, -2, 320, 12))
	for i := range rgba.Pix {
		rgba.Pix[i] = byte(rand.Uint32())
	}
	for p := rgba.Pix; len(p) > 0; p = p[4:] {
		p[0], p[1], p[2] = min(p[0], p[3]), min(p[1], p[3]), min(p[2], p[3])
	}
	for _, f := range goldenFormats(t) {
		if _, err := fourcc.NewImage(f.Format, make([]byte, 16), 1, 1, 16); err != nil {
			continue
		}
		for _, f := range []fourcc.Format{f.Format, f.Format | fourcc.BigEndian} {
			same, _ := noisy(t, f, 310, 12)
			draw.Draw(same, same.Bounds(), rgba, image.Point{}, draw.Src) // padding as it should be
			sources := []image.Image{
				rgba, rgba.SubImage(image.Rect(5, 1, 30, 4)), same, image.NewUniform(color.RGBA{1, 2, 3, 4}),
				image.NewUniform(color.RGBA64{0x1234, 0xfedc, 0x8000, 0xffff}), image.NewGray(image.Rect(0, 0, 9, 9)),
			}
			for range 10 {
				m, pix := noisy(t, f, 307, 9)
				x, y := rand.IntN(320)-10, rand.IntN(20)-8
				r := image.Rect(x, y, x+rand.IntN(320), y+rand.IntN(12))
				sp := image.Pt(rand.IntN(20)-10, rand.IntN(20)-10)
				src, op := sources[rand.IntN(len(sources))], draw.Op(rand.IntN(2))
				want := bytes.Clone(pix)
				expected, err := fourcc.NewImage(f, want, 307, 9, len(pix)/9)
				if err != nil {
					t.Fatal(err)
				}
				draw.Draw(expected, r, src, sp, op)
				fourcc.Draw(m, r, src, sp, op)
				if !bytes.Equal(pix, want) {
					t.Fatalf("%s: %T to %v, from %v, %v: differs from draw.Draw", f.Name(), src, r, sp, op)
				}
			}
		}
	}
}

// TestDrawOverlap passes if an image drawn on itself is moved.
func TestDrawOverlap(t *testing.T) {
	for _, d := range []image.Point{{}, {1, 0}, {-1, 0}, {0, 1}, {0, -1}, {3, 2}, {-2, -3}, {2, -1}} {
		m, pix := noisy(t, fourcc.RGB565, 20, 15)
		before, err := fourcc.NewImage(fourcc.RGB565, bytes.Clone(pix), 20, 15, len(pix)/15)
		if err != nil {
			t.Fatal(err)
		}
		fourcc.Draw(m, m.Bounds(), m, d, draw.Src)
		for y := range 15 {
			for x := range 20 {
				from := image.Pt(x, y).Add(d)
				if !from.In(m.Bounds()) {
					from = image.Pt(x, y)
				}
				if got, want := m.At(x, y), before.At(from.X, from.Y); got != want {
					t.Fatalf("moved by %v: pixel %d, %d is %v, want %v", d, x, y, got, want)
				}
			}
		}
	}
}

// TestDrawAllocations passes if no drawing allocates by the pixel.
func TestDrawAllocations(t *testing.T) {
	yuv := newYCbCr(t, fourcc.P010, fourcc.BT709, 64, 64)
	for _, m := range []draw.Image{first(noisy(t, fourcc.XRGB8888, 64, 64)), first(noisy(t, fourcc.ABGR16161616F, 64, 64)), yuv} {
		for _, src := range []image.Image{image.NewUniform(color.White), image.NewRGBA(image.Rect(0, 0, 64, 64)), m} {
			for _, f := range []func(draw.Image, image.Rectangle, image.Image, image.Point, draw.Op){fourcc.Draw, draw.Draw} {
				if n := testing.AllocsPerRun(10, func() { f(m, m.Bounds(), src, image.Point{}, draw.Src) }); n > 2 {
					t.Errorf("%T on %T: drawing 4096 pixels allocates %v times", src, m, n)
				}
			}
		}
	}
}

func first[A, B any](a A, _ B) A { return a }

// BenchmarkDraw draws a picture of 1920 by 1080 pixels.
func BenchmarkDraw(b *testing.B) {
	for _, f := range []fourcc.Format{fourcc.XRGB8888, fourcc.RGB565, fourcc.XRGB2101010, fourcc.ABGR8888} {
		m, _ := noisy(b, f, 1920, 1080)
		other, _ := noisy(b, f, 1920, 1080)
		for name, src := range map[string]image.Image{"fill": image.NewUniform(color.White), "rgba": image.NewRGBA(m.Bounds()), "same": other} {
			b.Run(f.Name()+"/"+name, func(b *testing.B) {
				for b.Loop() {
					fourcc.Draw(m, m.Bounds(), src, image.Point{}, draw.Src)
				}
			})
			b.Run(f.Name()+"/"+name+"/draw.Draw", func(b *testing.B) {
				for b.Loop() {
					draw.Draw(m, m.Bounds(), src, image.Point{}, draw.Src)
				}
			})
		}
	}
}

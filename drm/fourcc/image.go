package fourcc

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
)

// NewImage views pixels in memory as an image to draw on. A row starts pitch
// bytes after the one before it. pix stays shared; what does not lie in it is
// refused.
//
// It takes every packed RGB format that has red, green and blue in up to 64
// bits, in both byte orders: of 8, 15, 16, 24, 30, 32, 48 and 64 bits, and
// those of floating-point numbers of 16 bits. It leaves out formats of one or
// two components, of a palette, with alpha in a plane of its own, and of
// floating-point numbers of 32 bits. For NV12 and P010 see [NewYCbCr].
//
// Alpha is premultiplied, as planes take it unless told otherwise. A format
// without alpha drops that of what is drawn, which then looks as on black, and
// sets its padding. Components lose their lower bits. [Draw] is faster than
// draw.Draw.
func NewImage(f Format, pix []byte, width, height, pitch int) (draw.Image, error) {
	p, ok := pixelOf(f)
	if !ok {
		return nil, fmt.Errorf("fourcc: no image view of format %v", f)
	}
	info, _ := f.Info()
	if err := contains(pix, info.Planes[0], width, height, pitch); err != nil {
		return nil, fmt.Errorf("fourcc: image of %dx%d pixels, pitch %d: %w", width, height, pitch, err)
	}
	if f == ABGR8888 || f == RGBA8888|BigEndian {
		return &image.RGBA{Pix: pix, Stride: pitch, Rect: image.Rect(0, 0, width, height)}, nil
	}
	return &view{pixel: p, pix: pix, pitch: pitch, size: image.Pt(width, height)}, nil
}

// contains checks that a plane of an image lies in pix.
func contains(pix []byte, plane Plane, width, height, pitch int) error {
	const most = 1<<31 - 1 // what the kernel's structures can say, and more
	if width <= 0 || height <= 0 || pitch <= 0 || width > most || height > most || pitch > most {
		return errRange
	}
	row, rows := plane.Row(uint32(width)), plane.Rows(uint32(height))
	if uint64(pitch) < row {
		return fmt.Errorf("pitch is below a row's %d bytes", row)
	}
	if size := uint64(pitch)*(rows-1) + row; size > uint64(len(pix)) {
		return fmt.Errorf("needs %d bytes, has %d", size, len(pix))
	}
	return nil
}

var errRange = errors.New("out of range")

// view is an image of packed pixels.
type view struct {
	pixel
	pix   []byte
	pitch int
	size  image.Point
}

// ColorModel returns the model of what At returns, which has as many bits as
// it takes to hold the components.
func (m *view) ColorModel() color.Model {
	if m.deep() {
		return color.RGBA64Model
	}
	return color.RGBAModel
}

func (m *view) Bounds() image.Rectangle { return image.Rectangle{Max: m.size} }

func (m *view) At(x, y int) color.Color {
	c := m.RGBA64At(x, y)
	if m.deep() {
		return c
	}
	return color.RGBA{R: uint8(c.R >> 8), G: uint8(c.G >> 8), B: uint8(c.B >> 8), A: uint8(c.A >> 8)}
}

func (m *view) Set(x, y int, c color.Color) {
	r, g, b, a := c.RGBA()
	m.SetRGBA64(x, y, color.RGBA64{R: uint16(r), G: uint16(g), B: uint16(b), A: uint16(a)})
}

// RGBA64At and SetRGBA64 are for package draw, which allocates without them.

func (m *view) RGBA64At(x, y int) color.RGBA64 {
	if uint(x) >= uint(m.size.X) || uint(y) >= uint(m.size.Y) {
		return color.RGBA64{}
	}
	return m.decode(m.load(m.row(x, y, 1)))
}

func (m *view) SetRGBA64(x, y int, c color.RGBA64) {
	if uint(x) < uint(m.size.X) && uint(y) < uint(m.size.Y) {
		m.store(m.row(x, y, 1), m.encode(c))
	}
}

// row returns the bytes of n pixels, which must be inside the image.
func (m *view) row(x, y, n int) []byte {
	at := y*m.pitch + x*m.bytes
	return m.pix[at : at+n*m.bytes : at+n*m.bytes]
}

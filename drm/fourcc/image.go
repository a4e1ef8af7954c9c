package fourcc

import (
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/draw"
)

// NewImage views pixels in memory as an image to draw on, for XRGB8888 and
// ARGB8888, whose alpha is premultiplied. A row starts pitch bytes after the
// one before it. pix stays shared; what does not lie in it is refused.
func NewImage(f Format, pix []byte, width, height, pitch int) (draw.Image, error) {
	if f != XRGB8888 && f != ARGB8888 {
		return nil, fmt.Errorf("fourcc: no image view of format %v", f)
	}
	const most = 1<<31 - 1 // what the kernel's structures can say, and more
	if width <= 0 || height <= 0 || pitch <= 0 || width > most || height > most || pitch > most {
		return nil, fmt.Errorf("fourcc: image of %dx%d pixels, pitch %d: out of range", width, height, pitch)
	}
	row := 4 * uint64(width)
	if uint64(pitch) < row {
		return nil, fmt.Errorf("fourcc: image of %dx%d pixels: pitch %d is below a row's %d bytes", width, height, pitch, row)
	}
	if size := uint64(pitch)*uint64(height-1) + row; size > uint64(len(pix)) {
		return nil, fmt.Errorf("fourcc: image of %dx%d pixels, pitch %d: needs %d bytes, has %d", width, height, pitch, size, len(pix))
	}
	return &argb{pix: pix, pitch: pitch, size: image.Pt(width, height), opaque: f == XRGB8888}, nil
}

// argb views little-endian pixels of 8 bits blue, green, red and alpha.
type argb struct {
	pix    []byte
	pitch  int
	size   image.Point
	opaque bool // the alpha byte is padding: any when read, 255 when written
}

func (m *argb) ColorModel() color.Model { return color.RGBAModel }
func (m *argb) Bounds() image.Rectangle { return image.Rectangle{Max: m.size} }
func (m *argb) At(x, y int) color.Color { return m.rgba(x, y) }

func (m *argb) Set(x, y int, c color.Color) {
	m.set(x, y, color.RGBAModel.Convert(c).(color.RGBA))
}

// RGBA64At and SetRGBA64 are for package draw, which allocates without them.

func (m *argb) RGBA64At(x, y int) color.RGBA64 {
	r, g, b, a := m.rgba(x, y).RGBA()
	return color.RGBA64{R: uint16(r), G: uint16(g), B: uint16(b), A: uint16(a)}
}

func (m *argb) SetRGBA64(x, y int, c color.RGBA64) {
	m.set(x, y, color.RGBA{R: uint8(c.R >> 8), G: uint8(c.G >> 8), B: uint8(c.B >> 8), A: uint8(c.A >> 8)})
}

func (m *argb) rgba(x, y int) color.RGBA {
	p := m.pixel(x, y)
	if p == nil {
		return color.RGBA{}
	}
	v := binary.LittleEndian.Uint32(p)
	c := color.RGBA{R: uint8(v >> 16), G: uint8(v >> 8), B: uint8(v), A: uint8(v >> 24)}
	if m.opaque {
		c.A = 255
	}
	return c
}

func (m *argb) set(x, y int, c color.RGBA) {
	p := m.pixel(x, y)
	if p == nil {
		return
	}
	if m.opaque {
		c.A = 255
	}
	binary.LittleEndian.PutUint32(p, uint32(c.A)<<24|uint32(c.R)<<16|uint32(c.G)<<8|uint32(c.B))
}

// pixel returns the bytes of a pixel, nil outside the image.
func (m *argb) pixel(x, y int) []byte {
	if !image.Pt(x, y).In(m.Bounds()) {
		return nil
	}
	at := y*m.pitch + 4*x
	return m.pix[at : at+4]
}

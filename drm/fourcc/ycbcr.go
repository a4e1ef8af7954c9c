package fourcc

import (
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/draw"
)

// Encoding is how luma and chroma are made of red, green and blue: the values
// of a plane's COLOR_ENCODING. The range is always limited, as by the default of
// COLOR_RANGE: of 8 bits 16 is black and 235 white, and chroma goes from 16 to
// 240.
type Encoding uint8

// Encodings. The kernel's drivers begin with BT601.
const (
	BT601 Encoding = iota
	BT709
	BT2020
)

// Samples are the bytes of a plane, of which a row starts Pitch bytes after the
// one before it.
type Samples struct {
	Pix   []byte
	Pitch int
}

// NewYCbCr views two planes in memory, one of luma and one of chroma, as an
// image to draw on. It takes NV12 and P010. The bytes stay shared; what does
// not lie in them is refused.
//
// Four pixels share their chroma, and setting one sets that of all: what is
// drawn ends with the chroma of the last pixel drawn, that at the right below.
// Alpha is dropped, which looks as on black.
func NewYCbCr(f Format, e Encoding, width, height int, luma, chroma Samples) (draw.Image, error) {
	if f != NV12 && f != P010 {
		return nil, fmt.Errorf("fourcc: no image view of format %v", f)
	}
	info, _ := f.Info()
	for i, s := range []Samples{luma, chroma} {
		if err := contains(s.Pix, info.Planes[i], width, height, s.Pitch); err != nil {
			return nil, fmt.Errorf("fourcc: image of %dx%d pixels, plane %d, pitch %d: %w", width, height, i, s.Pitch, err)
		}
	}
	m := &ycbcr{luma: luma, chroma: chroma, size: image.Pt(width, height), bytes: info.Planes[0].Bytes, scale: 1}
	if f == P010 {
		m.scale = 4
	}
	switch e {
	case BT601:
		m.kr, m.kb = 0.299, 0.114
	case BT709:
		m.kr, m.kb = 0.2126, 0.0722
	case BT2020:
		m.kr, m.kb = 0.2627, 0.0593
	default:
		return nil, fmt.Errorf("fourcc: no encoding %d", e)
	}
	return m, nil
}

// ycbcr is an image of two planes. A sample of 16 bits has 10 bits at its top.
type ycbcr struct {
	luma, chroma Samples
	size         image.Point
	bytes        int     // of a sample
	scale        float32 // of a sample's numbers to those of 8 bits
	kr, kb       float32 // how much of luma is red, and blue
}

func (m *ycbcr) ColorModel() color.Model { return color.RGBA64Model }
func (m *ycbcr) Bounds() image.Rectangle { return image.Rectangle{Max: m.size} }
func (m *ycbcr) At(x, y int) color.Color { return m.RGBA64At(x, y) }

func (m *ycbcr) Set(x, y int, c color.Color) {
	r, g, b, a := c.RGBA()
	m.SetRGBA64(x, y, color.RGBA64{R: uint16(r), G: uint16(g), B: uint16(b), A: uint16(a)})
}

// RGBA64At and SetRGBA64 are for package draw, which allocates without them.

func (m *ycbcr) RGBA64At(x, y int) color.RGBA64 {
	if uint(x) >= uint(m.size.X) || uint(y) >= uint(m.size.Y) {
		return color.RGBA64{}
	}
	l, cb, cr := m.at(x, y)
	luma := (m.load(l) - 16) / 219
	r := luma + 2*(1-m.kr)*(m.load(cr)-128)/224
	b := luma + 2*(1-m.kb)*(m.load(cb)-128)/224
	g := (luma - m.kr*r - m.kb*b) / (1 - m.kr - m.kb)
	return color.RGBA64{R: narrow(r), G: narrow(g), B: narrow(b), A: 0xffff}
}

func (m *ycbcr) SetRGBA64(x, y int, c color.RGBA64) {
	if uint(x) >= uint(m.size.X) || uint(y) >= uint(m.size.Y) {
		return
	}
	l, cb, cr := m.at(x, y)
	r, g, b := float32(c.R)/0xffff, float32(c.G)/0xffff, float32(c.B)/0xffff
	luma := m.kr*r + (1-m.kr-m.kb)*g + m.kb*b
	m.store(l, 16+219*luma)
	m.store(cb, 128+224*(b-luma)/(2*(1-m.kb)))
	m.store(cr, 128+224*(r-luma)/(2*(1-m.kr)))
}

// at returns the three samples of a pixel inside the image.
func (m *ycbcr) at(x, y int) (luma, cb, cr []byte) {
	l := y*m.luma.Pitch + x*m.bytes
	c := y/2*m.chroma.Pitch + x/2*2*m.bytes
	return m.luma.Pix[l : l+m.bytes], m.chroma.Pix[c : c+m.bytes], m.chroma.Pix[c+m.bytes : c+2*m.bytes]
}

// load returns a sample in the numbers of 8 bits.
func (m *ycbcr) load(s []byte) float32 {
	if m.bytes == 1 {
		return float32(s[0])
	}
	return float32(binary.LittleEndian.Uint16(s)>>6) / m.scale
}

func (m *ycbcr) store(s []byte, v float32) {
	n := uint16(v*m.scale + 0.5) // between the ends of the range, so never negative
	if m.bytes == 1 {
		s[0] = uint8(n)
	} else {
		binary.LittleEndian.PutUint16(s, n<<6)
	}
}

// narrow rounds to 16 bits, what lies outside to its end.
func narrow(v float32) uint16 { return uint16(min(max(v, 0), 1)*0xffff + 0.5) }

package fourcc

import (
	"encoding/binary"
	"image/color"
	"math/bits"
	"strings"
)

// pixel is where a packed RGB format has its components.
type pixel struct {
	bytes      int
	big        bool // the highest byte comes first
	half       bool // components are floating-point numbers of 16 bits
	r, g, b, a channel
	fill       uint64 // what stands in the place of alpha, where there is none
}

// channel is a component: as many bits, shifted. Without bits it is not there.
type channel struct{ shift, bits uint8 }

// pixelOf returns the pixel of a format, and whether it is a packed RGB one. It
// reads the name, which lists components and then their bits, from the highest.
func pixelOf(f Format) (pixel, bool) {
	name := f.name()
	digits := strings.TrimLeft(name, "ARGBX")
	order := name[:len(name)-len(digits)]
	digits, half := strings.CutSuffix(digits, "F")
	p := pixel{big: f&BigEndian != 0, half: half}
	widths := widthsOf(digits)
	if len(widths) != len(order) {
		return p, false
	}
	shift := uint8(0)
	for i := len(order) - 1; i >= 0; i-- {
		c := channel{shift, widths[i]}
		switch order[i] {
		case 'R':
			p.r = c
		case 'G':
			p.g = c
		case 'B':
			p.b = c
		case 'A':
			p.a = c
		case 'X':
			p.fill = p.opaque(c)
		}
		shift += c.bits
	}
	p.bytes = int(shift / 8)
	if p.a.bits > 0 {
		p.fill = 0 // 6 bits of AXBXGXRX106106106106 beside every component
	}
	return p, p.r.bits > 0 && p.g.bits > 0 && p.b.bits > 0
}

// widthsOf splits the digits of a name.
func widthsOf(digits string) []uint8 {
	switch digits {
	case "332":
		return []uint8{3, 3, 2}
	case "233":
		return []uint8{2, 3, 3}
	case "565":
		return []uint8{5, 6, 5}
	case "888":
		return []uint8{8, 8, 8}
	case "161616":
		return []uint8{16, 16, 16}
	case "4444":
		return []uint8{4, 4, 4, 4}
	case "1555":
		return []uint8{1, 5, 5, 5}
	case "5551":
		return []uint8{5, 5, 5, 1}
	case "8888":
		return []uint8{8, 8, 8, 8}
	case "2101010":
		return []uint8{2, 10, 10, 10}
	case "1010102":
		return []uint8{10, 10, 10, 2}
	case "16161616":
		return []uint8{16, 16, 16, 16}
	case "106106106106":
		return []uint8{10, 6, 10, 6, 10, 6, 10, 6}
	}
	return nil
}

// deep tells whether a component has more bits than color.RGBA.
func (p *pixel) deep() bool { return max(p.r.bits, p.g.bits, p.b.bits) > 8 }

// load returns the number that a pixel is.
func (p *pixel) load(b []byte) uint64 {
	var v uint64
	switch p.bytes {
	case 1:
		v = uint64(b[0])
	case 2:
		v = uint64(binary.LittleEndian.Uint16(b))
	case 3:
		v = uint64(binary.LittleEndian.Uint16(b)) | uint64(b[2])<<16
	case 4:
		v = uint64(binary.LittleEndian.Uint32(b))
	case 6:
		v = uint64(binary.LittleEndian.Uint32(b)) | uint64(binary.LittleEndian.Uint16(b[4:]))<<32
	case 8:
		v = binary.LittleEndian.Uint64(b)
	}
	return p.swap(v)
}

// store writes the number that a pixel is.
func (p *pixel) store(b []byte, v uint64) { p.put(b, p.swap(v)) }

// put writes a number whose lowest byte comes first.
func (p *pixel) put(b []byte, v uint64) {
	switch p.bytes {
	case 1:
		b[0] = byte(v)
	case 2:
		binary.LittleEndian.PutUint16(b, uint16(v))
	case 3:
		binary.LittleEndian.PutUint16(b, uint16(v))
		b[2] = byte(v >> 16)
	case 4:
		binary.LittleEndian.PutUint32(b, uint32(v))
	case 6:
		binary.LittleEndian.PutUint32(b, uint32(v))
		binary.LittleEndian.PutUint16(b[4:], uint16(v>>32))
	case 8:
		binary.LittleEndian.PutUint64(b, v)
	}
}

func (p *pixel) swap(v uint64) uint64 {
	if p.big {
		v = bits.ReverseBytes64(v) >> (64 - 8*p.bytes)
	}
	return v
}

// decode returns the color that a number stands for.
func (p *pixel) decode(v uint64) color.RGBA64 {
	c := color.RGBA64{A: 0xffff}
	get := channel.get
	if p.half {
		get = channel.getHalf
	}
	c.R, c.G, c.B = get(p.r, v), get(p.g, v), get(p.b, v)
	if p.a.bits > 0 {
		c.A = get(p.a, v)
	}
	return c
}

// encode returns the number that stands for a color.
func (p *pixel) encode(c color.RGBA64) uint64 {
	if p.half {
		return p.r.putHalf(c.R) | p.g.putHalf(c.G) | p.b.putHalf(c.B) | p.a.putHalf(c.A) | p.fill
	}
	return p.r.put(c.R) | p.g.put(c.G) | p.b.put(c.B) | p.a.put(c.A) | p.fill
}

// opaque returns the largest value in the place of a component. What takes
// padding for alpha sees an opaque pixel then.
func (p *pixel) opaque(c channel) uint64 {
	if p.half {
		return c.putHalf(0xffff)
	}
	return c.put(0xffff)
}

// get returns the component widened to 16 bits by repeating it.
func (c channel) get(v uint64) uint16 {
	x := uint32(v>>c.shift) << (16 - c.bits) & 0xffff
	x |= x >> c.bits
	x |= x >> (2 * c.bits)
	x |= x >> (4 * c.bits)
	x |= x >> (8 * c.bits)
	return uint16(x)
}

// put returns the upper bits of v in the place of the component.
func (c channel) put(v uint16) uint64 { return uint64(v>>(16-c.bits)) << c.shift }

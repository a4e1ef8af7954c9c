package edid

// Point is a colour of CIE 1931: x and y, 0 to 1.
type Point struct{ X, Y float64 }

// Chromaticity is a display's primaries and white.
type Chromaticity struct{ Red, Green, Blue, White Point }

// chromaticity decodes coordinates of 10 bits: the low bits of all come first.
func chromaticity(b []byte) Chromaticity {
	low := uint32(b[0])<<8 | uint32(b[1])
	at := func(i int) float64 { return float64(uint32(b[2+i])<<2|low>>(14-2*i)&3) / 1024 }
	point := func(i int) Point { return Point{at(2 * i), at(2*i + 1)} }
	return Chromaticity{point(0), point(1), point(2), point(3)}
}

// WhitePoint is a further white that a display can be set to.
type WhitePoint struct {
	Index uint8
	White Point
	Gamma float64 // 0 for none
}

func (d *decoder) whitePoints(b []byte) {
	for i := 5; i <= 10; i += 5 {
		if b[i] == 0 {
			continue
		}
		p := WhitePoint{Index: b[i], White: Point{
			X: float64(uint32(b[i+2])<<2|uint32(b[i+1]>>2&3)) / 1024,
			Y: float64(uint32(b[i+3])<<2|uint32(b[i+1]&3)) / 1024,
		}}
		if g := b[i+4]; g != 0xff {
			p.Gamma = float64(int(g)+100) / 100
		}
		d.WhitePoints = append(d.WhitePoints, p)
	}
}

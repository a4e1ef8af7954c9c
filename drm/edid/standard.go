package edid

import "fmt"

// Standard is a mode by its size and rate.
type Standard struct {
	Width, Height, Hz uint32
	DMT               uint8 // the id that VESA's DMT has for it, or 0
}

// Timing returns the mode's timing, and false where DMT has none: then a source
// computes one, by GTF or CVT.
func (s Standard) Timing() (Timing, bool) { return DMTTiming(s.DMT) }

// CVT is a size that a display takes with timings by VESA's formula.
type CVT struct {
	Width, Height                     uint32
	Preferred                         uint32 // Hz: 50, 60, 75 or 85
	Hz50, Hz60, Hz75, Hz85, Hz60Short bool   // Short: with reduced blanking
}

// standard decodes a standard timing of two bytes.
func (d *decoder) standard(a, b uint8) {
	switch {
	case a == 1 && b == 1 || a == 0 && b == 0 || a == ' ' && b == ' ':
		return // unused, or meant to be
	case a == 0:
		d.warn(WarnReserved, "standard timing 0x%02x%02x", a, b)
		return
	}
	s := Standard{Width: (uint32(a) + 31) * 8, Hz: uint32(b&0x3f) + 60}
	switch b >> 6 {
	case 0:
		s.Height = s.Width * 10 / 16
		if d.Version == 1 && d.Revision < 3 {
			s.Height = s.Width
		}
	case 1:
		s.Height = s.Width * 3 / 4
	case 2:
		s.Height = s.Width * 4 / 5
	case 3:
		s.Height = s.Width * 9 / 16
	}
	for id, r := range dmts {
		if r.standard == uint16(a)<<8|uint16(b) && uint32(r.vActive) == s.Height {
			s.DMT = uint8(id)
		}
	}
	d.Standard = append(d.Standard, s)
}

// dmtMode is a listed mode that the DMT has.
func dmtMode(id uint8) Mode {
	t, _ := DMTTiming(id)
	return Mode{t, fmt.Sprintf("DMT 0x%02x", id)}
}

// The modes of manufacturers among the established timings.
var (
	ibm70   = Mode{timingRow{28320, 720, 18, 108, 180, 400, 12, 2, 49, pV}.timing(), "IBM"}
	ibm88   = Mode{timingRow{35500, 720, 18, 108, 180, 400, 21, 2, 49, 0}.timing(), "IBM"}
	apple67 = Mode{timingRow{30240, 640, 64, 64, 224, 480, 3, 3, 45, 0}.timing(), "Apple"}
	apple75 = Mode{timingRow{57284, 832, 32, 64, 320, 624, 1, 3, 43, 0}.timing(), "Apple"}
	apple2p = Mode{timingRow{100000, 1152, 48, 128, 304, 870, 1, 3, 45, 0}.timing(), "Apple"}
)

// established decodes established timings I and II, a bit for each, from the
// highest on.
func (d *decoder) established(b []byte) {
	list := [...]Mode{
		ibm70, ibm88, dmtMode(0x04), apple67, dmtMode(0x05), dmtMode(0x06), dmtMode(0x08), dmtMode(0x09),
		dmtMode(0x0a), dmtMode(0x0b), apple75, dmtMode(0x0f), dmtMode(0x10), dmtMode(0x11), dmtMode(0x12), dmtMode(0x24),
		apple2p,
	}
	for i, m := range list {
		if b[i/8]&(0x80>>(i%8)) != 0 {
			d.Established = append(d.Established, m)
		}
	}
}

// established3 decodes established timings III, by their DMT id.
func (d *decoder) established3(b []byte) {
	for i, id := range [...]uint8{
		0x01, 0x02, 0x03, 0x07, 0x0e, 0x0c, 0x13, 0x15, 0x16, 0x17, 0x18, 0x19, 0x20, 0x21, 0x23, 0x25,
		0x27, 0x2e, 0x2f, 0x30, 0x31, 0x29, 0x2a, 0x2b, 0x2c, 0x39, 0x3a, 0x3b, 0x3c, 0x33, 0x34, 0x35,
		0x36, 0x37, 0x3e, 0x3f, 0x41, 0x42, 0x44, 0x45, 0x46, 0x47, 0x49, 0x4a,
	} {
		if b[i/8]&(0x80>>(i%8)) != 0 {
			d.Established = append(d.Established, dmtMode(id))
		}
	}
}

// cvt decodes a CVT code of three bytes.
func (d *decoder) cvt(b []byte) {
	if b[0] == 0 && b[1] == 0 && b[2] == 0 {
		return // unused
	}
	lines := (uint32(b[0]) | uint32(b[1])&0xf0<<4) + 1
	c := CVT{
		Height:    2 * lines,
		Preferred: [...]uint32{50, 60, 75, 85}[b[2]>>5&3],
		Hz50:      b[2]&0x10 != 0, Hz60: b[2]&8 != 0, Hz75: b[2]&4 != 0, Hz85: b[2]&2 != 0, Hz60Short: b[2]&1 != 0,
	}
	ratio := [...][2]uint32{{4, 3}, {16, 9}, {16, 10}, {15, 9}}[b[1]>>2&3]
	c.Width = c.Height * ratio[0] / ratio[1] / 8 * 8
	d.CVT = append(d.CVT, c)
}

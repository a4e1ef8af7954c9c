package edid

import (
	"bytes"
	"fmt"
)

// The tags of display descriptors.
const (
	descSerial      = 0xff
	descText        = 0xfe
	descLimits      = 0xfd
	descName        = 0xfc
	descWhite       = 0xfb
	descStandard    = 0xfa
	descDCM         = 0xf9
	descCVT         = 0xf8
	descEstablished = 0xf7
	descDummy       = 0x10
)

// Limits are the rates that a display takes.
type Limits struct {
	VMin, VMax uint32 // Hz
	HMin, HMax uint32 // kHz
	MaxClock   uint32 // MHz, 0 for unknown; CVT's finer number is in it, rounded up
	Formula    Formula
}

// Formula is what timings within limits are computed by.
type Formula uint8

// The formulas. Before EDID 1.4 only GTF was meant.
const (
	FormulaGTF       Formula = 0
	FormulaNone      Formula = 1
	FormulaSecondary Formula = 2 // GTF's secondary curve
	FormulaCVT       Formula = 4
)

// descriptor decodes a display descriptor of 18 bytes.
func (d *decoder) descriptor(b []byte) {
	switch tag := b[3]; tag {
	case descSerial:
		d.once(&d.SerialText, b)
	case descText:
		d.Texts = append(d.Texts, d.text(b[5:]))
	case descName:
		d.once(&d.Name, b)
	case descLimits:
		d.limits(b)
	case descWhite:
		d.whitePoints(b)
	case descStandard:
		for i := 5; i < 17; i += 2 {
			d.standard(b[i], b[i+1])
		}
	case descCVT:
		for i := 6; i < 18; i += 3 {
			d.cvt(b[i : i+3])
		}
	case descEstablished:
		d.established3(b[6:12])
	case descDummy, descDCM: // DCM: colours' polynomials, of no use here
	default:
		if tag > 0x0f { // the rest is the manufacturer's
			d.warn(WarnReserved, "descriptor 0x%02x", tag)
		}
	}
}

// once reads a descriptor that there should be one of: the first counts.
func (d *decoder) once(to *string, b []byte) {
	text := d.text(b[5:])
	if *to != "" {
		d.warn(WarnReserved, "another descriptor 0x%02x: %s", b[3], text)
		return
	}
	*to = text
}

func (d *decoder) limits(b []byte) {
	plus := func(flags uint8) (lo, hi uint32) {
		switch flags & 3 {
		case 2:
			return 0, 255
		case 3:
			return 255, 255
		}
		return 0, 0
	}
	var flags uint8
	if d.is14() {
		flags = b[4]
	}
	vlo, vhi := plus(flags)
	hlo, hhi := plus(flags >> 2)
	l := &Limits{
		VMin: uint32(b[5]) + vlo, VMax: uint32(b[6]) + vhi,
		HMin: uint32(b[7]) + hlo, HMax: uint32(b[8]) + hhi,
		MaxClock: 10 * uint32(b[9]), Formula: Formula(b[10]),
	}
	switch l.Formula {
	case FormulaGTF, FormulaNone, FormulaSecondary:
	case FormulaCVT:
		l.MaxClock -= min(l.MaxClock, uint32(b[12]>>2)/4)
	default:
		d.warn(WarnReserved, "formula %d", b[10])
	}
	if l.VMin > l.VMax || l.HMin > l.HMax {
		d.warn(WarnReserved, "limits of %d to %d Hz, %d to %d kHz", l.VMin, l.VMax, l.HMin, l.HMax)
	}
	d.Limits = l
}

// text reads up to 13 bytes, which a line break ends and spaces fill.
func (d *decoder) text(b []byte) string {
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		b = b[:i]
	}
	text, clean := clean(bytes.TrimRight(b, " \x00"))
	if !clean {
		d.warn(WarnText, "%s", text)
	}
	return text
}

// clean makes printable ASCII of bytes, and tells whether they were.
func clean(b []byte) (text string, ok bool) {
	ok = true
	for _, c := range b {
		if c < ' ' || c > '~' {
			text += fmt.Sprintf(`\x%02x`, c)
			ok = false
		} else {
			text += string(rune(c))
		}
	}
	return text, ok
}

package edid

import "fmt"

// Interface is what a digital display is connected by.
type Interface uint8

// The interfaces that EDID 1.4 knows.
const (
	InterfaceUndefined Interface = iota
	DVI
	HDMIa
	HDMIb
	MDDI
	DisplayPort
)

func (i Interface) String() string {
	names := [...]string{"undefined", "DVI", "HDMIa", "HDMIb", "MDDI", "DisplayPort"}
	if int(i) < len(names) {
		return names[i]
	}
	return fmt.Sprintf("reserved (%d)", uint8(i))
}

// Input is how a display takes its picture.
type Input struct {
	Digital bool
	// BitsPerColor and Interface are of digital displays, since EDID 1.4.
	BitsPerColor int // 6 to 16, or 0
	Interface    Interface
	DFP          bool // digital, before 1.4: compatible with DFP 1.x

	// Of analog displays: white and sync level in millivolts, and how they
	// are synchronized.
	WhiteMV, SyncMV                                          int
	Setup, SeparateSync, CompositeSync, GreenSync, Serration bool
}

// Size is how large a display's picture is. Where that varies, as with a
// projector, Width and Height are 0, and Aspect may tell their ratio.
type Size struct {
	WidthCM, HeightCM int
	Aspect            float64 // width by height; 0 where the size is there, or nothing is
}

// Features are of a display's power saving, colour and timing. Which encodings
// a digital display of EDID 1.4 takes besides RGB is in YCbCr444 and YCbCr422.
type Features struct {
	Standby, Suspend, ActiveOff bool
	YCbCr444, YCbCr422          bool
	SRGB                        bool // sRGB is the default colour space
	// PreferredNative: the first detailed timing is the native one, with
	// EDID 1.4, and is the preferred one before that.
	PreferredNative bool
	Continuous      bool // continuous frequencies; GTF before 1.4
}

func (d *decoder) base(b []byte) {
	d.vendor(b[8:10])
	d.Product, d.Serial = le16(b[10:]), le32(b[12:])
	d.Version, d.Revision = b[18], b[19]
	d.date(b[16], b[17])
	d.input(b[20])
	d.size(b[21], b[22])
	if b[23] != 0xff {
		d.Gamma = float64(int(b[23])+100) / 100
	}
	d.features(b[24])
	d.Color = chromaticity(b[25:35])
	d.established(b[35:38])
	for i := 38; i < 54; i += 2 {
		d.standard(b[i], b[i+1])
	}
	for i := 54; i < 126; i += 18 {
		if le16(b[i:]) == 0 {
			d.descriptor(b[i : i+18])
		} else if t, ok := d.detailed(b[i : i+18]); ok {
			d.Detailed = append(d.Detailed, t)
		}
	}
}

// is14 tells whether the EDID has the meanings of 1.4.
func (d *decoder) is14() bool { return d.Version == 1 && d.Revision >= 4 }

// vendor reads three letters of 5 bits.
func (d *decoder) vendor(b []byte) {
	v := uint16(b[0])<<8 | uint16(b[1])
	for shift := 10; shift >= 0; shift -= 5 {
		c := byte(v>>shift)&0x1f + '@'
		if c == '@' || c > 'Z' {
			d.warn(WarnReserved, "vendor 0x%04x is not three letters", v)
		}
		d.Vendor += string(rune(c))
	}
}

func (d *decoder) date(week, year uint8) {
	d.Year = 1990 + int(year)
	switch {
	case week == 0xff:
		d.ModelYear = true
	case week <= 54:
		d.Week = int(week)
	default:
		d.warn(WarnReserved, "week %d of manufacture", week)
	}
}

func (d *decoder) input(b uint8) {
	in := &d.Input
	if in.Digital = b&0x80 != 0; !in.Digital {
		in.WhiteMV = [...]int{700, 714, 1000, 700}[b>>5&3]
		in.SyncMV = [...]int{300, 286, 400, 0}[b>>5&3]
		in.Setup, in.SeparateSync, in.CompositeSync = b&0x10 != 0, b&8 != 0, b&4 != 0
		in.GreenSync, in.Serration = b&2 != 0, b&1 != 0
		return
	}
	if !d.is14() {
		in.DFP = b&1 != 0
		return
	}
	if depth := b >> 4 & 7; depth == 7 {
		d.warn(WarnReserved, "bits per colour")
	} else if depth > 0 {
		in.BitsPerColor = 4 + 2*int(depth)
	}
	if in.Interface = Interface(b & 15); in.Interface > DisplayPort {
		d.warn(WarnReserved, "interface %d", b&15)
	}
}

func (d *decoder) size(w, h uint8) {
	switch {
	case w != 0 && h != 0:
		d.Size = Size{WidthCM: int(w), HeightCM: int(h)}
	case w != 0 && d.is14():
		d.Size.Aspect = float64(int(w)+99) / 100
	case h != 0 && d.is14():
		d.Size.Aspect = 100 / float64(int(h)+99)
	}
}

func (d *decoder) features(b uint8) {
	d.Features = Features{
		Standby: b&0x80 != 0, Suspend: b&0x40 != 0, ActiveOff: b&0x20 != 0,
		SRGB: b&4 != 0, PreferredNative: b&2 != 0, Continuous: b&1 != 0,
	}
	if d.Input.Digital && d.is14() {
		d.Features.YCbCr444, d.Features.YCbCr422 = b&8 != 0, b&0x10 != 0
	}
}

package edid

import (
	"bytes"
	"fmt"
)

// DisplayID is a section of VESA's DisplayID, in an extension of its own.
type DisplayID struct {
	Version, Revision uint8
	Use               uint8 // product type of 1.x, primary use case of 2.x

	Product *Product
	Params  *Params
	Timings []DisplayTiming
	Tile    *Tile
	Other   []DataBlock // what is not decoded: Tag and Payload
}

// Product is who made the display.
type Product struct {
	Vendor  string // PNP letters in 1.x, an IEEE OUI as 00-0C-03 in 2.x
	Product uint16
	Serial  uint32
	Week    int // of manufacture, 0 for none
	Year    int
	Name    string
	// ModelYear: Year is the model's, not that of manufacture.
	ModelYear bool
}

// Params are a display's size and pixels.
type Params struct {
	WidthMM, HeightMM float64
	Width, Height     uint32 // native, 0 for unknown
}

// DisplayTiming is a timing with what DisplayID says of it besides.
type DisplayTiming struct {
	Timing
	Preferred bool
}

// Tile is a display's place in one that is made of several.
type Tile struct {
	Single        bool // in one enclosure
	Columns, Rows uint32
	Column, Row   uint32 // of this, from 0
	Width, Height uint32 // of a tile, in pixels
	Vendor        string // as Product's
	Product       uint16
	Serial        uint32
}

// The tags of DisplayID's blocks. Those of 2.x begin at 0x20.
const (
	didProduct1, didProduct2 = 0x00, 0x20
	didParams1, didParams2   = 0x01, 0x21
	didTypeI, didTypeVII     = 0x03, 0x22
	didTile1, didTile2       = 0x12, 0x28
)

// displayID decodes an extension of 128 bytes: a section, and its own checksum
// behind it.
func (d *decoder) displayID(b []byte) {
	section := b[1:127]
	n := int(section[1]) // of the blocks' bytes
	if 4+n+1 > len(section) {
		d.warn(WarnLength, "DisplayID section of %d bytes", n)
		n = len(section) - 5
	} else {
		d.checksum("DisplayID section", section[:4+n+1])
	}
	id := DisplayID{Version: section[0] >> 4, Revision: section[0] & 15, Use: section[2]}
	for p := section[4 : 4+n]; len(p) >= 3; {
		tag, rev, size := p[0], p[1], int(p[2])
		if tag == 0 && rev == 0 && size == 0 {
			break // filling
		}
		if 3+size > len(p) {
			d.warn(WarnLength, "DisplayID block 0x%02x of %d bytes where %d are left", tag, size, len(p)-3)
			break
		}
		if payload := p[3 : 3+size]; !d.displayIDBlock(&id, tag, rev, payload) {
			id.Other = append(id.Other, DataBlock{Tag: tag, Payload: bytes.Clone(payload)})
		}
		p = p[3+size:]
	}
	d.DisplayIDs = append(d.DisplayIDs, id)
}

func (d *decoder) displayIDBlock(id *DisplayID, tag, rev uint8, p []byte) bool {
	switch tag {
	case didProduct1, didProduct2:
		if len(p) < 12 {
			return false
		}
		id.Product = d.product(tag, p)
	case didParams1, didParams2:
		if len(p) < 8 {
			return false
		}
		unit := 0.1
		if tag == didParams2 && rev&0x80 != 0 {
			unit = 1
		}
		id.Params = &Params{unit * float64(le16(p)), unit * float64(le16(p[2:])), uint32(le16(p[4:])), uint32(le16(p[6:]))}
	case didTypeI, didTypeVII:
		if tag == didTypeVII && rev&0x70 != 0 {
			return false // timings of more bytes
		}
		unit := uint32(10) // kHz
		if tag == didTypeVII {
			unit = 1
		}
		for ; len(p) >= 20; p = p[20:] {
			id.Timings = append(id.Timings, displayTiming(p, unit))
		}
		if len(p) > 0 {
			d.warn(WarnLength, "DisplayID timings with %d bytes too many", len(p))
		}
	case didTile1, didTile2:
		if len(p) < 22 {
			return false
		}
		id.Tile = d.tile(tag, p)
	default:
		return false
	}
	return true
}

// maker reads who made something: three bytes.
func (d *decoder) maker(oui bool, p []byte) string {
	if oui {
		return fmt.Sprintf("%02X-%02X-%02X", p[0], p[1], p[2])
	}
	text, ok := clean(p[:3])
	if !ok {
		d.warn(WarnText, "%s", text)
	}
	return text
}

func (d *decoder) product(tag uint8, p []byte) *Product {
	id := &Product{
		Vendor: d.maker(tag == didProduct2, p), Product: le16(p[3:]), Serial: le32(p[5:]), Year: 2000 + int(p[10]),
	}
	if id.ModelYear = p[9] == 0xff; !id.ModelYear {
		id.Week = int(p[9])
	}
	name := p[12:]
	if n := int(p[11]); n <= len(name) {
		name = name[:n]
	} else {
		d.warn(WarnLength, "DisplayID name of %d bytes where %d are left", n, len(name))
	}
	var ok bool
	if id.Name, ok = clean(bytes.TrimRight(name, " \x00\n")); !ok {
		d.warn(WarnText, "%s", id.Name)
	}
	return id
}

// displayTiming decodes 20 bytes, of type I or VII. All sizes are one less than
// they are meant to be.
func displayTiming(p []byte, unit uint32) DisplayTiming {
	at := func(i int) uint32 { return uint32(le16(p[i:])) + 1 }
	offset := func(i int) (uint32, bool) { return uint32(le16(p[i:])&0x7fff) + 1, p[i+1]&0x80 != 0 }
	t := DisplayTiming{Preferred: p[3]&0x80 != 0}
	t.Clock = unit * ((uint32(le16(p)) | uint32(p[2])<<16) + 1)
	t.HActive, t.HBlank, t.HSyncWidth = at(4), at(6), at(10)
	t.VActive, t.VBlank, t.VSyncWidth = at(12), at(14), at(18)
	t.HSyncOffset, t.HPositive = offset(8)
	t.VSyncOffset, t.VPositive = offset(16)
	t.Stereo = p[3] >> 5 & 3
	if t.Interlaced = p[3]&0x10 != 0; t.Interlaced {
		t.frame()
	}
	return t
}

func (d *decoder) tile(tag uint8, p []byte) *Tile {
	low := func(b, high uint8) uint32 { return uint32(b&15) | uint32(high&3)<<4 }
	return &Tile{
		Single:  p[0]&0x80 != 0,
		Columns: low(p[1]>>4, p[3]>>6) + 1, Rows: low(p[1], p[3]>>4) + 1,
		Column: low(p[2]>>4, p[3]>>2), Row: low(p[2], p[3]),
		Width: uint32(le16(p[4:])) + 1, Height: uint32(le16(p[6:])) + 1,
		Vendor: d.maker(tag == didTile2, p[13:]), Product: le16(p[16:]), Serial: le32(p[18:]),
	}
}

package edid

import "math"

// Timing is a mode in all its numbers, as drm_mode_modeinfo has them in other
// words: the sync pulse begins HSyncOffset pixels after the last active one,
// HSyncWidth pixels long, and a line has HActive+HBlank pixels. Of an
// interlaced mode the vertical numbers are those of a frame, two fields.
type Timing struct {
	Clock uint32 // kHz

	HActive, HSyncOffset, HSyncWidth, HBlank uint32 // pixels
	VActive, VSyncOffset, VSyncWidth, VBlank uint32 // lines
	HBorder, VBorder                         uint32 // on each side

	WidthMM, HeightMM uint32 // of the picture, 0 for unknown
	Interlaced        bool
	Stereo            uint8 // 0 for none; else the bits of EDID's table 3.22
	Sync              Sync
	HPositive         bool // the sync pulse is positive
	VPositive         bool
}

// Sync is how pictures are synchronized.
type Sync uint8

// The ways.
const (
	SyncSeparate  Sync = iota // digital, of its own for lines and fields
	SyncComposite             // digital
	SyncAnalog
)

// Refresh returns how often in a second the picture changes, in millihertz:
// frames, or fields of an interlaced mode. It is 0 for a timing of no size.
func (t Timing) Refresh() uint32 {
	total := (float64(t.HActive) + float64(t.HBlank)) * (float64(t.VActive) + float64(t.VBlank))
	if total == 0 {
		return 0
	}
	rate := float64(t.Clock) * 1e6
	if t.Interlaced {
		rate *= 2
	}
	return uint32(min(math.Round(rate/total), math.MaxUint32))
}

// Mode is a timing of a fixed list, with where it was named.
type Mode struct {
	Timing
	Source string // such as "VIC 16", "DMT 0x52", "Apple"
}

// detailed decodes a detailed timing descriptor of 18 bytes. A timing without
// a picture is none.
func (d *decoder) detailed(b []byte) (Timing, bool) {
	at := func(low, high byte, shift int) uint32 { return uint32(low) | uint32(high)>>shift&15<<8 }
	t := Timing{
		Clock:       10 * uint32(le16(b)),
		HActive:     at(b[2], b[4], 4),
		HBlank:      at(b[3], b[4], 0),
		VActive:     at(b[5], b[7], 4),
		VBlank:      at(b[6], b[7], 0),
		HSyncOffset: uint32(b[8]) | uint32(b[11])>>6&3<<8,
		HSyncWidth:  uint32(b[9]) | uint32(b[11])>>4&3<<8,
		VSyncOffset: uint32(b[10])>>4 | uint32(b[11])>>2&3<<4,
		VSyncWidth:  uint32(b[10])&15 | uint32(b[11])&3<<4,
		WidthMM:     at(b[12], b[14], 4),
		HeightMM:    at(b[13], b[14], 0),
		HBorder:     uint32(b[15]), VBorder: uint32(b[16]),
		Interlaced: b[17]&0x80 != 0,
	}
	if t.HActive == 0 || t.VActive == 0 {
		d.warn(WarnReserved, "detailed timing of %dx%d", t.HActive, t.VActive)
		return Timing{}, false
	}
	if b[17]>>5&3 != 0 {
		t.Stereo = b[17]>>4&6 | b[17]&1
	}
	switch flags := b[17]; flags >> 3 & 3 {
	case 3:
		t.HPositive, t.VPositive = flags&2 != 0, flags&4 != 0
	case 2:
		t.Sync, t.HPositive = SyncComposite, flags&2 != 0
	default:
		t.Sync = SyncAnalog
	}
	if t.Interlaced {
		t.frame()
	}
	return t, true
}

// frame makes a frame's numbers of a field's. Two fields have half a line each
// beside their own.
func (t *Timing) frame() {
	t.VActive, t.VSyncOffset, t.VSyncWidth, t.VBorder = 2*t.VActive, 2*t.VSyncOffset, 2*t.VSyncWidth, 2*t.VBorder
	t.VBlank = 2*t.VBlank + 1
}

// timingRow is a timing of the tables: what Timing has, in its order.
type timingRow struct {
	clock                     uint32
	hActive, hOff, hWid, hBlk uint16
	vActive, vOff, vWid, vBlk uint16
	flags                     uint8
}

// The flags of a timingRow.
const (
	pH = 1 << iota // HPositive
	pV             // VPositive
	il             // Interlaced
)

func (r timingRow) timing() Timing {
	return Timing{
		Clock:   r.clock,
		HActive: uint32(r.hActive), HSyncOffset: uint32(r.hOff), HSyncWidth: uint32(r.hWid), HBlank: uint32(r.hBlk),
		VActive: uint32(r.vActive), VSyncOffset: uint32(r.vOff), VSyncWidth: uint32(r.vWid), VBlank: uint32(r.vBlk),
		HPositive: r.flags&pH != 0, VPositive: r.flags&pV != 0, Interlaced: r.flags&il != 0,
	}
}

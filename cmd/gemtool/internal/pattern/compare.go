package pattern

import (
	"encoding/binary"
	"fmt"
	"os"
)

// Masks for Compare: which bits of a pixel have to be right.
const (
	AllBits uint32 = 0xffffffff
	// ColorBits leaves out the X byte, which hardware need not carry over.
	ColorBits uint32 = 0x00ffffff
)

// Mismatch is the error of a comparison: what differs first, and how much.
type Mismatch struct {
	X, Y      int    // the first pixel that differs, by rows
	Got, Want uint32 // its value, as 0xXXRRGGBB
	Count     int    // pixels that differ
	Total     int
	Guess     string // what it looks like, or empty
}

func (m *Mismatch) Error() string {
	s := fmt.Sprintf("%d of %d pixels are wrong, the first at (%d,%d): got %08x, want %08x",
		m.Count, m.Total, m.X, m.Y, m.Got, m.Want)
	if m.Guess != "" {
		s += ": " + m.Guess
	}
	return s
}

// Compare compares every pixel of pix, whose rows are pitch bytes apart, with
// the picture. The error of a difference is a *[Mismatch].
func (p *Picture) Compare(pix []byte, pitch int, mask uint32) error {
	if err := p.fits(pix, pitch); err != nil {
		return err
	}
	var m *Mismatch
	for y := range p.height {
		row := pix[y*pitch:][:p.width*BytesPerPixel]
		for x := range p.width {
			got, want := binary.LittleEndian.Uint32(row[x*BytesPerPixel:]), p.At(x, y)
			if (got^want)&mask == 0 {
				continue
			}
			if m == nil {
				m = &Mismatch{X: x, Y: y, Got: got, Want: want, Total: p.width * p.height}
			}
			m.Count++
		}
	}
	if m == nil {
		return nil
	}
	m.Guess = guesser{p, pix, pitch, mask}.guess(m.X, m.Y)
	return m
}

// fits checks that pix holds the picture with this pitch.
func (p *Picture) fits(pix []byte, pitch int) error {
	row := int64(p.width) * BytesPerPixel
	need := int64(pitch)*int64(p.height-1) + row
	if int64(pitch) < row || int64(len(pix)) < need {
		return fmt.Errorf("%dx%d pixels with pitch %d do not fit %d bytes", p.width, p.height, pitch, len(pix))
	}
	return nil
}

// guesser looks for the place of the picture that wrong pixels come from.
type guesser struct {
	p     *Picture
	pix   []byte
	pitch int
	mask  uint32
}

// sample is how many pixels in a row have to agree. Hashes of 12 bits each
// make chance agreement no concern.
const sample = 8

func (g guesser) guess(x, y int) string {
	x = min(x, g.p.width-sample)
	if x < 0 {
		return ""
	}
	if g.zero(x, y) {
		return "it was never written, or not for us to see"
	}
	shift, ok := g.shift(x, y)
	if !ok {
		// The first pixel may be of the gap between two rows.
		x = (g.p.width - sample) / 2
		shift, ok = g.shift(x, y)
	}
	if !ok || shift == 0 {
		return ""
	}
	if y+1 < g.p.height {
		if next, ok := g.shift(x, y+1); ok && next != shift {
			return fmt.Sprintf("it looks like pitch %d read as %d", g.pitch-(next-shift), g.pitch)
		}
	}
	at, page := y*g.pitch+x*BytesPerPixel, os.Getpagesize()
	switch {
	case shift%page == 0:
		return fmt.Sprintf("it looks like page %d in the place of page %d", (at+shift)/page, at/page)
	case shift%g.pitch == 0:
		return fmt.Sprintf("it looks like row %d in the place of row %d", y+shift/g.pitch, y)
	}
	return fmt.Sprintf("it looks shifted by %d bytes", shift)
}

func (g guesser) got(x, y int) uint32 {
	return binary.LittleEndian.Uint32(g.pix[y*g.pitch+x*BytesPerPixel:])
}

func (g guesser) zero(x, y int) bool {
	for i := range sample {
		if g.got(x+i, y)&ColorBits != 0 {
			return false
		}
	}
	return true
}

// shift returns how many bytes further on the pixels at (x, y) belong.
func (g guesser) shift(x, y int) (bytes int, ok bool) {
	for v := range g.p.height {
	next:
		for u := range g.p.width - sample + 1 {
			for i := range sample {
				if (g.got(x+i, y)^g.p.At(u+i, v))&g.mask != 0 {
					continue next
				}
			}
			return (v-y)*g.pitch + (u-x)*BytesPerPixel, true
		}
	}
	return 0, false
}

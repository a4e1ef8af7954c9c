// Package pattern draws pictures that show every mistake in sharing them, and
// compares what somebody read with what was drawn.
//
// A picture differs for each pair of names that it is made for. The upper
// half of each colour's bits is for people: a grid of shaded tiles, each with
// its own coordinates, and the names on top. The rest of a pixel is a hash of
// its place, so that no part of a picture is like another: a page, a row or a
// pixel in the wrong place is a difference almost everywhere.
package pattern

import (
	"encoding/binary"
	"hash/fnv"
	"image"
	"image/color"
	"strconv"
)

// BytesPerPixel is the size of a pixel: XRGB8888, in memory B, G, R, X.
const BytesPerPixel = 4

const tile = 32 // pixels, width and height

// Picture is a picture of one size for one pair of names.
type Picture struct {
	width, height int
	seed          uint32
	label         [2]string // lines
}

// New makes the picture for the names from and to.
func New(from, to string, width, height int) *Picture {
	h := fnv.New32a()
	// The NUL keeps ("ab", "c") and ("a", "bc") apart.
	h.Write([]byte(from + "\x00" + to))
	return &Picture{width: width, height: height, seed: h.Sum32(), label: [2]string{from, "> " + to}}
}

// Size returns the picture's size in pixels.
func (p *Picture) Size() (width, height int) { return p.width, p.height }

// At returns the pixel at (x, y) as 0xXXRRGGBB.
func (p *Picture) At(x, y int) uint32 {
	return p.shade(x, y)&0x00f0f0f0 | mix(p.seed, x, y)&0xff0f0f0f
}

// shade is the part of a pixel that people see.
func (p *Picture) shade(x, y int) uint32 {
	if x < 2 || y < 2 || x >= p.width-2 || y >= p.height-2 {
		return 0x00ffffff // a frame shows a picture that is cut off
	}
	if y < tile {
		for i, line := range p.label {
			if ink, plate := glyphs(line, x-5, y-4-11*i, 2); plate {
				return ink
			}
		}
	}
	column, row := x/tile, y/tile
	if down := y%tile - 26; down >= -1 {
		text := strconv.Itoa(column) + "," + strconv.Itoa(row)
		if ink, plate := glyphs(text, x%tile-5, down, 1); plate {
			return ink
		}
	}
	// The seed turns the colours; the gradient runs across the picture, and
	// the tiles alternate in brightness.
	across, down := uint32(255*x/p.width), uint32(255*y/p.height)
	channels := [3]uint32{across, down, 255 - across}
	turn := p.seed % 3
	r, g, b := channels[turn], channels[(turn+1)%3], channels[(turn+2)%3]
	if (column+row)%2 != 0 {
		r, g, b = r/2, g/2, b/2
	}
	return r<<16 | g<<8 | b
}

// mix hashes a place. The multipliers are those of murmur3's finaliser.
func mix(seed uint32, x, y int) uint32 {
	h := seed ^ uint32(x)*0x9e3779b1 ^ uint32(y)*0x85ebca77
	h ^= h >> 16
	h *= 0x85ebca6b
	h ^= h >> 13
	h *= 0xc2b2ae35
	return h ^ h>>16
}

// Draw writes the picture to pix, whose rows are pitch bytes apart.
func (p *Picture) Draw(pix []byte, pitch int) error {
	if err := p.fits(pix, pitch); err != nil {
		return err
	}
	for y := range p.height {
		row := pix[y*pitch:][:p.width*BytesPerPixel]
		for x := range p.width {
			binary.LittleEndian.PutUint32(row[x*BytesPerPixel:], p.At(x, y))
		}
	}
	return nil
}

// Image makes a picture for a file out of what somebody read: width by height
// pixels without gaps between the rows.
func Image(pix []byte, width, height int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			v := binary.LittleEndian.Uint32(pix[(y*width+x)*BytesPerPixel:])
			img.SetNRGBA(x, y, color.NRGBA{R: uint8(v >> 16), G: uint8(v >> 8), B: uint8(v), A: 0xff})
		}
	}
	return img
}

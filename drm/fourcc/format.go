// Package fourcc knows the pixel formats and modifiers of <drm/drm_fourcc.h>
// as far as this module uses them: their names, their planes, and how many
// bytes a row of pixels takes.
package fourcc

import (
	"encoding/binary"
	"fmt"
	"strconv"
)

// Format is a pixel format: four characters, the first in the lowest byte.
// The highest bit says big-endian.
type Format uint32

// New makes a Format of its characters.
func New(a, b, c, d byte) Format {
	return Format(a) | Format(b)<<8 | Format(c)<<16 | Format(d)<<24
}

// Formats of <drm/drm_fourcc.h>. The names list components from the highest
// bit to the lowest of a little-endian pixel: XRGB8888 is B, G, R, X in
// memory.
const (
	RGB565   Format = 'R' | 'G'<<8 | '1'<<16 | '6'<<24
	XRGB8888 Format = 'X' | 'R'<<8 | '2'<<16 | '4'<<24
	ARGB8888 Format = 'A' | 'R'<<8 | '2'<<16 | '4'<<24
	NV12     Format = 'N' | 'V'<<8 | '1'<<16 | '2'<<24
)

// bigEndian is DRM_FORMAT_BIG_ENDIAN.
const bigEndian Format = 1 << 31

// String returns the four characters, "XR24", escaped where they are not
// printable.
func (f Format) String() string {
	var b [4]byte
	binary.LittleEndian.PutUint32(b[:], uint32(f&^bigEndian))
	s := strconv.QuoteToASCII(string(b[:]))
	s = s[1 : len(s)-1]
	if f&bigEndian != 0 {
		s += " big-endian"
	}
	return s
}

// Modifier says how the pixels of a format lie in memory. The highest byte is
// the vendor's.
type Modifier uint64

// Modifiers of <drm/drm_fourcc.h>.
const (
	ModLinear  Modifier = 0         // row after row
	ModInvalid Modifier = 1<<56 - 1 // none: the driver's own idea
)

// String returns the name, or the number of a modifier without one here.
func (m Modifier) String() string {
	switch m {
	case ModLinear:
		return "LINEAR"
	case ModInvalid:
		return "INVALID"
	}
	return fmt.Sprintf("%#x", uint64(m))
}

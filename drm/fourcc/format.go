// Package fourcc knows the pixel formats and modifiers of <drm/drm_fourcc.h>:
// their names and numbers, how much memory the planes of a format take, what
// the fields of a vendor's modifier say, and how to draw on mapped pixels.
//
// Names and numbers are generated from the header of Linux 7.2 by make uapi.
package fourcc

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Format is a pixel format: four characters, the first in the lowest byte.
// Where it is one number in memory, its name lists components from the highest
// bit to the lowest: XRGB8888 is B, G, R, X in memory.
type Format uint32

// BigEndian is the bit that says that the bytes of a pixel lie in the opposite
// order. The kernel wants it only where no format without it says the same.
const BigEndian Format = 1 << 31

// New makes a Format of its characters.
func New(a, b, c, d byte) Format {
	return Format(a) | Format(b)<<8 | Format(c)<<16 | Format(d)<<24
}

// The words that follow the characters and the name of a big-endian format.
const (
	bigWord   = " big-endian"
	bigSuffix = "_BE"
)

// String returns the four characters, "XR24", escaped where they are not
// printable.
func (f Format) String() string {
	var b [4]byte
	binary.LittleEndian.PutUint32(b[:], uint32(f&^BigEndian))
	s := strconv.QuoteToASCII(string(b[:]))
	s = s[1 : len(s)-1]
	if f&BigEndian != 0 {
		s += bigWord
	}
	return s
}

// Name returns the header's name without DRM_FORMAT_, "XRGB8888", with "_BE"
// behind it for a big-endian one. A format without a name is a number, in hex.
// No two formats have the same.
func (f Format) Name() string {
	switch name := f.name(); {
	case name == "":
		return fmt.Sprintf("%#08x", uint32(f))
	case f&BigEndian != 0:
		return name + bigSuffix
	default:
		return name
	}
}

// formatName is an entry of the table of names.
type formatName struct {
	format Format
	name   string
}

// name returns the name without regard to the byte order, "" if there is none.
func (f Format) name() string {
	i, ok := slices.BinarySearchFunc(formatNames[:], f&^BigEndian, func(n formatName, f Format) int { return cmp.Compare(n.format, f) })
	if !ok {
		return ""
	}
	return formatNames[i].name
}

// ParseFormat returns the format that s stands for: a name as Name returns it,
// four characters as String does, less spaces at their end, or a number, in hex
// with 0x. Names and numbers go before the same characters of another format.
func ParseFormat(s string) (Format, error) {
	if digits, ok := strings.CutPrefix(s, "0x"); ok {
		n, err := strconv.ParseUint(digits, 16, 32)
		if err != nil {
			return 0, fmt.Errorf("fourcc: pixel format %q: %w", s, err)
		}
		return Format(n), nil
	}
	name, big := strings.CutSuffix(s, bigSuffix)
	f, ok := formatNamed(name)
	if !ok {
		name, big = strings.CutSuffix(s, bigWord)
		f, ok = formatOf(name)
	}
	if !ok {
		return 0, fmt.Errorf("fourcc: no pixel format %q: want four characters (XR24), a name (XRGB8888) or a number (0x34325258)", s)
	}
	if big {
		f |= BigEndian
	}
	return f, nil
}

func formatNamed(name string) (Format, bool) {
	for _, n := range formatNames {
		if n.name == name {
			return n.format, true
		}
	}
	return 0, false
}

// formatOf returns the format of up to four characters, as String escapes them.
func formatOf(text string) (Format, bool) {
	chars, err := strconv.Unquote(`"` + text + `"`)
	if err != nil || chars == "" || len(chars) > 4 {
		return 0, false
	}
	b := [4]byte{' ', ' ', ' ', ' '}
	copy(b[:], chars)
	f := Format(binary.LittleEndian.Uint32(b[:]))
	return f, f&BigEndian == 0
}

// MarshalText returns the name: the one text that always leads back to f.
func (f Format) MarshalText() ([]byte, error) { return []byte(f.Name()), nil }

// UnmarshalText is ParseFormat.
func (f *Format) UnmarshalText(text []byte) (err error) {
	*f, err = ParseFormat(string(text))
	return err
}

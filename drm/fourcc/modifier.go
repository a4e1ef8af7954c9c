package fourcc

import (
	"fmt"
	"strconv"
	"strings"
)

// Modifier says how the pixels of a format lie in memory: ModLinear is row
// after row, and ModInvalid is none, the driver's own idea. The highest byte is
// the vendor's number, the others mean what the vendor says.
type Modifier uint64

// Vendor is who defines a modifier.
type Vendor uint8

// String returns the header's name, "INTEL".
func (v Vendor) String() string {
	if int(v) < len(vendorNames) {
		return vendorNames[v]
	}
	return fmt.Sprintf("%#x", uint8(v))
}

// Vendor returns who defined m.
func (m Modifier) Vendor() Vendor { return Vendor(m >> 56) }

// modifierName is an entry of the table of names.
type modifierName struct {
	modifier Modifier
	name     string
}

// String returns the vendor's and the header's name, as in "INTEL_X_TILED", or
// for a modifier made of fields what they say, in the words of libdrm:
// "NVIDIA_BLOCK_LINEAR_2D,HEIGHT=4,KIND=6,GEN=2,SECTOR=1,COMPRESSION=0".
// Fields that are zero are left out unless they would be missed. Numbers that
// the header does not name, and bits of no field, are in hex, down to
// "AMD_0x5" and "0xff00000000000005".
//
// No two modifiers have the same string.
func (m Modifier) String() string {
	for _, n := range modifierNames {
		if n.modifier == m {
			return n.name
		}
	}
	if s := m.scheme(); s != nil {
		return s.text(m)
	}
	if v := m.Vendor(); v != VendorNone && int(v) < len(vendorNames) {
		return fmt.Sprintf("%v_%#x", v, uint64(m)&valueMask)
	}
	return fmt.Sprintf("%#x", uint64(m))
}

// valueMask has the bits that are not the vendor's number.
const valueMask = 1<<56 - 1

// ParseModifier returns the modifier that s stands for: a string as String
// returns it, its fields in any order, another name of the header, or a number
// in hex with 0x.
func ParseModifier(s string) (Modifier, error) {
	for _, n := range modifierNames {
		if n.name == s {
			return n.modifier, nil
		}
	}
	if n, ok := hex(s); ok {
		return Modifier(n), nil
	}
	if name, digits, ok := strings.Cut(s, "_0x"); ok {
		for v, vendor := range vendorNames {
			if n, err := strconv.ParseUint(digits, 16, 56); err == nil && vendor == name && v != 0 {
				return Modifier(v)<<56 | Modifier(n), nil
			}
		}
	}
	words := strings.Split(s, ",")
	for i := range schemes {
		if schemes[i].name == words[0] {
			m, err := schemes[i].parse(words[1:])
			if err != nil {
				err = fmt.Errorf("fourcc: modifier %q: %w", s, err)
			}
			return m, err
		}
	}
	return 0, fmt.Errorf("fourcc: no modifier %q: want a name (INTEL_X_TILED) or a number (0x100000000000001)", s)
}

func hex(s string) (uint64, bool) {
	digits, ok := strings.CutPrefix(s, "0x")
	n, err := strconv.ParseUint(digits, 16, 64)
	return n, ok && err == nil
}

// MarshalText is String.
func (m Modifier) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText is ParseModifier.
func (m *Modifier) UnmarshalText(text []byte) (err error) {
	*m, err = ParseModifier(string(text))
	return err
}

package fourcc

import "math"

// A half is a sign, 5 bits of exponent and 10 of fraction. Those of an image
// are from 0 to 1; others are taken for the nearest of these, and what is no
// number for 0.

const halfOne = 0x3c00

func (c channel) getHalf(v uint64) uint16 {
	h := uint16(v >> c.shift)
	exponent, fraction := int(h>>10), int(h&0x3ff)
	switch {
	case h >= 0x8000 || h > 0x7c00:
		return 0
	case h >= halfOne:
		return 0xffff
	case exponent == 0:
		exponent = 1
	default:
		fraction |= 0x400
	}
	// fraction/1024 * 2^(exponent-15), of 65535, rounded
	shift := 25 - exponent
	return uint16((fraction*0xffff + 1<<(shift-1)) >> shift)
}

func (c channel) putHalf(v uint16) uint64 {
	if c.bits == 0 {
		return 0
	}
	f := float64(v) / 0xffff
	if v <= 3 { // below 2^-14, where the exponent ends
		return uint64(math.RoundToEven(f*(1<<24))) << c.shift
	}
	b := math.Float64bits(f)
	b += 1<<41 - 1 + b>>42&1 // of 52 bits of fraction 42 go; ties to even
	return (b>>42 - (1023-15)<<10) << c.shift
}

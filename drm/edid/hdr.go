package edid

import "math"

// HDR is what a display does with a high dynamic range.
type HDR struct {
	SDR, Traditional bool // gamma, of the range of SDR and of HDR
	PQ, HLG          bool // SMPTE ST 2084, and ARIB's hybrid log-gamma
	StaticType1      bool // takes static metadata of type 1
	// Luminances that the display wants to be fed with, in cd/m², or 0.
	MaxLuminance, MaxFrameAverage, MinLuminance float64
}

func hdr(p []byte) *HDR {
	h := &HDR{
		SDR: p[0]&1 != 0, Traditional: p[0]&2 != 0, PQ: p[0]&4 != 0, HLG: p[0]&8 != 0,
		StaticType1: p[1]&1 != 0,
	}
	luminance := func(b uint8) float64 {
		if b == 0 {
			return 0
		}
		return 50 * math.Exp2(float64(b)/32)
	}
	if len(p) > 2 {
		h.MaxLuminance = luminance(p[2])
	}
	if len(p) > 3 {
		h.MaxFrameAverage = luminance(p[3])
	}
	if len(p) > 4 {
		x := float64(p[4]) / 255
		h.MinLuminance = h.MaxLuminance * x * x / 100
	}
	return h
}

// Colorimetry are the colour spaces that a display takes.
type Colorimetry struct {
	XvYCC601, XvYCC709, SYCC601, OpYCC601, OpRGB bool
	BT2020cYCC, BT2020YCC, BT2020RGB             bool
	ST2113RGB                                    bool // DCI-P3
	ICtCp, SRGB, DefaultRGB                      bool
	Metadata                                     uint8 // bits of gamut metadata's profiles
}

func colorimetry(p []byte) *Colorimetry {
	bit := func(b uint8, i int) bool { return b>>i&1 != 0 }
	a, b := p[0], p[1]
	return &Colorimetry{
		bit(a, 0), bit(a, 1), bit(a, 2), bit(a, 3), bit(a, 4), bit(a, 5), bit(a, 6), bit(a, 7),
		bit(b, 7), bit(b, 6), bit(b, 5), bit(b, 4), b & 15,
	}
}

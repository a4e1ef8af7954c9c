package kms

// modeBlob makes the value of MODE_ID for a mode of width by height pixels
// that no monitor has to like: small gaps around the picture, 60 Hz. Both are
// below 2^15.
func modeBlob(width, height int) []byte {
	const gap, rate = 8, 60
	w, h := uint16(width), uint16(height)
	m := Mode{
		Name:     "readback",
		HDisplay: w, HSyncStart: w + gap, HSyncEnd: w + 2*gap, HTotal: w + 3*gap,
		VDisplay: h, VSyncStart: h + gap, VSyncEnd: h + 2*gap, VTotal: h + 3*gap,
		VRefresh: rate,
	}
	m.Clock = uint32(uint64(m.HTotal) * uint64(m.VTotal) * rate / 1000)
	return m.Blob()
}

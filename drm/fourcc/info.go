package fourcc

// Info is what a linear layout of a format looks like.
type Info struct {
	Planes []Plane
}

// Plane is how the pixels of one plane are stored.
type Plane struct {
	Bytes int // of a sample: a pixel, or what HSub by VSub pixels share
	HSub  int // pixels that share a sample, in a row
	VSub  int // rows that share a sample
}

var infos = map[Format]Info{
	RGB565:   {[]Plane{{2, 1, 1}}},
	XRGB8888: {[]Plane{{4, 1, 1}}},
	ARGB8888: {[]Plane{{4, 1, 1}}},
	NV12:     {[]Plane{{1, 1, 1}, {2, 2, 2}}},
}

// Info returns the layout of a format, and whether it is known here.
func (f Format) Info() (Info, bool) {
	i, ok := infos[f]
	return i, ok
}

// Row returns the bytes that the samples of a row of width pixels take. It
// cannot overflow.
func (p Plane) Row(width uint32) uint64 {
	return uint64(p.Bytes) * ceil(width, p.HSub)
}

// Rows returns the rows of samples that height rows of pixels have.
func (p Plane) Rows(height uint32) uint64 { return ceil(height, p.VSub) }

func ceil(n uint32, by int) uint64 { return (uint64(n) + uint64(by) - 1) / uint64(by) }

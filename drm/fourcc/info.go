package fourcc

// Info is what the linear layout of a format looks like. It is shared: do not
// write to it.
type Info struct {
	Planes  []Plane
	HSub    int  // pixels that share their chroma, in a row: 1 where none do
	VSub    int  // rows that share their chroma
	Alpha   bool // a component or plane of it says how opaque a pixel is
	YUV     bool // components are luma and chroma, or luma alone
	Indexed bool // pixels are places in a palette
}

// Plane is how the pixels of one plane are stored: in blocks of whole bytes.
// Where pixels share a sample, the plane of samples is smaller than the image.
type Plane struct {
	Bytes  int // of a block; 0 where only a modifier tells the layout
	Width  int // samples of a block, in a row
	Height int // rows of samples of a block
	HSub   int // pixels that share a sample, in a row
	VSub   int // rows that share a sample
}

// Info returns the layout of a format, and whether a linear one is known here.
// Formats of the header that exist with modifiers only have an Info without
// one: YUV420_8BIT, YUV420_10BIT and VUY101010. The byte order changes nothing.
func (f Format) Info() (Info, bool) {
	i := layout(f &^ BigEndian)
	return i, len(i.Planes) > 0 && i.Planes[0].Bytes > 0
}

// Row returns the least pitch, in bytes, that has room for a row of width
// pixels in whole blocks. The pitch is that of one row of samples even where a
// block has several. It cannot overflow.
func (p Plane) Row(width uint32) uint64 {
	if p.Bytes == 0 {
		return 0
	}
	return ceil(ceil(uint64(width), p.HSub), p.Width) * uint64(p.Bytes) / uint64(p.Height)
}

// Rows returns the rows of samples that height rows of pixels have, in whole
// blocks.
func (p Plane) Rows(height uint32) uint64 {
	return ceil(ceil(uint64(height), p.VSub), p.Height) * uint64(p.Height)
}

// MinPitch returns the least pitch that the kernel accepts for a framebuffer,
// that of drm_format_info_min_pitch. It is below Row where the last block of a
// row is not full: readers of such a block leave the row.
func (p Plane) MinPitch(width uint32) uint64 {
	if p.Bytes == 0 {
		return 0
	}
	return ceil(ceil(uint64(width), p.HSub)*uint64(p.Bytes), p.Width*p.Height)
}

func ceil(n uint64, by int) uint64 { return (n + uint64(by) - 1) / uint64(by) }

package prime

import (
	"fmt"
	"math"

	"github.com/gemtool/gemtool/drm/fourcc"
)

// Plane says where in a Buffer a plane of an image lies.
type Plane struct {
	Buffer *Buffer
	Offset uint32 // bytes to the first row
	Pitch  uint32 // bytes from a row to the next
}

// Image is how pixels lie in buffers, as peers send it and framebuffers are
// made of it. Planes may share a Buffer.
type Image struct {
	Width, Height uint32
	Format        fourcc.Format
	Modifier      fourcc.Modifier
	Planes        []Plane
}

// Validate checks that every pixel lies inside the buffers, whatever numbers a
// peer sent. It reads and changes nothing but the Image; keep that from being
// written at the same time.
//
// Only what it can check is valid: the layout must be linear, or without a
// modifier, which for buffers that the CPU accesses means linear.
//
// Errors: ErrImage; ErrNotSupported, too, for a format or modifier that this
// module does not know.
func (i *Image) Validate() error {
	info, ok := i.Format.Info()
	switch {
	case i.Width == 0 || i.Height == 0:
		return i.fail(nil, "it has no pixels")
	case !ok:
		return i.fail(ErrNotSupported, "its format is not known")
	case i.Modifier != fourcc.ModLinear && i.Modifier != fourcc.ModInvalid:
		return i.fail(ErrNotSupported, "modifier %v: the layout is not known", i.Modifier)
	case len(i.Planes) != len(info.Planes):
		return i.fail(nil, "%d planes, its format has %d", len(i.Planes), len(info.Planes))
	}
	for n, p := range i.Planes {
		if p.Buffer == nil {
			return i.fail(nil, "plane %d: no buffer", n)
		}
		row, rows := info.Planes[n].Row(i.Width), info.Planes[n].Rows(i.Height)
		if uint64(p.Pitch) < row {
			return i.fail(nil, "plane %d: pitch %d is below a row's %d bytes", n, p.Pitch, row)
		}
		// With all three below 2^32, and row at most Pitch, the sums are
		// below 2^64: (2^32-1)(2^32-2) + 2(2^32-1) = 2^64 - 2^32.
		end := uint64(p.Offset) + uint64(p.Pitch)*(rows-1) + row
		switch {
		case end > p.Buffer.Size():
			return i.fail(nil, "plane %d: ends at byte %d of a buffer of %d", n, end, p.Buffer.Size())
		case end-row+uint64(p.Pitch) > math.MaxUint32:
			// The kernel, too, computes the last row with its padding.
			return i.fail(nil, "plane %d: ends at byte %d, beyond what a framebuffer can have", n, end)
		}
	}
	return nil
}

func (i *Image) fail(kind error, format string, args ...any) *Error {
	return &Error{
		Op:     "check of",
		Object: fmt.Sprintf("%dx%d %v image", i.Width, i.Height, i.Format),
		Err:    fmt.Errorf("%w: %s", ErrImage, fmt.Sprintf(format, args...)),
		Kind:   kind,
	}
}

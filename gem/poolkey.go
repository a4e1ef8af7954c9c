package gem

import (
	"errors"
	"fmt"
	"math"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/fourcc"
)

// poolKey is what objects of a Pool have in common that can stand for each
// other. Two formats with pixels of one size are two keys, although the kernel
// sees no difference: users remember framebuffers by their object.
type poolKey struct {
	width, height int // pixels
	format        fourcc.Format
}

// dumb returns the dumb buffer in which all planes of the format have room,
// one below the other. Its pixels are the samples of the first plane.
func (k poolKey) dumb() (width, height, bpp int, err error) {
	info, ok := k.format.Info()
	if !ok {
		return 0, 0, 0, fmt.Errorf("layout of format %v: %w", k.format, errors.ErrUnsupported)
	}
	if uint64(k.width) > math.MaxUint32 || uint64(k.height) > math.MaxUint32 {
		return 0, 0, 0, fmt.Errorf("%dx%d pixels: %w", k.width, k.height, drm.ErrRange)
	}
	sample := uint64(info.Planes[0].Bytes)
	var samples, rows uint64
	for _, p := range info.Planes {
		samples = max(samples, (p.Row(uint32(k.width))+sample-1)/sample)
		rows += p.Rows(uint32(k.height))
	}
	if samples > math.MaxInt || rows > math.MaxInt {
		return 0, 0, 0, fmt.Errorf("%dx%d pixels of %v: %w", k.width, k.height, k.format, drm.ErrRange)
	}
	return int(samples), int(rows), int(8 * sample), nil
}

package kms

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/fourcc"
	"github.com/gemtool/gemtool/drm/internal/uapi"
)

// FormatModifier is a format together with a modifier that it can have.
type FormatModifier struct {
	Format   fourcc.Format
	Modifier fourcc.Modifier
}

// ParseInFormats is what a plane takes, by the blob that its property
// IN_FORMATS has, or, after Linux 6.12, IN_FORMATS_ASYNC for flips that do not
// wait. The pairs are in the driver's order of modifiers, best first on most.
//
// Its errors are drm.ErrRange for a blob that says it holds what lies outside
// of it, and drm.ErrNotSupported for another version of the layout. Source:
// drm_plane.c, create_in_format_blob.
func ParseInFormats(blob []byte) ([]FormatModifier, error) {
	var head uapi.ModeFormatModifierBlob
	if _, err := binary.Decode(blob, binary.NativeEndian, &head); err != nil {
		return nil, fmt.Errorf("formats of a plane: a blob of %d bytes: %w", len(blob), drm.ErrRange)
	}
	if head.Version != 1 {
		return nil, fmt.Errorf("formats of a plane: version %d: %w", head.Version, drm.ErrNotSupported)
	}
	formats, err := part(blob, head.FormatsOffset, head.CountFormats, 4)
	if err != nil {
		return nil, err
	}
	size := uint64(binary.Size(uapi.ModeFormatModifier{}))
	modifiers, err := part(blob, head.ModifiersOffset, head.CountModifiers, size)
	if err != nil {
		return nil, err
	}
	var pairs []FormatModifier
	for ; len(modifiers) > 0; modifiers = modifiers[size:] {
		var m uapi.ModeFormatModifier
		if _, err := binary.Decode(modifiers, binary.NativeEndian, &m); err != nil {
			panic(err) // there are bytes enough
		}
		// Bit i is for format Offset+i.
		for set := m.Formats; set != 0; set &= set - 1 {
			i := 4 * (uint64(m.Offset) + uint64(bits.TrailingZeros64(set)))
			if i >= uint64(len(formats)) {
				return nil, fmt.Errorf("formats of a plane: no format %d: %w", i/4, drm.ErrRange)
			}
			f := fourcc.Format(binary.NativeEndian.Uint32(formats[i:]))
			pairs = append(pairs, FormatModifier{f, fourcc.Modifier(m.Modifier)})
		}
	}
	return pairs, nil
}

// part is n elements of a size in a blob.
func part(blob []byte, offset, n uint32, size uint64) ([]byte, error) {
	from, to := uint64(offset), uint64(offset)+uint64(n)*size
	if to > uint64(len(blob)) {
		return nil, fmt.Errorf("formats of a plane: bytes %d to %d of %d: %w", from, to, len(blob), drm.ErrRange)
	}
	return blob[from:to], nil
}

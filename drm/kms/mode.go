package kms

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/internal/uapi"
)

// Mode is a way to drive a display: how many pixels at which pace. Starts,
// ends and totals count from the first pixel shown, H across and V down.
type Mode struct {
	Name  string // at most 32 bytes, the kernel's or a client's: escape it before it reaches a terminal
	Clock uint32 // pixels, in kHz

	HDisplay, HSyncStart, HSyncEnd, HTotal, HSkew uint16 // pixels
	VDisplay, VSyncStart, VSyncEnd, VTotal, VScan uint16 // lines

	VRefresh uint32 // Hz, rounded; Refresh knows it better
	Flags    ModeFlags
	Type     ModeType
}

// ModeFlags are the DRM_MODE_FLAG_*.
type ModeFlags uint32

// The flags of <drm/drm_mode.h> that are bits.
const (
	ModePHSync    ModeFlags = 1 << 0
	ModeNHSync    ModeFlags = 1 << 1
	ModePVSync    ModeFlags = 1 << 2
	ModeNVSync    ModeFlags = 1 << 3
	ModeInterlace ModeFlags = 1 << 4
	ModeDblScan   ModeFlags = 1 << 5
	ModeCSync     ModeFlags = 1 << 6
	ModePCSync    ModeFlags = 1 << 7
	ModeNCSync    ModeFlags = 1 << 8
	ModeHSkew     ModeFlags = 1 << 9
	ModeDblClk    ModeFlags = 1 << 12
	ModeClkDiv2   ModeFlags = 1 << 13
)

// Stereo returns the DRM_MODE_FLAG_3D_* number, 0 for a flat picture.
func (f ModeFlags) Stereo() uint8 { return uint8(f >> 14 & 0x1f) }

// Aspect returns the DRM_MODE_PICTURE_ASPECT_* number: 0 none, 1 4:3, 2 16:9,
// 3 64:27, 4 256:135.
func (f ModeFlags) Aspect() uint8 { return uint8(f >> 19 & 0xf) }

// ModeType says where a mode is from, the DRM_MODE_TYPE_*.
type ModeType uint32

// The types that are in use. A mode can be of several.
const (
	ModePreferred ModeType = 1 << 3 // the display's own
	ModeUser      ModeType = 1 << 5 // asked for at the kernel's command line
	ModeDriver    ModeType = 1 << 6
)

// Refresh returns how many frames the mode shows in 1000 seconds, as the
// timings say, rounded: 59940 for 59.94 Hz. For an interlaced mode it counts
// fields. It is 0 for a mode without pixels.
func (m Mode) Refresh() uint64 {
	// At most 2^32 * 2 * 10^6 by 2^16 * 2^16 * 2 * 2^16, as the kernel
	// does it in drm_mode_vrefresh.
	num, den := uint64(m.Clock)*1_000_000, uint64(m.HTotal)*uint64(m.VTotal)
	if m.Flags&ModeInterlace != 0 {
		num *= 2
	}
	if m.Flags&ModeDblScan != 0 {
		den *= 2
	}
	if m.VScan > 1 {
		den *= uint64(m.VScan)
	}
	if den == 0 {
		return 0
	}
	return (num + den/2) / den
}

// Blob returns the mode as CreateBlob takes it for the property MODE_ID.
func (m Mode) Blob() []byte {
	info := m.info()
	b, err := binary.Append(nil, binary.NativeEndian, &info)
	if err != nil {
		panic(err) // the structure has only fields of fixed size
	}
	return b
}

// ParseMode is the mode of a blob that MODE_ID has. Its error is
// drm.ErrRange for a blob of another size.
func ParseMode(blob []byte) (Mode, error) {
	var info uapi.ModeModeInfo
	if len(blob) != binary.Size(&info) {
		return Mode{}, fmt.Errorf("a mode of %d bytes: %w", len(blob), drm.ErrRange)
	}
	if _, err := binary.Decode(blob, binary.NativeEndian, &info); err != nil {
		panic(err) // the size is right
	}
	return modeOf(&info), nil
}

// cString is the text in a field that C ends with a NUL, if it fits.
func cString(b []byte) string {
	text, _, _ := bytes.Cut(b, []byte{0})
	return string(text)
}

func modeOf(m *uapi.ModeModeInfo) Mode {
	return Mode{
		Name: cString(m.Name[:]), Clock: m.Clock,
		HDisplay: m.HDisplay, HSyncStart: m.HSyncStart, HSyncEnd: m.HSyncEnd, HTotal: m.HTotal, HSkew: m.HSkew,
		VDisplay: m.VDisplay, VSyncStart: m.VSyncStart, VSyncEnd: m.VSyncEnd, VTotal: m.VTotal, VScan: m.VScan,
		VRefresh: m.VRefresh, Flags: ModeFlags(m.Flags), Type: ModeType(m.Type),
	}
}

func (m Mode) info() uapi.ModeModeInfo {
	info := uapi.ModeModeInfo{
		Clock:    m.Clock,
		HDisplay: m.HDisplay, HSyncStart: m.HSyncStart, HSyncEnd: m.HSyncEnd, HTotal: m.HTotal, HSkew: m.HSkew,
		VDisplay: m.VDisplay, VSyncStart: m.VSyncStart, VSyncEnd: m.VSyncEnd, VTotal: m.VTotal, VScan: m.VScan,
		VRefresh: m.VRefresh, Flags: uint32(m.Flags), Type: uint32(m.Type),
	}
	copy(info.Name[:], m.Name)
	return info
}

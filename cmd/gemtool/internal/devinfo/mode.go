package devinfo

import "github.com/gemtool/gemtool/drm/kms"

// Mode is a mode with its timings, as the kernel counts them.
type Mode struct {
	Name       string   `json:"name"`
	Clock      uint32   `json:"clock"` // kHz
	HDisplay   uint16   `json:"hdisplay"`
	HSyncStart uint16   `json:"hsync_start"`
	HSyncEnd   uint16   `json:"hsync_end"`
	HTotal     uint16   `json:"htotal"`
	HSkew      uint16   `json:"hskew"`
	VDisplay   uint16   `json:"vdisplay"`
	VSyncStart uint16   `json:"vsync_start"`
	VSyncEnd   uint16   `json:"vsync_end"`
	VTotal     uint16   `json:"vtotal"`
	VScan      uint16   `json:"vscan"`
	VRefresh   uint32   `json:"vrefresh"`           // Hz, rounded
	Refresh    uint64   `json:"refresh_millihertz"` // by the timings
	Flags      uint32   `json:"flags"`
	FlagNames  []string `json:"flag_names"`
	Type       uint32   `json:"type"`
	TypeNames  []string `json:"type_names"`
}

func newMode(m kms.Mode) Mode {
	out := Mode{
		Name: m.Name, Clock: m.Clock,
		HDisplay: m.HDisplay, HSyncStart: m.HSyncStart, HSyncEnd: m.HSyncEnd, HTotal: m.HTotal, HSkew: m.HSkew,
		VDisplay: m.VDisplay, VSyncStart: m.VSyncStart, VSyncEnd: m.VSyncEnd, VTotal: m.VTotal, VScan: m.VScan,
		VRefresh: m.VRefresh, Refresh: m.Refresh(),
		Flags: uint32(m.Flags), FlagNames: bitNames(uint32(m.Flags), modeFlags),
		Type: uint32(m.Type), TypeNames: bitNames(uint32(m.Type), modeTypes),
	}
	if n := m.Flags.Aspect(); n != 0 {
		out.FlagNames = append(out.FlagNames, number(uint32(n), []string{"", "4:3", "16:9", "64:27", "256:135"}).Name)
	}
	if n := m.Flags.Stereo(); n != 0 {
		out.FlagNames = append(out.FlagNames, number(uint32(n), stereoLayouts).Name)
	}
	return out
}

// modeFlags are the DRM_MODE_FLAG_* by bit, modeTypes the DRM_MODE_TYPE_*.
var (
	modeFlags = []string{"phsync", "nhsync", "pvsync", "nvsync", "interlace", "dblscan", "csync", "pcsync", "ncsync",
		"hskew", "bcast", "pixmux", "dblclk", "clkdiv2"}
	modeTypes = []string{"builtin", "clock_c", "crtc_c", "preferred", "default", "userdef", "driver"}

	stereoLayouts = []string{"", "3d-frame-packing", "3d-field-alternative", "3d-line-alternative", "3d-side-by-side-full",
		"3d-l-depth", "3d-l-depth-gfx-gfx-depth", "3d-top-and-bottom", "3d-side-by-side-half"}
)

func bitNames(bits uint32, names []string) []string {
	set := []string{}
	for i, name := range names {
		if bits>>i&1 != 0 {
			set = append(set, name)
		}
	}
	return set
}

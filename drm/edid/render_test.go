package edid_test

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/gemtool/gemtool/drm/edid"
)

// printer writes an EDID as edid-decode does, a line for each thing, without
// indentation.
type printer struct{ lines []string }

// lines is what edid-decode says of an EDID, as far as it is decoded here.
func lines(e edid.EDID) []string {
	var p printer
	p.base(e)
	for _, c := range e.CTA {
		p.cta(c)
	}
	for _, d := range e.DisplayIDs {
		p.displayID(d)
	}
	for _, w := range e.Warnings {
		if m := wrongSum.FindStringSubmatch(w.Text); m != nil {
			p.f("Checksum: %s (should be %s)", m[1], m[2])
		}
	}
	return p.lines
}

var wrongSum = regexp.MustCompile(`has (0x..), should be (0x..)`)

func (p *printer) f(format string, args ...any) {
	p.lines = append(p.lines, fmt.Sprintf(format, args...))
}

// flags writes the texts of those that are true.
func (p *printer) flags(pairs ...any) {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i].(bool) {
			p.f("%s", pairs[i+1])
		}
	}
}

func choice(texts string, i uint8) string { return strings.Split(texts, "|")[i] }

// mode is a timing's line, without its aspect ratio and line rate.
func mode(kind string, t edid.Timing) string {
	i := ""
	if t.Interlaced {
		i = "i"
	}
	hz := fmt.Sprintf("%.3f", float64(t.Refresh())/1000)
	return fmt.Sprintf("%s: %dx%d%s %s Hz %.3f MHz", kind, t.HActive, t.VActive, i, hz, float64(t.Clock)/1000)
}

// detailed is a timing with all its numbers.
func (p *printer) detailed(t edid.Timing, size string) {
	p.f("%s", mode("DTD", t)+size)
	pol := func(positive bool) string { return choice("N|P", map[bool]uint8{true: 1}[positive]) }
	p.f("Hfront %d Hsync %d Hback %d Hpol %s", t.HSyncOffset, t.HSyncWidth, t.HBlank-t.HSyncOffset-t.HSyncWidth, pol(t.HPositive))
	front, sync, blank := t.VSyncOffset, t.VSyncWidth, t.VBlank
	if t.Interlaced {
		front, sync, blank = front/2, sync/2, blank/2
	}
	p.f("Vfront %d Vsync %d Vback %d Vpol %s", front, sync, blank-front-sync, pol(t.VPositive))
}

func (p *printer) base(e edid.EDID) {
	p.f("EDID Structure Version & Revision: %d.%d", e.Version, e.Revision)
	p.f("Manufacturer: %s", e.Vendor)
	p.f("Model: %d", e.Product)
	if e.Serial != 0 {
		p.f("Serial Number: %d", e.Serial)
	}
	if e.ModelYear {
		p.f("Model year: %d", e.Year)
	} else {
		p.f("Made in: week %d of %d", e.Week, e.Year)
	}
	p.input(e)
	switch s := e.Size; {
	case s.Aspect == 0:
		p.f("Maximum image size: %d cm x %d cm", s.WidthCM, s.HeightCM)
	case s.Aspect < 1:
		p.f("Aspect ratio: %.2f (portrait)", s.Aspect)
	default:
		p.f("Aspect ratio: %.2f (landscape)", s.Aspect)
	}
	if e.Gamma != 0 {
		p.f("Gamma: %.2f", e.Gamma)
	} else {
		p.f("Gamma is defined in an extension block")
	}
	p.features(e)
	point := func(name string, c edid.Point) { p.f("%s: %.6f, %.6f", name, c.X, c.Y) }
	point("Red", e.Color.Red)
	point("Green", e.Color.Green)
	point("Blue", e.Color.Blue)
	point("White", e.Color.White)
	for _, m := range e.Established {
		p.f("%s", mode(m.Source, m.Timing))
	}
	for _, s := range e.Standard {
		if t, ok := s.Timing(); ok {
			p.f("%s", mode(fmt.Sprintf("DMT 0x%02x", s.DMT), t))
		} else {
			p.f("GTF: %dx%d %d Hz", s.Width, s.Height, s.Hz)
		}
	}
	for _, t := range e.Detailed {
		p.detailed(t, fmt.Sprintf(" (%d mm x %d mm)", t.WidthMM, t.HeightMM))
	}
	for _, c := range e.CVT {
		for _, r := range []struct {
			has bool
			hz  string
		}{{c.Hz50, "50 Hz"}, {c.Hz60, "60 Hz"}, {c.Hz75, "75 Hz"}, {c.Hz85, "85 Hz"}, {c.Hz60Short, "60 Hz (RB)"}} {
			if r.has {
				p.f("CVT: %dx%d %s", c.Width, c.Height, r.hz)
			}
		}
	}
	if e.SerialText != "" {
		p.f("Display Product Serial Number: '%s'", e.SerialText)
	}
	if e.Name != "" {
		p.f("Display Product Name: '%s'", e.Name)
	}
	for _, s := range e.Texts {
		p.f("Alphanumeric Data String: '%s'", s)
	}
	if l := e.Limits; l != nil {
		p.f("Monitor ranges (%s): %d-%d Hz V, %d-%d kHz H, max dotclock %d MHz",
			choice("GTF|Bare Limits", uint8(l.Formula)), l.VMin, l.VMax, l.HMin, l.HMax, l.MaxClock)
	}
	for _, w := range e.WhitePoints {
		gamma := " Gamma: is defined in an extension block"
		if w.Gamma != 0 {
			gamma = fmt.Sprintf(" Gamma: %.2f", w.Gamma)
		}
		p.f("Index: %d White: %.6f, %.6f%s", w.Index, w.White.X, w.White.Y, gamma)
	}
}

func (p *printer) input(e edid.EDID) {
	in := e.Input
	if !in.Digital {
		p.f("Analog display")
		v := func(mv int) string { return fmt.Sprintf("%.3f", float64(mv)/1000) }
		p.f("Signal Level Standard: %s : %s : %s V p-p", v(in.WhiteMV), v(in.SyncMV), v(in.WhiteMV+in.SyncMV))
		p.f("%s", choice("Blank level equals black level|Blank-to-black setup/pedestal", map[bool]uint8{true: 1}[in.Setup]))
		var sync printer
		sync.flags(in.SeparateSync, "Separate", in.CompositeSync, "Composite", in.GreenSync, "SyncOnGreen", in.Serration, "Serration")
		if len(sync.lines) > 0 {
			p.f("Sync: %s", strings.Join(sync.lines, " "))
		}
		return
	}
	p.f("Digital display")
	if in.BitsPerColor != 0 {
		p.f("Bits per primary color channel: %d", in.BitsPerColor)
	} else if e.Revision >= 4 {
		p.f("Color depth is undefined")
	}
	p.flags(in.DFP, "DFP 1.x compatible TMDS", in.Interface == edid.DVI, "DVI interface", in.Interface == edid.HDMIa, "HDMI-a interface",
		in.Interface == edid.HDMIb, "HDMI-b interface", in.Interface == edid.MDDI, "MDDI interface", in.Interface == edid.DisplayPort, "DisplayPort interface")
}

func (p *printer) features(e edid.EDID) {
	f := e.Features
	var dpms printer
	dpms.flags(f.Standby, "Standby", f.Suspend, "Suspend", f.ActiveOff, "Off")
	if len(dpms.lines) > 0 {
		p.f("DPMS levels: %s", strings.Join(dpms.lines, " "))
	}
	if e.Input.Digital && e.Revision >= 4 {
		formats := "Supported color formats: RGB 4:4:4"
		if f.YCbCr444 {
			formats += ", YCrCb 4:4:4"
		}
		if f.YCbCr422 {
			formats += ", YCrCb 4:2:2"
		}
		p.f("%s", formats)
	}
	p.flags(f.SRGB, "Default (sRGB) color space is primary color space")
	if e.Revision >= 4 {
		p.flags(f.PreferredNative, "First detailed timing includes the native pixel format and preferred refresh rate",
			f.Continuous, "Display is continuous frequency")
	} else {
		p.flags(f.PreferredNative, "First detailed timing is the preferred timing", f.Continuous, "Supports GTF timings within operating range")
	}
}

func (p *printer) cta(c edid.CTA) {
	p.f("Revision: %d", c.Revision)
	p.flags(c.Underscan, "Underscans IT Video Formats by default", c.BasicAudio, "Basic audio support",
		c.YCbCr444, "Supports YCbCr 4:4:4", c.YCbCr422, "Supports YCbCr 4:2:2")
	p.f("Native detailed modes: %d", c.NativeDetailed)
	vic := func(code uint8, native string) {
		if t, ok := edid.VICTiming(code); ok {
			p.f("%s%s", mode(fmt.Sprintf("VIC %d", code), t), native)
		} else {
			p.f("VIC %d: unknown", code)
		}
	}
	for _, v := range c.Video {
		native := ""
		if v.Native {
			native = " (native)"
		}
		vic(v.Code, native)
	}
	for _, code := range append(c.YCbCr420Only, c.YCbCr420...) {
		vic(code, "")
	}
	for _, a := range c.Audio {
		p.audio(a)
	}
	if c.Speakers != nil {
		p.speakers(c.Speakers.Allocation)
	}
	if c.HDMI != nil {
		p.hdmi(c.HDMI)
	}
	if c.HDMIForum != nil {
		p.hdmiForum(c.HDMIForum)
	}
	if v := c.Capability; v != nil {
		selectable := map[bool]uint8{true: 1}
		p.f("YCbCr quantization: %s", choice("No Data|Selectable (via AVI YQ)", selectable[v.SelectableYCC]))
		p.f("RGB quantization: %s", choice("No Data|Selectable (via AVI Q)", selectable[v.SelectableRGB]))
		const scan = "|Always Overscanned|Always Underscanned|Supports both over- and underscan"
		p.f("PT scan behavior: %s", choice("No Data"+scan, v.PreferredScan))
		p.f("IT scan behavior: %s", choice("IT video formats not supported"+scan, v.ITScan))
		p.f("CE scan behavior: %s", choice("CE video formats not supported"+scan, v.VideoScan))
	}
	if m := c.Colorimetry; m != nil {
		p.flags(m.XvYCC601, "xvYCC601", m.XvYCC709, "xvYCC709", m.SYCC601, "sYCC601", m.OpYCC601, "opYCC601", m.OpRGB, "opRGB",
			m.BT2020cYCC, "BT2020cYCC", m.BT2020YCC, "BT2020YCC", m.BT2020RGB, "BT2020RGB",
			m.DefaultRGB, "Default", m.SRGB, "sRGB", m.ICtCp, "ICtCp", m.ST2113RGB, "ST2113RGB")
	}
	if h := c.HDR; h != nil {
		p.flags(h.SDR, "Traditional gamma - SDR luminance range", h.Traditional, "Traditional gamma - HDR luminance range",
			h.PQ, "SMPTE ST2084", h.HLG, "Hybrid Log-Gamma", h.StaticType1, "Static metadata type 1")
		p.f("Desired content max luminance: (%.3f cd/m^2)", h.MaxLuminance)
		p.f("Desired content max frame-average luminance: (%.3f cd/m^2)", h.MaxFrameAverage)
		p.f("Desired content min luminance: (%.3f cd/m^2)", h.MinLuminance)
	}
	for _, t := range c.Detailed {
		p.detailed(t, fmt.Sprintf(" (%d mm x %d mm)", t.WidthMM, t.HeightMM))
	}
}

func (p *printer) audio(a edid.Audio) {
	p.f("%s:", choice("0|Linear PCM|AC-3|MPEG 1 (Layers 1 & 2)|MPEG 1 Layer 3 (MP3)|MPEG2 (multichannel)|AAC LC|DTS|ATRAC", uint8(a.Format)))
	p.f("Max channels: %d", a.Channels)
	rates := ""
	for _, hz := range a.SampleRates() {
		rates = fmt.Sprintf(" %v", float64(hz)/1000) + rates
	}
	p.f("Supported sample rates (kHz):%s", rates)
	if a.Format == edid.LPCM {
		bits := ""
		for i, b := range []string{" 16", " 20", " 24"} {
			if a.Bits>>i&1 != 0 {
				bits = b + bits
			}
		}
		p.f("Supported sample sizes (bits):%s", bits)
	} else {
		p.f("Maximum bit rate: %d kb/s", a.MaxBitrate)
	}
}

// speakers writes those whose names do not differ between versions.
func (p *printer) speakers(bits uint32) {
	for i, name := range []string{0: "FL/FR - Front Left/Right", 2: "FC - Front Center", 5: "FLc/FRc - Front Left/Right of Center", 7: "FLw/FRw - Front Left/Right Wide", 10: "TpFC - Top Front Center"} {
		p.flags(name != "" && bits>>i&1 != 0, name)
	}
}

func (p *printer) hdmi(h *edid.HDMI) {
	a := uint16(h.Address)
	p.f("Source physical address: %x.%x.%x.%x", a>>12, a>>8&15, a>>4&15, a&15)
	p.flags(h.AI, "Supports_AI", h.Deep48, "DC_48bit", h.Deep36, "DC_36bit", h.Deep30, "DC_30bit", h.Deep444, "DC_Y444", h.DVIDual, "DVI_Dual")
	p.f("Maximum TMDS clock: %d MHz", h.MaxTMDS)
	if h.VideoLatency >= 0 {
		p.f("Video latency: %d ms", h.VideoLatency)
		p.f("Audio latency: %d ms", h.AudioLatency)
	}
	p.flags(h.Has3D, "3D present")
	for _, code := range h.VICs {
		t, _ := edid.HDMITiming(code)
		p.f("%s", mode(fmt.Sprintf("HDMI VIC %d", code), t))
	}
}

func (p *printer) hdmiForum(h *edid.HDMIForum) {
	p.f("Version: %d", h.Version)
	p.f("Maximum TMDS Character Rate: %d MHz", h.MaxTMDS)
	p.flags(h.SCDC, "SCDC Present", h.ReadRequest, "SCDC Read Request Capable", h.Scrambling340, "Supports scrambling for <= 340 Mcsc",
		h.Deep420x48, "Supports 16-bits/component Deep Color 4:2:0 Pixel Encoding",
		h.Deep420x36, "Supports 12-bits/component Deep Color 4:2:0 Pixel Encoding",
		h.Deep420x30, "Supports 10-bits/component Deep Color 4:2:0 Pixel Encoding",
		h.FVA, "Supports Fast Vactive", h.ALLM, "Supports Auto Low-Latency Mode")
	p.f("VRRmin: %d Hz", h.VRRMin)
	p.f("VRRmax: %d Hz", h.VRRMax)
	if h.MaxFRL > 0 {
		p.f("Max Fixed Rate Link: %d", h.MaxFRL)
	}
}

func (p *printer) displayID(d edid.DisplayID) {
	p.f("Version: %d.%d", d.Version, d.Revision)
	if q := d.Product; q != nil {
		p.f("Product Identification: %s", q.Vendor)
		p.f("Product Code: %d", q.Product)
		p.f("Serial Number: %d", q.Serial)
		p.f("Year of Manufacture: %d, Week %d", q.Year, q.Week)
		p.f("Product ID: %s", q.Name)
	}
	for _, t := range d.Timings {
		size := ""
		if t.Preferred {
			size = " preferred"
		}
		p.detailed(t.Timing, size)
	}
	if t := d.Tile; t != nil {
		p.f("Tiled display consists of %s", choice("multiple physical display enclosures|a single physical display enclosure", map[bool]uint8{true: 1}[t.Single]))
		p.f("Num horizontal tiles: %d Num vertical tiles: %d", t.Columns, t.Rows)
		p.f("Tile location: %d, %d", t.Column, t.Row)
		p.f("Tile resolution: %dx%d", t.Width, t.Height)
		p.f("Tiled Display Manufacturer/Vendor ID: %s", t.Vendor)
		p.f("Tiled Display Product ID Code: %d", t.Product)
		p.f("Tiled Display Serial Number: %d", t.Serial)
	}
}

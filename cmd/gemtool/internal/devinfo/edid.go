package devinfo

import (
	"fmt"

	"github.com/gemtool/gemtool/drm/edid"
)

// EDID is what a display says of itself, in short: the bytes are beside it.
type EDID struct {
	Version      string   `json:"version"`
	Vendor       string   `json:"vendor"` // three letters
	Product      uint16   `json:"product"`
	Name         string   `json:"name,omitempty"`
	Serial       uint32   `json:"serial,omitempty"`
	SerialText   string   `json:"serial_text,omitempty"`
	Week         int      `json:"week,omitempty"` // of manufacture
	Year         int      `json:"year"`
	ModelYear    bool     `json:"model_year"` // Year is the model's
	Digital      bool     `json:"digital"`
	BitsPerColor int      `json:"bits_per_color,omitempty"`
	Interface    string   `json:"interface,omitempty"`
	WidthCM      int      `json:"width_cm,omitempty"`
	HeightCM     int      `json:"height_cm,omitempty"`
	Gamma        float64  `json:"gamma,omitempty"`
	Preferred    *Timing  `json:"preferred,omitempty"`    // the first of its timings
	VMin         uint32   `json:"vertical_min,omitempty"` // Hz
	VMax         uint32   `json:"vertical_max,omitempty"`
	HDR          *EDIDHDR `json:"hdr,omitempty"`
	Warnings     []string `json:"warnings,omitempty"`
}

// Timing is a picture's size and rate.
type Timing struct {
	Width   uint32 `json:"width"`
	Height  uint32 `json:"height"`
	Refresh uint32 `json:"refresh_millihertz"`
}

// EDIDHDR is what a display takes beyond SDR.
type EDIDHDR struct {
	PQ              bool    `json:"pq"`
	HLG             bool    `json:"hlg"`
	MaxLuminance    float64 `json:"max_luminance"` // cd/m², or 0
	MaxFrameAverage float64 `json:"max_frame_average"`
	MinLuminance    float64 `json:"min_luminance"`
}

func newEDID(data []byte) (*EDID, error) {
	e, err := edid.Parse(data)
	if err != nil {
		return nil, err
	}
	out := &EDID{
		Version: fmt.Sprintf("%d.%d", e.Version, e.Revision), Vendor: e.Vendor, Product: e.Product, Name: e.Name, Serial: e.Serial, SerialText: e.SerialText,
		Week: e.Week, Year: e.Year, ModelYear: e.ModelYear, Digital: e.Input.Digital, BitsPerColor: e.Input.BitsPerColor,
		WidthCM: e.Size.WidthCM, HeightCM: e.Size.HeightCM, Gamma: e.Gamma,
	}
	if e.Input.Interface != edid.InterfaceUndefined {
		out.Interface = e.Input.Interface.String()
	}
	if len(e.Detailed) > 0 {
		t := e.Detailed[0]
		out.Preferred = &Timing{t.HActive, t.VActive, t.Refresh()}
	}
	if e.Limits != nil {
		out.VMin, out.VMax = e.Limits.VMin, e.Limits.VMax
	}
	for _, c := range e.CTA {
		if h := c.HDR; h != nil {
			out.HDR = &EDIDHDR{h.PQ, h.HLG, h.MaxLuminance, h.MaxFrameAverage, h.MinLuminance}
		}
	}
	for _, w := range e.Warnings {
		out.Warnings = append(out.Warnings, w.String())
	}
	return out, nil
}

// Package devinfo collects what gemtool info shows of a device: its display
// pipelines with all properties in words, what its bus says, and the memory of
// its clients. The types are those of the JSON document. Text is the kernel's
// and the display's, as it is: escape it before it reaches a terminal.
package devinfo

import (
	"fmt"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/fourcc"
	"github.com/gemtool/gemtool/drm/kms"
)

// Display is what a device's modesetting consists of, and is set to.
type Display struct {
	FBSize     FBSize      `json:"framebuffer_size"`
	Probed     bool        `json:"probed"` // the displays were looked at, and not only what the kernel knew
	Connectors []Connector `json:"connectors"`
	Encoders   []Encoder   `json:"encoders"`
	CRTCs      []CRTC      `json:"crtcs"`
	Planes     []Plane     `json:"planes"`
	Errors     []string    `json:"-"` // what could not be read of an object, which is left out
}

// FBSize is what framebuffers may measure, in pixels.
type FBSize struct {
	MinWidth  uint32 `json:"min_width"`
	MaxWidth  uint32 `json:"max_width"`
	MinHeight uint32 `json:"min_height"`
	MaxHeight uint32 `json:"max_height"`
}

// Connector is a connector and what is plugged in.
type Connector struct {
	ID         uint32     `json:"id"`
	Name       string     `json:"name"` // as the kernel has it: HDMI-A-1
	Type       Number     `json:"type"`
	Status     Number     `json:"status"`
	WidthMM    uint32     `json:"width_mm"`
	HeightMM   uint32     `json:"height_mm"`
	Subpixel   Number     `json:"subpixel"`
	Encoder    uint32     `json:"encoder"` // 0 for none
	Encoders   []uint32   `json:"encoders"`
	Modes      []Mode     `json:"modes"`
	Properties []Property `json:"properties"`
}

// Number is a value of an enumeration.
type Number struct {
	Value uint32 `json:"value"`
	Name  string `json:"name"`
}

// Encoder is an encoder.
type Encoder struct {
	ID             uint32 `json:"id"`
	Type           Number `json:"type"`
	CRTC           uint32 `json:"crtc"` // 0 for none
	PossibleCRTCs  uint32 `json:"possible_crtcs"`
	PossibleClones uint32 `json:"possible_clones"`
}

// CRTC is a CRTC and what it is set to.
type CRTC struct {
	ID         uint32     `json:"id"`
	FB         uint32     `json:"framebuffer"` // 0 for none
	X          uint32     `json:"x"`
	Y          uint32     `json:"y"`
	Mode       *Mode      `json:"mode"` // null: off
	GammaSize  uint32     `json:"gamma_size"`
	Properties []Property `json:"properties"`
}

// Plane is a plane and what it shows.
type Plane struct {
	ID            uint32          `json:"id"`
	PossibleCRTCs uint32          `json:"possible_crtcs"`
	CRTC          uint32          `json:"crtc"`        // 0 for none
	FB            uint32          `json:"framebuffer"` // 0 for none
	Shows         *Framebuffer    `json:"shows"`
	Formats       []fourcc.Format `json:"formats"`
	Properties    []Property      `json:"properties"`
	Pipelines     []Pipeline      `json:"color_pipelines,omitempty"`
}

// ReadDisplay reads the display side of a card node whose client caps are set,
// which decide what there is to see. With probe connectors are looked at,
// which takes the file to be the device's master. An object that cannot be read
// (a connector that vanishes, such as of a dock that is pulled out) takes
// nothing from the others.
func ReadDisplay(d *drm.Device, probe bool) (*Display, error) {
	r, err := kms.ReadResources(d)
	if err != nil {
		return nil, err
	}
	out := &Display{
		FBSize:     FBSize{r.MinWidth, r.MaxWidth, r.MinHeight, r.MaxHeight},
		Connectors: []Connector{}, Encoders: []Encoder{}, CRTCs: []CRTC{}, Planes: []Plane{},
	}
	if probe {
		if out.Probed, err = d.IsMaster(); err != nil {
			return nil, err
		}
	}
	for _, id := range r.Connectors {
		keep(out, &out.Connectors, func() (Connector, error) { return readConnector(d, id, out.Probed) })
	}
	for _, id := range r.Encoders {
		keep(out, &out.Encoders, func() (Encoder, error) { return readEncoder(d, id) })
	}
	for _, id := range r.CRTCs {
		keep(out, &out.CRTCs, func() (CRTC, error) { return readCRTC(d, id) })
	}
	planes, err := kms.ReadPlanes(d)
	if err != nil {
		return nil, err
	}
	for _, p := range planes {
		keep(out, &out.Planes, func() (Plane, error) { return out.readPlane(d, p) })
	}
	return out, nil
}

// keep adds an object to those of its kind, or why it could not be read.
func keep[T any](out *Display, all *[]T, read func() (T, error)) {
	object, err := read()
	if err != nil {
		out.Errors = append(out.Errors, err.Error())
		return
	}
	*all = append(*all, object)
}

func readEncoder(d *drm.Device, id kms.EncoderID) (Encoder, error) {
	e, err := kms.ReadEncoder(d, id)
	if err != nil {
		return Encoder{}, err
	}
	return Encoder{uint32(id), number(uint32(e.Type), encoderTypes), uint32(e.CRTC), e.PossibleCRTCs, e.PossibleClones}, nil
}

func readConnector(d *drm.Device, id kms.ConnectorID, probe bool) (Connector, error) {
	read := kms.ReadConnector
	if probe {
		read = kms.ProbeConnector
	}
	c, err := read(d, id)
	if err != nil {
		return Connector{}, err
	}
	out := Connector{
		ID: uint32(id), Name: c.Name(), Type: Number{uint32(c.Type), c.Type.String()}, Status: Number{uint32(c.Status), c.Status.String()},
		WidthMM: c.Width, HeightMM: c.Height, Subpixel: number(uint32(c.Subpixel), subpixels),
		Encoder: uint32(c.Encoder), Encoders: []uint32{}, Modes: []Mode{},
	}
	for _, e := range c.Encoders {
		out.Encoders = append(out.Encoders, uint32(e))
	}
	for _, m := range c.Modes {
		out.Modes = append(out.Modes, newMode(m))
	}
	out.Properties, err = ReadProperties(d, id.Object())
	return out, err
}

func readCRTC(d *drm.Device, id kms.CRTCID) (CRTC, error) {
	c, err := kms.ReadCRTC(d, id)
	if err != nil {
		return CRTC{}, err
	}
	out := CRTC{ID: uint32(id), FB: uint32(c.FB), X: c.X, Y: c.Y, GammaSize: c.GammaSize}
	if c.Mode != nil {
		m := newMode(*c.Mode)
		out.Mode = &m
	}
	out.Properties, err = ReadProperties(d, id.Object())
	return out, err
}

func (out *Display) readPlane(d *drm.Device, p kms.Plane) (plane Plane, err error) {
	plane = Plane{ID: uint32(p.ID), PossibleCRTCs: p.PossibleCRTCs, CRTC: uint32(p.CRTC), FB: uint32(p.FB), Formats: p.Formats}
	if plane.Formats == nil {
		plane.Formats = []fourcc.Format{}
	}
	// A plane is there, too, when what it shows cannot be looked at.
	if plane.Shows, err = readFramebuffer(d, p.FB); err != nil {
		out.Errors = append(out.Errors, err.Error())
	}
	plane.Properties, err = ReadProperties(d, p.ID.Object())
	return plane, err
}

var (
	encoderTypes = []string{"none", "DAC", "TMDS", "LVDS", "TV DAC", "virtual", "DSI", "DP MST", "DPI"}
	subpixels    = []string{"unknown", "horizontal RGB", "horizontal BGR", "vertical RGB", "vertical BGR", "none"}
)

// number names a value by its place in a list.
func number(value uint32, names []string) Number {
	if uint64(value) < uint64(len(names)) {
		return Number{value, names[value]}
	}
	return Number{value, fmt.Sprint(value)}
}

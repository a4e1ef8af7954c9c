package command

import (
	"fmt"
	"strings"

	"github.com/gemtool/gemtool/cmd/gemtool/internal/devinfo"
	"github.com/gemtool/gemtool/cmd/gemtool/internal/words"
)

func displayTree(t *tree, d *devinfo.Display) {
	t.item("Framebuffer size: %dx%d to %dx%d", d.FBSize.MinWidth, d.FBSize.MinHeight, d.FBSize.MaxWidth, d.FBSize.MaxHeight)
	heading := "Connectors"
	if d.Probed {
		heading += " (probed)"
	}
	t.under(func() {
		for i := range d.Connectors {
			connectorTree(t, i, &d.Connectors[i])
		}
	}, "%s", heading)
	t.under(func() {
		for i, e := range d.Encoders {
			t.under(func() {
				t.item("Object ID: %d", e.ID)
				t.item("Type: %s", e.Type.Name)
				t.item("CRTC: %s", object(e.CRTC))
				t.item("CRTCs: {%s}", places(e.PossibleCRTCs))
				t.item("Clones: {%s}", places(e.PossibleClones))
			}, "Encoder %d", i)
		}
	}, "Encoders")
	t.under(func() {
		for i := range d.CRTCs {
			c := &d.CRTCs[i]
			t.under(func() {
				t.item("Object ID: %d", c.ID)
				if c.Mode == nil {
					t.item("Mode: off")
				} else {
					t.item("Mode: %s", modeText(*c.Mode))
					t.item("Shows: framebuffer %s from %d, %d", object(c.FB), c.X, c.Y)
				}
				t.item("Gamma size: %d", c.GammaSize)
				propertiesTree(t, c.Properties)
			}, "CRTC %d", i)
		}
	}, "CRTCs")
	t.under(func() {
		for i := range d.Planes {
			planeTree(t, i, &d.Planes[i])
		}
	}, "Planes")
}

func connectorTree(t *tree, i int, c *devinfo.Connector) {
	status := c.Status.Name
	if status == "connected" {
		status = t.page.paint(green, status)
	}
	t.under(func() {
		t.item("Object ID: %d", c.ID)
		t.item("Type: %s", words.Escape(c.Type.Name))
		t.item("Status: %s", status)
		t.item("Physical size: %dx%d mm", c.WidthMM, c.HeightMM)
		t.item("Subpixel: %s", c.Subpixel.Name)
		var ids []string
		for _, id := range c.Encoders {
			ids = append(ids, fmt.Sprint(id))
		}
		t.item("Encoder: %s of {%s}", object(c.Encoder), strings.Join(ids, ", "))
		if len(c.Modes) > 0 {
			t.under(func() {
				for _, m := range c.Modes {
					t.item("%s", modeText(m))
				}
			}, "Modes")
		}
		propertiesTree(t, c.Properties)
	}, "Connector %d: %s", i, words.Escape(c.Name))
}

func planeTree(t *tree, i int, p *devinfo.Plane) {
	t.under(func() {
		t.item("Object ID: %d", p.ID)
		t.item("CRTCs: {%s}", places(p.PossibleCRTCs))
		t.item("CRTC: %s", object(p.CRTC))
		if p.Shows != nil {
			t.item("Framebuffer: %s", framebufferText(p.Shows))
		} else {
			t.item("Framebuffer: %s", object(p.FB))
		}
		var names []string
		for _, f := range p.Formats {
			names = append(names, f.Name())
		}
		t.item("Formats: %s", words.Escape(strings.Join(names, " ")))
		propertiesTree(t, p.Properties)
		for i := range p.Pipelines {
			pipelineTree(t, &p.Pipelines[i])
		}
	}, "Plane %d", i)
}

func pipelineTree(t *tree, p *devinfo.Pipeline) {
	active := ""
	if p.Active {
		active = " (active)"
	}
	t.under(func() {
		for _, op := range p.Ops {
			t.under(func() { propertiesTree(t, op.Properties) }, "Operation %d: %s", op.ID, words.Escape(op.Type))
		}
	}, "Color pipeline \"%s\"%s", words.Escape(p.Name), active)
}

// object is an object's id, where 0 is none.
func object(id uint32) string {
	if id == 0 {
		return "none"
	}
	return fmt.Sprint(id)
}

func framebufferText(f *devinfo.Framebuffer) string {
	s := fmt.Sprintf("%d, %dx%d %s", f.ID, f.Width, f.Height, words.Escape(f.Format.Name()))
	if f.Modifier != nil {
		s += " " + words.Escape(f.Modifier.String())
	}
	for _, p := range f.Planes {
		s += fmt.Sprintf(", pitch %d at %d", p.Pitch, p.Offset)
	}
	return s
}

// modeText is a mode as drm_info and X write one.
func modeText(m devinfo.Mode) string {
	s := fmt.Sprintf("%dx%d@%d.%03d, %d kHz, %d %d %d, %d %d %d", m.HDisplay, m.VDisplay, m.Refresh/1000, m.Refresh%1000, m.Clock,
		m.HSyncStart, m.HSyncEnd, m.HTotal, m.VSyncStart, m.VSyncEnd, m.VTotal)
	if m.HSkew != 0 {
		s += fmt.Sprintf(", skew %d", m.HSkew)
	}
	if m.VScan > 1 {
		s += fmt.Sprintf(", vscan %d", m.VScan)
	}
	for _, name := range append(append([]string{}, m.TypeNames...), m.FlagNames...) {
		s += " " + name
	}
	return s
}

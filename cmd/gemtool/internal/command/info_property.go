package command

import (
	"fmt"
	"strings"

	"github.com/gemtool/gemtool/cmd/gemtool/internal/devinfo"
	"github.com/gemtool/gemtool/cmd/gemtool/internal/words"
	"github.com/gemtool/gemtool/drm/kms"
)

func propertiesTree(t *tree, props []devinfo.Property) {
	if len(props) == 0 {
		return
	}
	t.under(func() {
		for i := range props {
			p := &props[i]
			t.under(func() { propertyTree(t, p) }, "%s", propertyText(t.page, p))
		}
	}, "Properties")
}

// propertyText is a property on a line: its name, what it may be, what it is.
func propertyText(page *page, p *devinfo.Property) string {
	s := `"` + words.Escape(p.Name) + `"`
	switch {
	case p.Immutable && p.Atomic:
		s += " (immutable, atomic)"
	case p.Immutable:
		s += " (immutable)"
	case p.Atomic:
		s += " (atomic)"
	}
	s += ": " + p.Kind
	switch {
	case p.Range != nil:
		s += fmt.Sprintf(" [%d, %d]", p.Range.Min, p.Range.Max)
	case p.SignedRange != nil:
		s += fmt.Sprintf(" [%d, %d]", p.SignedRange.Min, p.SignedRange.Max)
	case p.Enums != nil:
		var names []string
		for _, e := range p.Enums {
			names = append(names, words.Escape(e.Name))
		}
		s += " {" + strings.Join(names, ", ") + "}"
	case p.Kind == "object":
		s += " (" + kms.ObjectType(p.ObjectType).String() + ")"
	}
	s += " = " + valueText(p)
	if p.Error != "" {
		s += " " + page.paint(red, words.Escape(p.Error))
	}
	return s
}

func valueText(p *devinfo.Property) string {
	switch {
	case p.Signed != nil:
		return fmt.Sprint(*p.Signed)
	case p.Pixels != nil:
		return fmt.Sprint(*p.Pixels)
	case len(p.Names) > 0:
		return words.Escape(strings.Join(p.Names, " | "))
	case p.Framebuffer != nil:
		return framebufferText(p.Framebuffer)
	case p.Blob != nil:
		return fmt.Sprintf("%d, %d bytes", p.Value, p.Blob.Size)
	case (p.Kind == "blob" || p.Kind == "object") && p.Value == 0:
		return "none"
	}
	return fmt.Sprint(p.Value)
}

// propertyTree is what a blob means.
func propertyTree(t *tree, p *devinfo.Property) {
	b := p.Blob
	if b == nil {
		return
	}
	switch {
	case b.Error != "":
		t.item("%s", t.page.paint(red, words.Escape(b.Error)))
	case b.EDID != nil:
		edidTree(t, b.EDID)
	case b.Mode != nil:
		t.item("%s", modeText(*b.Mode))
	case b.Tile != nil:
		x := b.Tile
		t.item("column %d of %d, row %d of %d, %dx%d, group %d", x.Column, x.Columns, x.Row, x.Rows, x.Width, x.Height, x.Group)
	case b.HDR != nil:
		h := b.HDR
		t.item("%s, luminance %v to %d cd/m², content up to %d, frames up to %d", h.EOTF.Name, h.MinLuminance, h.MaxLuminance, h.MaxContent, h.MaxFrameAverage)
	case b.Text != "":
		t.item("%s", words.Escape(b.Text))
	}
	for _, s := range b.Sizes {
		t.item("%dx%d", s.Width, s.Height)
	}
	for _, f := range b.Formats {
		var names []string
		for _, x := range f.Formats {
			names = append(names, x.Name())
		}
		t.item("%s: %s", words.Escape(f.Modifier.String()), words.Escape(strings.Join(names, " ")))
	}
	var names []string
	for _, x := range b.Pixels {
		names = append(names, x.Name())
	}
	if names != nil {
		t.item("%s", words.Escape(strings.Join(names, " ")))
	}
}

func edidTree(t *tree, e *devinfo.EDID) {
	name := strings.TrimSpace(e.Vendor + " " + e.Name)
	t.item("EDID %s: %s, product %04x, %d", e.Version, words.Escape(name), e.Product, e.Year)
	if x := e.Preferred; x != nil {
		t.item("preferred: %dx%d@%d.%03d, %dx%d cm", x.Width, x.Height, x.Refresh/1000, x.Refresh%1000, e.WidthCM, e.HeightCM)
	}
	if h := e.HDR; h != nil {
		t.item("HDR: PQ %v, HLG %v, %v to %v cd/m²", h.PQ, h.HLG, h.MinLuminance, h.MaxLuminance)
	}
	for _, w := range e.Warnings {
		t.item("%s", t.page.paint(yellow, words.Escape(w)))
	}
}

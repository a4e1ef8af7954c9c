package command

import (
	"cmp"
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"strings"

	"github.com/gemtool/gemtool/cmd/gemtool/internal/devinfo"
	"github.com/gemtool/gemtool/cmd/gemtool/internal/words"
)

func (i *infoJSON) text(p *page) {
	p.line("%s", words.Escape(strings.TrimSpace(i.Kernel.Name+" "+i.Kernel.Release+" "+i.Kernel.Version)))
	for n := range i.Devices {
		d := &i.Devices[n]
		p.line("")
		p.line("%s", d.title())
		p.tree(d.tree)
	}
}

func (d *infoDeviceJSON) title() string {
	if d.Name == "" {
		return words.Escape(d.Nodes[0].Path)
	}
	return words.Escape(d.Name)
}

func (d *infoDeviceJSON) tree(t *tree) {
	driver := cmp.Or(words.Escape(d.Driver), "unknown")
	if d.Description != "" {
		driver += " (" + words.Escape(d.Description) + ")"
	}
	if v := d.Version; v != nil {
		driver += fmt.Sprintf(" version %d.%d.%d", v.Major, v.Minor, v.Patch)
	}
	if d.Date != "" && d.Date != "0" {
		driver += " (" + words.Escape(d.Date) + ")"
	}
	t.item("Driver: %s", driver)
	if s := d.hardware(); s != "" {
		t.item("Device: %s", s)
	}
	t.under(func() {
		for _, n := range d.Nodes {
			n.tree(t)
		}
	}, "Nodes")
	t.item("Can: %s", cmp.Or(d.abilities(t.page), "nothing that is known"))
	if len(d.ClientCaps) > 0 {
		t.item("Client caps: %s", joinCaps(t.page, d.ClientCaps, func(capJSON) string { return "" }))
	}
	if d.Display != nil {
		displayTree(t, d.Display)
	}
	if d.Memory != nil {
		memoryTree(t, d.Memory)
	}
	for _, s := range d.Hints {
		t.item("%s", t.page.paint(yellow, "Hint: "+s))
	}
	for _, s := range d.Errors {
		t.item("%s", t.page.paint(red, "Error: "+words.Escape(s)))
	}
}

func (d *infoDeviceJSON) hardware() string {
	var parts []string
	if pci := d.Hardware.PCI; pci != nil {
		parts = append(parts, fmt.Sprintf("PCI %s, %04x:%04x, subsystem %04x:%04x", words.Escape(pci.Address), pci.Vendor, pci.Device, pci.SubsystemVendor, pci.SubsystemDevice))
	}
	if usb := d.Hardware.USB; usb != nil {
		parts = append(parts, fmt.Sprintf("USB %04x:%04x", usb.Vendor, usb.Product))
	}
	if names := d.Hardware.Compatible; len(names) > 0 {
		parts = append(parts, "compatible with "+words.Escape(strings.Join(names, ", ")))
	}
	if names := strings.TrimSpace(words.Escape(d.Vendor.Name) + " " + words.Escape(d.Product.Name)); names != "" {
		parts = append(parts, names)
	}
	return strings.Join(parts, ", ")
}

func (n *infoNodeJSON) tree(t *tree) {
	s := words.Escape(n.Path)
	if n.Mode != "" {
		s += ": " + n.Mode + " " + words.Escape(n.Owner)
	}
	switch {
	case n.Access != "ok":
		s += ", " + t.page.paint(yellow, n.Access)
	case n.Error != "":
		s += ", " + t.page.paint(red, words.Escape(n.Error))
	}
	t.under(func() {
		if len(n.Caps) > 0 {
			t.item("Caps: %s", joinCaps(t.page, n.Caps, capJSON.number))
		}
	}, "%s", s)
}

func (c capJSON) number() string {
	s := fmt.Sprintf(" %d", *c.Value)
	if c.Name == "PRIME" {
		s += [...]string{"", " (import)", " (export)", " (import, export)"}[*c.Value&3]
	}
	return s
}

// joinCaps names the caps that are there, and then those that are not.
func joinCaps(p *page, caps []capJSON, value func(capJSON) string) string {
	var there, missing []string
	for _, c := range caps {
		if c.Value == nil {
			missing = append(missing, p.paint(yellow, c.Name+" "+c.Errno))
		} else {
			there = append(there, c.Name+value(c))
		}
	}
	return strings.Join(append(there, missing...), ", ")
}

func memoryTree(t *tree, m *devinfo.Memory) {
	title := fmt.Sprintf("Clients: %d", len(m.Clients))
	if m.Unreadable > 0 {
		title += fmt.Sprintf(" (%d processes of others may not be looked at)", m.Unreadable)
	}
	t.under(func() {
		for _, c := range m.Clients {
			s := fmt.Sprintf("%s (%d) on %s", words.Escape(c.Command), c.PID, words.Escape(c.Node))
			if c.Name != "" {
				s += " as " + words.Escape(c.Name)
			}
			if c.SameAs != 0 {
				s += fmt.Sprintf(", the file of %d", c.SameAs)
			}
			for _, name := range slices.Sorted(maps.Keys(c.Regions)) {
				r := c.Regions[name]
				if r.Resident != nil {
					s += fmt.Sprintf(", %s %d KiB resident", words.Escape(name), *r.Resident>>10)
				}
				if r.Total != nil {
					s += fmt.Sprintf(", %s %d KiB in all", words.Escape(name), *r.Total>>10)
				}
			}
			t.item("%s", s)
		}
	}, "%s", title)
}

// places lists the bits of a mask, which are places in a list.
func places(mask uint32) string {
	if mask == 0 {
		return "none"
	}
	var s []string
	for ; mask != 0; mask &= mask - 1 {
		s = append(s, fmt.Sprint(bits.TrailingZeros32(mask)))
	}
	return strings.Join(s, ", ")
}

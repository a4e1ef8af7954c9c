package command

import (
	"math"
	"strings"

	"github.com/gemtool/gemtool/cmd/gemtool/internal/devinfo"
	"github.com/gemtool/gemtool/drm/fourcc"
)

// drmInfo writes what info says of a device's card as drm_info does.
func drmInfo(kernel kernelJSON, d *infoDeviceJSON, card int) any {
	caps, clientCaps := map[string]any{}, map[string]any{}
	for _, c := range d.Nodes[card].Caps {
		caps[c.Name] = nil
		if c.Value != nil {
			caps[c.Name] = *c.Value
		}
	}
	for _, c := range d.ClientCaps {
		clientCaps[c.Name] = c.Value != nil
	}
	size := d.Display.FBSize
	return map[string]any{
		"driver": map[string]any{
			"name": d.Driver, "desc": d.Description,
			"version":     map[string]any{"major": d.Version.Major, "minor": d.Version.Minor, "patch": d.Version.Patch, "date": d.Date},
			"kernel":      map[string]any{"sysname": kernel.Name, "release": kernel.Release, "version": kernel.Version},
			"client_caps": clientCaps, "caps": caps,
		},
		"device":     drmInfoBus(d),
		"fb_size":    map[string]any{"min_width": size.MinWidth, "max_width": size.MaxWidth, "min_height": size.MinHeight, "max_height": size.MaxHeight},
		"connectors": array(d.Display.Connectors, drmInfoConnector),
		"encoders": array(d.Display.Encoders, func(e devinfo.Encoder) any {
			return map[string]any{"id": e.ID, "type": e.Type.Value, "crtc_id": e.CRTC, "possible_crtcs": e.PossibleCRTCs, "possible_clones": e.PossibleClones}
		}),
		"crtcs": array(d.Display.CRTCs, func(c devinfo.CRTC) any {
			return map[string]any{"id": c.ID, "fb_id": c.FB, "x": c.X, "y": c.Y, "mode": drmInfoMode(c.Mode),
				"gamma_size": c.GammaSize, "properties": drmInfoProperties(c.Properties)}
		}),
		"planes": array(d.Display.Planes, func(p devinfo.Plane) any {
			return map[string]any{"id": p.ID, "possible_crtcs": p.PossibleCRTCs, "crtc_id": p.CRTC, "fb_id": p.FB,
				// libdrm has these fields and never fills them in; the
				// kernel answers a gamma size of 0.
				"crtc_x": 0, "crtc_y": 0, "x": 0, "y": 0, "gamma_size": 0,
				"fb": drmInfoFB(p.Shows), "formats": formats(p.Formats), "properties": drmInfoProperties(p.Properties)}
		}),
	}
}

// drmInfoBus counts as libdrm does, for which a virtio GPU is on PCI. A bus that
// it does not know has no data.
func drmInfoBus(d *infoDeviceJSON) any {
	available := uint64(0)
	for _, n := range d.Nodes {
		available |= map[string]uint64{"card": 1 << 0, "render": 1 << 2}[n.Kind]
	}
	doc := map[string]any{"available_nodes": available}
	switch pci, usb := d.Hardware.PCI, d.Hardware.USB; {
	case pci != nil:
		doc["bus_type"] = 0
		doc["device_data"] = map[string]any{"vendor": pci.Vendor, "device": pci.Device, "subsystem_vendor": pci.SubsystemVendor, "subsystem_device": pci.SubsystemDevice}
	case usb != nil:
		doc["bus_type"] = 1
		doc["device_data"] = map[string]any{"vendor": usb.Vendor, "product": usb.Product}
	case d.Bus == "platform":
		doc["bus_type"] = 2
		doc["device_data"] = map[string]any{"compatible": array(d.Hardware.Compatible, func(s string) any { return s })}
	default:
		return nil
	}
	return doc
}

func drmInfoConnector(c devinfo.Connector) any {
	return map[string]any{"id": c.ID, "type": c.Type.Value, "status": c.Status.Value, "phy_width": c.WidthMM, "phy_height": c.HeightMM,
		"subpixel":   c.Subpixel.Value + 1, // libdrm counts from 1
		"encoder_id": c.Encoder, "encoders": array(c.Encoders, func(id uint32) any { return id }),
		"modes":      array(c.Modes, func(m devinfo.Mode) any { return drmInfoMode(&m) }),
		"properties": drmInfoProperties(c.Properties)}
}

func drmInfoMode(m *devinfo.Mode) any {
	if m == nil {
		return nil
	}
	return map[string]any{"clock": m.Clock, "name": m.Name, "flags": m.Flags, "type": m.Type, "vrefresh": m.VRefresh,
		"hdisplay": m.HDisplay, "hsync_start": m.HSyncStart, "hsync_end": m.HSyncEnd, "htotal": m.HTotal, "hskew": m.HSkew,
		"vdisplay": m.VDisplay, "vsync_start": m.VSyncStart, "vsync_end": m.VSyncEnd, "vtotal": m.VTotal, "vscan": m.VScan}
}

func drmInfoFB(f *devinfo.Framebuffer) any {
	if f == nil {
		return nil
	}
	doc := map[string]any{"id": f.ID, "width": f.Width, "height": f.Height, "format": uint32(f.Format),
		"planes": array(f.Planes, func(p devinfo.FBPlane) any { return map[string]any{"offset": p.Offset, "pitch": p.Pitch} })}
	if f.Modifier != nil {
		doc["modifier"] = uint64(*f.Modifier)
	}
	return doc
}

func drmInfoProperties(props []devinfo.Property) any {
	doc := map[string]any{}
	for i := range props {
		doc[props[i].Name] = drmInfoProperty(&props[i])
	}
	return doc
}

// drmInfoProperty has the DRM_MODE_PROP_* in their numbers.
func drmInfoProperty(p *devinfo.Property) any {
	kind := map[string]uint32{"range": 1 << 1, "enum": 1 << 3, "blob": 1 << 4, "bitmask": 1 << 5, "object": 1 << 6, "signed range": 2 << 6}[p.Kind]
	flags := kind
	if p.Immutable {
		flags |= 1 << 2
	}
	if p.Atomic {
		flags |= 1 << 31
	}
	doc := map[string]any{"id": p.ID, "flags": flags, "type": kind, "atomic": p.Atomic, "immutable": p.Immutable,
		"raw_value": p.Value, "value": p.Value, "spec": nil, "data": nil}
	switch p.Kind {
	case "range":
		doc["spec"] = map[string]any{"min": p.Range.Min, "max": p.Range.Max}
		if strings.HasPrefix(p.Name, "SRC_") {
			doc["data"] = uint64(math.Floor(*p.Pixels))
		}
	case "signed range":
		doc["spec"], doc["value"] = map[string]any{"min": p.SignedRange.Min, "max": p.SignedRange.Max}, *p.Signed
	case "enum", "bitmask":
		doc["spec"] = array(p.Enums, func(e devinfo.Enum) any { return map[string]any{"name": e.Name, "value": e.Value} })
	case "object":
		doc["spec"] = p.ObjectType
		if p.Name == "FB_ID" {
			doc["data"] = drmInfoFB(p.Framebuffer)
		}
	case "blob":
		doc["value"] = nil
		if p.Blob != nil {
			doc["data"] = drmInfoBlob(p.Name, p.Blob)
		}
	}
	return doc
}

func drmInfoBlob(name string, b *devinfo.Blob) any {
	switch name {
	case "IN_FORMATS":
		return array(b.Formats, func(f devinfo.Formats) any {
			return map[string]any{"modifier": uint64(f.Modifier), "formats": formats(f.Formats)}
		})
	case "MODE_ID":
		return drmInfoMode(b.Mode)
	case "WRITEBACK_PIXEL_FORMATS":
		return formats(b.Pixels)
	case "PATH":
		return b.Text
	}
	return nil
}

func formats(all []fourcc.Format) any {
	return array(all, func(f fourcc.Format) any { return uint32(f) })
}

func array[T any](all []T, f func(T) any) any {
	out := []any{}
	for _, x := range all {
		out = append(out, f(x))
	}
	return out
}

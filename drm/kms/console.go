package kms

import (
	"fmt"
	"image"
	"os"
	"path/filepath"
	"slices"

	"github.com/gemtool/gemtool/drm"
)

// showsConsole says whether what a vkms shows on a CRTC is the kernel's own
// console. No ioctl tells; what has the size of the device's fbdev and is not
// shown by a master is taken for it.
func showsConsole(d *drm.Device, t *topology, c crtcState) bool {
	if v, err := d.Version(); err != nil || v.Name != "vkms" {
		return false
	}
	sizes := fbdevSizes(d)
	shown := 0
	for _, p := range t.planes {
		if p.CRTC != c.id {
			continue
		}
		shown++
		size := image.Pt(int(p.props["SRC_W"].Value>>16), int(p.props["SRC_H"].Value>>16))
		if !slices.Contains(sizes, size) {
			return false
		}
	}
	return shown == 1
}

// fbdevSizes returns the sizes of the fbdevs that the kernel has made for d.
func fbdevSizes(d *drm.Device) []image.Point {
	infos, err := drm.Devices()
	if err != nil {
		return nil
	}
	var parent string
	for _, info := range infos {
		for _, n := range info.Nodes {
			if n.Rdev == d.Rdev() {
				parent, _ = filepath.EvalSymlinks(filepath.Join("/sys/class/drm", filepath.Base(n.Path), "device"))
			}
		}
	}
	fbs, _ := filepath.Glob(filepath.Join("/sys/class/graphics/fb[0-9]*")) // fails for bad patterns only
	var sizes []image.Point
	for _, fb := range fbs {
		of, err := filepath.EvalSymlinks(filepath.Join(fb, "device"))
		if err != nil || of != parent {
			continue
		}
		text, err := os.ReadFile(filepath.Join(fb, "virtual_size"))
		if err != nil {
			continue
		}
		var size image.Point
		if _, err := fmt.Sscanf(string(text), "%d,%d", &size.X, &size.Y); err == nil {
			sizes = append(sizes, size)
		}
	}
	return sizes
}

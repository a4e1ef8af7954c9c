//go:build linux

package vm

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// DefaultDevices are what a VM has unless told otherwise, as far as its kernel
// and QEMU have them. Config.Devices has a name for them: default.
var DefaultDevices = []string{"vkms", "vgem", "virtio-gpu", "bochs", "udmabuf"}

// device is something --device can name.
type device struct {
	name    string
	modules []string // the first that the kernel has drives it
	qemu    string   // QEMU's device, if it is not a driver alone
}

var devices = []device{
	{name: "vkms", modules: []string{"vkms"}},
	{name: "vgem", modules: []string{"vgem"}},
	{name: "udmabuf", modules: []string{"udmabuf"}},
	{name: "vivid", modules: []string{"vivid"}},
	{name: "virtio-gpu", modules: []string{"virtio_gpu"}, qemu: "virtio-gpu-pci"},
	{name: "bochs", modules: []string{"bochs", "bochs_drm"}, qemu: "bochs-display"},
	{name: "qxl", modules: []string{"qxl"}, qemu: "qxl"},
	{name: "cirrus", modules: []string{"cirrus", "cirrus_qemu"}, qemu: "cirrus-vga"},
}

// DeviceNames lists what Config.Devices may hold.
func DeviceNames() []string {
	names := []string{"none", "default"}
	for _, d := range devices {
		names = append(names, d.name)
	}
	return names
}

func checkDevices(names []string) error {
	for _, name := range names {
		if !slices.Contains(DeviceNames(), name) {
			return fmt.Errorf("unknown device %q, known are: %s", name, strings.Join(DeviceNames(), ", "))
		}
		if name == "none" && len(names) > 1 {
			return errors.New("device none goes with no other device")
		}
	}
	return nil
}

// chosen is the outcome of chooseDevices.
type chosen struct {
	modules []string // to load
	qemu    []string // values for -device
	leftOut []string // "NAME (why)"
}

// chooseDevices turns names, which checkDevices has seen, into modules and QEMU
// devices. What this kernel or this QEMU lacks is an error, but left out of the
// default.
func chooseDevices(names []string, mods *moduleTree, qemuHas func(string) bool) (chosen, error) {
	var c chosen
	var lenient []string
	if slices.Contains(names, "default") {
		names = slices.Concat(DefaultDevices, slices.DeleteFunc(slices.Clone(names), func(name string) bool {
			return name == "default" || slices.Contains(DefaultDevices, name)
		}))
		lenient = DefaultDevices
	}
	for _, name := range names {
		if name == "none" {
			continue
		}
		d := devices[slices.IndexFunc(devices, func(d device) bool { return d.name == name })]
		m := slices.IndexFunc(d.modules, mods.has)
		why := ""
		switch {
		case d.qemu != "" && !qemuHas(d.qemu):
			why = "this QEMU lacks " + d.qemu
		case m < 0 && mods.known():
			why = "this kernel lacks the module " + d.modules[0]
		}
		if why != "" {
			if !slices.Contains(lenient, name) {
				return c, fmt.Errorf("device %s: %s", name, why)
			}
			c.leftOut = append(c.leftOut, name+" ("+why+")")
			continue
		}
		if m >= 0 {
			c.modules = append(c.modules, d.modules[m])
		}
		if d.qemu != "" {
			c.qemu = append(c.qemu, d.qemu)
		}
	}
	return c, nil
}

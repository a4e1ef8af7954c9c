package devinfo

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gemtool/gemtool/drm"
)

// Bus is what sysfs says of the device that a DRM device is, or sits on: a
// virtio device's PCI function. Of the fields there are those of its bus.
type Bus struct {
	PCI        *PCI     `json:"pci,omitempty"`
	USB        *USB     `json:"usb,omitempty"`
	Compatible []string `json:"compatible,omitempty"` // of the device tree, or of a platform device
}

// PCI is a function on PCI.
type PCI struct {
	Address         string `json:"address"`
	Vendor          uint16 `json:"vendor"`
	Device          uint16 `json:"device"`
	SubsystemVendor uint16 `json:"subsystem_vendor"`
	SubsystemDevice uint16 `json:"subsystem_device"`
	Revision        uint8  `json:"revision"`
}

// USB is a device on USB.
type USB struct {
	Vendor  uint16 `json:"vendor"`
	Product uint16 `json:"product"`
}

// ReadBus reads what sysfs, mounted at sys, says of a device. It wakes nothing,
// and leaves out what is not there.
func ReadBus(sys string, info drm.Info) (b Bus) {
	for _, n := range info.Nodes {
		class := "drm"
		if n.Kind == drm.NodeAccel {
			class = "accel"
		}
		if dir, err := filepath.EvalSymlinks(filepath.Join(sys, "class", class, filepath.Base(n.Path), "device")); err == nil {
			b.read(dir)
			return b
		}
	}
	return b
}

func (b *Bus) read(dir string) {
	b.Compatible = compatible(dir)
	for ; strings.Contains(dir, "/devices/"); dir = filepath.Dir(dir) {
		id := func(name string) uint16 { return uint16(hex(dir, name)) }
		subsystem, _ := os.Readlink(filepath.Join(dir, "subsystem")) // a folder between devices has none
		switch filepath.Base(subsystem) {
		case "pci":
			b.PCI = &PCI{filepath.Base(dir), id("vendor"), id("device"), id("subsystem_vendor"), id("subsystem_device"), uint8(hex(dir, "revision"))}
			return
		case "usb":
			if _, err := os.Stat(filepath.Join(dir, "idVendor")); err == nil { // the device, not its interface
				b.USB = &USB{id("idVendor"), id("idProduct")}
				return
			}
		}
	}
}

// hex reads a number of sysfs, 0 for none. Those of PCI begin with 0x.
func hex(dir, name string) uint64 {
	text, _ := os.ReadFile(filepath.Join(dir, name)) // no text is no number
	n, err := strconv.ParseUint(strings.TrimPrefix(strings.TrimSpace(string(text)), "0x"), 16, 32)
	if err != nil {
		return 0
	}
	return n
}

// compatible reads what a device's uevent says: the names of the device tree,
// else the one that platform devices are matched by.
func compatible(dir string) (names []string) {
	text, _ := os.ReadFile(filepath.Join(dir, "uevent")) // no text has no names
	vars := map[string]string{}
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		vars[key] = value
	}
	for i := 0; ; i++ {
		name, ok := vars[fmt.Sprintf("OF_COMPATIBLE_%d", i)]
		if !ok {
			break
		}
		names = append(names, name)
	}
	if name, ok := strings.CutPrefix(vars["MODALIAS"], "platform:"); ok && names == nil {
		names = append(names, name)
	}
	return names
}

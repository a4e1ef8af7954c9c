// Package inventory finds out what a machine's DRM devices are: what sysfs says
// without waking a device, and what a device says when it is opened.
package inventory

import (
	"errors"
	"path/filepath"
	"slices"

	"github.com/gemtool/gemtool/drm"
)

// System is where to look. The zero value is this machine.
type System struct {
	Sys     string                     // in the place of /sys
	PCIIDs  []string                   // where to look for pci.ids; nil: where distributions put it
	Devices func() ([]drm.Info, error) // in the place of drm.Devices
}

// Device is a device and what is known of it.
type Device struct {
	drm.Info
	Driver  string       // as VERSION names it, else as sysfs does; empty: unknown
	Version *drm.Version // nil: no node could be opened
	Vendor  Name
	Product Name
	Nodes   []Node
	Asleep  bool // its power is off, and nobody asked to wake it
	Can     Abilities
	Hints   []string
}

// Node is a node and who may open it.
type Node struct {
	drm.Node
	Access Access
	Group  string // whose members may open it, when this user may not
	Err    error  // why it could not be opened, although its permissions allow it
}

// Name is a number that a bus gives out, and what the number's owner calls it.
type Name struct {
	ID   *uint16 // nil: the bus has none
	Text string  // empty: not known on this machine
}

// List looks at all devices. It opens no device that is asleep, unless wake is
// true.
func (s System) List(wake bool) ([]*Device, error) {
	devices := s.Devices
	if devices == nil {
		devices = drm.Devices
	}
	infos, err := devices()
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return nil, err
	}
	var all []*Device
	for _, info := range infos {
		d := &Device{Info: info}
		for _, n := range info.Nodes {
			node := Node{Node: n}
			node.Access, node.Group = access(n.Path)
			d.Nodes = append(d.Nodes, node)
		}
		dir := s.dirOf(info)
		s.describe(d, dir)
		if d.Asleep = !wake && asleep(dir); !d.Asleep {
			d.probe()
		}
		all = append(all, d)
	}
	all = append(all, s.nvidiaWithoutDRM(all)...)
	s.namePCI(all)
	for _, d := range all {
		if d.Driver == "nvidia-drm" && d.Can.ScanOut == No {
			d.Hints = append(d.Hints, "nvidia-drm runs without modesetting, and can neither scan out nor share: load it with modeset=1 (nvidia-drm.modeset=1 on the kernel's command line)")
		}
	}
	return all, nil
}

// dirOf returns the directory of a device in sysfs, empty if there is none.
func (s System) dirOf(info drm.Info) string {
	for _, n := range info.Nodes {
		class := "drm"
		if n.Kind == drm.NodeAccel {
			class = "accel"
		}
		dir, err := filepath.EvalSymlinks(filepath.Join(s.sys(), "class", class, filepath.Base(n.Path), "device"))
		if err == nil {
			return dir
		}
	}
	return ""
}

func (s System) sys() string {
	if s.Sys == "" {
		return "/sys"
	}
	return s.Sys
}

// pciAddresses are those of all devices, to join them with what others know of
// them by address.
func pciAddresses(all []*Device) (addresses []string) {
	for _, d := range all {
		if d.Bus == "pci" {
			addresses = append(addresses, d.ID)
		}
	}
	slices.Sort(addresses)
	return addresses
}

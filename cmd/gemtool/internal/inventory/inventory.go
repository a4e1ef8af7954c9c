// Package inventory finds out what a machine's DRM devices are: what sysfs says
// without waking a device, and what a device says when it is opened.
package inventory

import (
	"cmp"
	"errors"
	"os"
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
	// Asleep: its power is off. ScreenOff: its screen is on for the kernel's
	// console, and blanked. Opening the device would change either: the kernel
	// restores the console when the last file of a device is closed. Unless
	// somebody asked to wake it, it was not opened.
	Asleep, ScreenOff bool
	Can               Abilities
	Hints             []string
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

// List looks at all devices. It opens no device that is asleep or has a blanked
// screen, unless wake is true, and never an accel node: some drivers give the
// device to who opens one, and reset it behind him.
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
			node.Access, node.Group = May(n.Path)
			d.Nodes = append(d.Nodes, node)
		}
		dir := s.dirOf(info)
		s.describe(d, dir)
		d.Asleep, d.ScreenOff = !wake && asleep(dir), !wake && s.screenOff(info)
		if !d.Asleep && !d.ScreenOff {
			d.probe()
		}
		all = append(all, d)
	}
	all = append(all, s.nvidiaWithoutDRM(all)...)
	s.namePCI(all)
	for _, d := range all {
		// A GPU without outputs has modesetting, too, and then it is atomic.
		if d.Driver == "nvidia-drm" && d.Can.ScanOut == No && d.Can.Atomic == No {
			d.Hints = append(d.Hints, "nvidia-drm runs without modesetting, and can neither scan out nor make dumb buffers: load it with modeset=1 (nvidia-drm.modeset=1 on the kernel's command line)")
		}
	}
	return all, nil
}

// ByDriver puts the devices first that sysfs says are a driver's, and those last
// that opening would wake. A driver has a name of its own, which only VERSION
// tells: this is the order in which to ask.
func (s System) ByDriver(infos []drm.Info, driver string) []drm.Info {
	rank := func(info drm.Info) int {
		dir := s.dirOf(info)
		switch link, _ := os.Readlink(filepath.Join(dir, "driver")); { // virtual devices have none
		case dir != "" && filepath.Base(link) == driver:
			return 0
		case asleep(dir), s.screenOff(info):
			return 2
		}
		return 1
	}
	return slices.SortedStableFunc(slices.Values(infos), func(a, b drm.Info) int { return cmp.Compare(rank(a), rank(b)) })
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

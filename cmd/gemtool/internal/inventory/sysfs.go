package inventory

import (
	"cmp"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/gemtool/gemtool/drm"
)

// describe reads what sysfs knows of a device. What is not there, or is no
// sense, is left out.
func (s System) describe(d *Device, dir string) {
	if dir == "" {
		return
	}
	if driver, err := os.Readlink(filepath.Join(dir, "driver")); err == nil {
		d.Driver = filepath.Base(driver)
	}
	switch bus, carrier := carrier(dir); bus {
	case "pci":
		d.Vendor.ID = readID(filepath.Join(carrier, "vendor"))
		d.Product.ID = readID(filepath.Join(carrier, "device"))
		return
	case "usb":
		// An interface has its device above it.
		for _, at := range []string{carrier, filepath.Dir(carrier)} {
			d.Vendor = Name{cmp.Or(d.Vendor.ID, readID(filepath.Join(at, "idVendor"))), cmp.Or(d.Vendor.Text, readText(filepath.Join(at, "manufacturer")))}
			d.Product = Name{cmp.Or(d.Product.ID, readID(filepath.Join(at, "idProduct"))), cmp.Or(d.Product.Text, readText(filepath.Join(at, "product")))}
		}
		return
	}
	// A device tree says "vendor,product", the most exact name first.
	first, _, _ := strings.Cut(readText(filepath.Join(dir, "of_node", "compatible")), "\x00")
	if vendor, product, ok := strings.Cut(first, ","); ok {
		d.Vendor.Text, d.Product.Text = vendor, product
	}
}

// asleep says whether the device or what carries it (the PCI function of a
// virtio device) is powered off until somebody opens it. That is so on PCI: the
// drivers of a board's own devices power them for work, not for an open file.
func asleep(dir string) bool {
	bus, carrier := carrier(dir)
	if bus != "pci" {
		return false
	}
	for _, at := range []string{dir, carrier} {
		switch readText(filepath.Join(at, "power", "runtime_status")) {
		case "suspended", "suspending":
			return true
		}
	}
	return false
}

// screenOff says whether a screen that is set up has no signal: a blanked
// console.
func (s System) screenOff(info drm.Info) bool {
	card, ok := info.Node(drm.NodePrimary)
	if !ok {
		return false
	}
	connectors, _ := filepath.Glob(filepath.Join(s.sys(), "class/drm", filepath.Base(card.Path)+"-*")) // the pattern is good
	return slices.ContainsFunc(connectors, func(dir string) bool {
		return readText(filepath.Join(dir, "enabled")) == "enabled" && readText(filepath.Join(dir, "dpms")) == "Off"
	})
}

// carrier returns the nearest of dir and the directories above it that is a
// device with numbers of its own, and its bus: pci or usb. A panel on a slow bus
// has none, whatever that bus hangs on.
func carrier(dir string) (bus, at string) {
	for ; strings.Contains(dir, "/devices/"); dir = filepath.Dir(dir) {
		link, _ := os.Readlink(filepath.Join(dir, "subsystem")) // a folder between devices has none
		switch bus := filepath.Base(link); bus {
		case "pci", "usb":
			return bus, dir
		case "i2c", "spi", "mipi-dsi":
			return "", ""
		}
	}
	return "", ""
}

// nvidiaWithoutDRM finds the GPUs that NVIDIA's driver has and DRM does not.
func (s System) nvidiaWithoutDRM(known []*Device) (found []*Device) {
	addresses := pciAddresses(known)
	dir := filepath.Join(s.sys(), "bus/pci/drivers/nvidia")
	entries, _ := os.ReadDir(dir) // without the driver there is none
	for _, e := range entries {
		address := e.Name()
		if _, ok := slices.BinarySearch(addresses, address); ok || !IsPCIAddress(address) {
			continue
		}
		d := &Device{Info: drm.Info{Bus: "pci", ID: address}, Driver: "nvidia"}
		at, err := filepath.EvalSymlinks(filepath.Join(dir, address))
		if err != nil {
			continue
		}
		d.Vendor.ID = readID(filepath.Join(at, "vendor"))
		d.Product.ID = readID(filepath.Join(at, "device"))
		d.Asleep = asleep(at)
		d.Hints = append(d.Hints, "no DRM node: nvidia-drm is not loaded")
		found = append(found, d)
	}
	return found
}

// NVIDIAAsleep says whether a GPU of NVIDIA's is asleep, which asking the
// driver's library would wake.
func NVIDIAAsleep(all []*Device) bool {
	return slices.ContainsFunc(all, func(d *Device) bool { return d.Asleep && d.Vendor.ID != nil && *d.Vendor.ID == 0x10de })
}

// IsPCIAddress says whether s is an address as the kernel writes it:
// 0000:00:02.0.
func IsPCIAddress(s string) bool {
	const shape = "hhhh:hh:hh.h"
	if len(s) < len(shape) {
		return false
	}
	// A domain can have more digits than four.
	extra := len(s) - len(shape)
	if extra > 4 || strings.Trim(s[:extra], "0123456789abcdef") != "" {
		return false
	}
	for i, r := range s[extra:] {
		if want := shape[i]; want == 'h' && !strings.ContainsRune("0123456789abcdef", r) || want != 'h' && byte(r) != want {
			return false
		}
	}
	return true
}

// readText reads a short file, without the newline at its end; empty if it
// cannot be read.
func readText(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, 4096))
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(string(b), "\n")
}

// readID reads a number in hex, with or without 0x; nil if there is none.
func readID(path string) *uint16 {
	n, err := strconv.ParseUint(strings.TrimPrefix(readText(path), "0x"), 16, 16)
	if err != nil {
		return nil
	}
	id := uint16(n)
	return &id
}

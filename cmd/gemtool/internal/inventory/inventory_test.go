package inventory

import (
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/gemtool/gemtool/drm"
)

// fakeSys is a tree like /sys.
type fakeSys struct {
	t   *testing.T
	dir string
}

func (s fakeSys) file(path, text string) {
	s.t.Helper()
	path = filepath.Join(s.dir, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

func (s fakeSys) link(target, path string) {
	s.t.Helper()
	path = filepath.Join(s.dir, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(s.dir, target), path); err != nil {
		s.t.Fatal(err)
	}
}

// pci makes a function on PCI.
func (s fakeSys) pci(address, vendor, device, driver, status string) (dir string) {
	dir = "devices/pci0000:00/" + address
	s.file(dir+"/vendor", vendor)
	s.file(dir+"/device", device)
	s.file(dir+"/power/runtime_status", status)
	s.link("bus/pci", dir+"/subsystem")
	s.link("bus/pci/drivers/"+driver, dir+"/driver")
	s.link(dir, "bus/pci/drivers/"+driver+"/"+address)
	return dir
}

// card makes a card node below a device, and returns what drm.Devices says of
// it. The node itself is not there.
func (s fakeSys) card(name, bus, id, dir string) drm.Info {
	s.link(dir, "class/drm/"+name+"/device")
	return drm.Info{Bus: bus, ID: id, Nodes: []drm.Node{{Kind: drm.NodePrimary, Path: filepath.Join(s.dir, "dev", name)}}}
}

const pciIDs = `# names
10de  NVIDIA Corporation
	2335  GH100 [H200 SXM 141GB]
		10de 1111  A board
1af4  Red Hat, Inc.
	1050  Virtio 1.0 GPU

C 03  Display controller
	00  VGA compatible controller
`

// TestList passes if all that sysfs says is there without any node: driver,
// names, power state, and the GPUs without DRM.
func TestList(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no symbolic links, and no colons in names")
	}
	s := fakeSys{t, t.TempDir()}
	s.file("pci.ids", pciIDs)
	gpu := s.pci("0000:01:00.0", "0x10de\n", "0x2335\n", "nvidia", "suspended\n")
	virtio := s.pci("0000:00:02.0", "0x1af4\n", "0x1050\n", "virtio-pci", "active\n")
	s.link("bus/virtio", virtio+"/virtio0/subsystem")
	s.link("bus/virtio/drivers/virtio_gpu", virtio+"/virtio0/driver")
	s.pci("0000:02:00.0", "0x10de\n", "0xffff\n", "nvidia", "active\n") // without DRM
	s.link("nowhere", "bus/pci/drivers/nvidia/module")
	s.file("devices/platform/soc/display/of_node/compatible", "acme,display-3\x00acme,display\x00")
	dock := s.pci("0000:00:14.0", "0x8086\n", "0x9d2f\n", "xhci_hcd", "active\n") + "/usb1/1-1"
	s.file(dock+"/idVendor", "17e9\n")
	s.file(dock+"/idProduct", "ff0b\n")
	s.file(dock+"/product", "Dock\x1b[31m\n")
	s.link("bus/usb", dock+"/1-1:1.0/subsystem")
	// Opening these wakes nothing, though they say that they sleep.
	s.file(dock+"/1-1:1.0/power/runtime_status", "suspended\n")
	s.file("devices/platform/soc/display/power/runtime_status", "suspended\n")
	panel := s.pci("0000:00:15.0", "0x8086\n", "0x9d60\n", "intel-lpss", "suspended\n") + "/spi0/spi0.0"
	s.link("bus/spi", panel+"/subsystem")
	screen := s.card("card5", "pci", "0000:00:03.0", s.pci("0000:00:03.0", "0x1234\n", "0x1111\n", "bochs-drm", "active\n"))
	s.file("class/drm/card5-Virtual-1/enabled", "enabled\n")
	s.file("class/drm/card5-Virtual-1/dpms", "Off\n")

	infos := []drm.Info{
		s.card("card0", "pci", "0000:01:00.0", gpu),
		s.card("card1", "virtio", "virtio0", virtio+"/virtio0"),
		s.card("card2", "platform", "display", "devices/platform/soc/display"),
		s.card("card3", "usb", "1-1:1.0", dock+"/1-1:1.0"),
		s.card("card4", "spi", "spi0.0", panel),
		screen,
		{Nodes: []drm.Node{{Path: "/dev/dri/card9"}}}, // gone from sysfs
	}
	all, err := System{Sys: s.dir, PCIIDs: []string{"/nowhere", filepath.Join(s.dir, "pci.ids")},
		Devices: func() ([]drm.Info, error) { return infos, nil }}.List(false)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range all {
		asleep := ""
		if d.Asleep {
			asleep = " asleep"
		}
		if d.ScreenOff {
			asleep += " screen off"
		}
		got = append(got, strings.Join([]string{d.BusID(), d.Driver, d.Vendor.Text, d.Product.Text}, "|")+asleep)
		for _, n := range d.Nodes {
			if n.Access != Missing || n.Err != nil {
				t.Errorf("%s: access %v, error %v", n.Path, n.Access, n.Err)
			}
		}
	}
	want := []string{
		"pci:0000:01:00.0|nvidia|NVIDIA Corporation|GH100 [H200 SXM 141GB] asleep",
		"virtio:virtio0|virtio_gpu|Red Hat, Inc.|Virtio 1.0 GPU",
		"platform:display||acme|display-3",
		"usb:1-1:1.0|||Dock\x1b[31m",
		"spi:spi0.0|||",
		"pci:0000:00:03.0|bochs-drm|| screen off",
		":|||",
		"pci:0000:02:00.0|nvidia|NVIDIA Corporation|",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if !NVIDIAAsleep(all) || len(all[7].Hints) != 1 || *all[7].Product.ID != 0xffff {
		t.Errorf("got %+v", all[7])
	}
	if all[3].Vendor.ID == nil || *all[3].Vendor.ID != 0x17e9 {
		t.Errorf("USB: got %+v", all[3])
	}
}

// TestByDriver passes if the device that sysfs has a driver's name for comes
// first, and what is better left alone last.
func TestByDriver(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no symbolic links, and no colons in names")
	}
	s := fakeSys{t, t.TempDir()}
	asleep := s.card("card0", "pci", "0000:01:00.0", s.pci("0000:01:00.0", "0x10de\n", "0x2335\n", "nvidia", "suspended\n"))
	virtual := drm.Info{Nodes: []drm.Node{{Path: "/dev/dri/card1"}}} // without a link
	named := s.card("card2", "pci", "0000:02:00.0", s.pci("0000:02:00.0", "0x1002\n", "0x1636\n", "amdgpu", "active\n"))
	for driver, want := range map[string][]drm.Info{
		"amdgpu": {named, virtual, asleep}, "nvidia": {asleep, virtual, named}, "vkms": {virtual, named, asleep},
	} {
		var got, wanted []string
		for i, info := range (System{Sys: s.dir}).ByDriver([]drm.Info{asleep, virtual, named}, driver) {
			got, wanted = append(got, info.Nodes[0].Path), append(wanted, want[i].Nodes[0].Path)
		}
		if !slices.Equal(got, wanted) {
			t.Errorf("%s: got %v, want %v", driver, got, wanted)
		}
	}
}

// TestListBroken passes if nonsense in sysfs is left out, and the device is
// there all the same.
func TestListBroken(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no symbolic links, and no colons in names")
	}
	s := fakeSys{t, t.TempDir()}
	dir := s.pci("0000:01:00.0", "0xnonsense\n", strings.Repeat("f", 10_000), "i915", "\x1b[31m")
	info := s.card("card0", "pci", "0000:01:00.0", dir)
	all, err := System{Sys: s.dir, Devices: func() ([]drm.Info, error) { return []drm.Info{info}, nil }}.List(false)
	if err != nil || len(all) != 1 || all[0].Vendor.ID != nil || all[0].Product.ID != nil || all[0].Asleep || all[0].Driver != "i915" {
		t.Errorf("got %+v, %v", all, err)
	}
}

func TestIsPCIAddress(t *testing.T) {
	for s, want := range map[string]bool{
		"0000:01:00.0": true, "10000:e1:00.7": true, "0000:01:00.a": true,
		"": false, "module": false, "0000:01:00": false, "0000:01:00.0\n": false, "x0000:01:00.0": false, "0000:0g:00.0": false, "000000000:01:00.0": false,
	} {
		if got := IsPCIAddress(s); got != want {
			t.Errorf("%q: got %v", s, got)
		}
	}
}

// FuzzIsPCIAddress passes if exactly what the kernel writes is an address.
// Case N34.
func FuzzIsPCIAddress(f *testing.F) {
	f.Add("0000:01:00.0")
	f.Add("10000:e1:00.7\n")
	address := regexp.MustCompile(`^[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-9a-f]\z`)
	f.Fuzz(func(t *testing.T, s string) {
		if got, want := IsPCIAddress(s), address.MatchString(s); got != want {
			t.Errorf("%q: got %v", s, got)
		}
	})
}

// FuzzLookUp passes if no list of names, however broken, is a crash. Case N34.
func FuzzLookUp(f *testing.F) {
	f.Add(pciIDs)
	f.Add("10de  \n\t2335  \n\t\n\t\t\n10de")
	f.Fuzz(func(t *testing.T, text string) {
		vendor, product := uint16(0x10de), uint16(0x2335)
		v, p := Name{ID: &vendor}, Name{ID: &product}
		lookUp(strings.NewReader(text), []pciName{{&v, &p}})
		if !strings.Contains(text, v.Text) || !strings.Contains(text, p.Text) {
			t.Errorf("got %q, %q", v.Text, p.Text)
		}
	})
}

// BenchmarkLookUp is the longest part of "gemtool list" where nothing is slow:
// a list of the size that distributions have.
func BenchmarkLookUp(b *testing.B) {
	text := strings.Repeat("0001  Vendor\n\t0001  Product of some length, as they are\n\t\t0001 0001  Subsystem\n", 13_000)
	vendor, product := uint16(0x10de), uint16(0x2335)
	for b.Loop() {
		v, p := Name{ID: &vendor}, Name{ID: &product}
		lookUp(strings.NewReader(text), []pciName{{&v, &p}})
	}
}

package drm

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// sysfs is a tree like /sys.
type sysfs struct {
	t   *testing.T
	dir string
}

func newSysfs(t *testing.T) sysfs {
	t.Helper()
	s := sysfs{t, t.TempDir()}
	s.mkdir("class/drm")
	return s
}

func (s sysfs) mkdir(path string) {
	s.t.Helper()
	if err := os.MkdirAll(filepath.Join(s.dir, path), 0o755); err != nil {
		s.t.Fatal(err)
	}
}

func (s sysfs) file(path, text string) {
	s.t.Helper()
	s.mkdir(filepath.Dir(path))
	if err := os.WriteFile(filepath.Join(s.dir, path), []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

func (s sysfs) link(target, path string) {
	s.t.Helper()
	s.mkdir(filepath.Dir(path))
	if err := os.Symlink(filepath.Join(s.dir, target), filepath.Join(s.dir, path)); err != nil {
		s.t.Fatal(err)
	}
}

// node adds a node as the kernel does: the class has a link to a directory
// below its device.
func (s sysfs) node(class, name, dev, bus, device string) {
	s.t.Helper()
	parent := filepath.Join("devices", device)
	dir := filepath.Join(parent, class, name)
	s.file(filepath.Join(dir, "dev"), dev)
	s.link(parent, filepath.Join(dir, "device"))
	s.mkdir(filepath.Join("bus", bus))
	if _, err := os.Lstat(filepath.Join(s.dir, parent, "subsystem")); errors.Is(err, fs.ErrNotExist) {
		s.link(filepath.Join("bus", bus), filepath.Join(parent, "subsystem"))
	}
	s.link(dir, filepath.Join("class", class, name))
}

func (s sysfs) devices() string {
	s.t.Helper()
	infos, err := devices(s.dir)
	if err != nil {
		s.t.Fatal(err)
	}
	text := ""
	for _, i := range infos {
		text += i.BusID()
		for _, n := range i.Nodes {
			text += fmt.Sprintf(" %v=%s(%d:%d)", n.Kind, n.Path, unix.Major(n.Rdev), unix.Minor(n.Rdev))
		}
		text += "\n"
	}
	return text
}

// TestDevices passes if all nodes of a device are joined and devices come in
// the order of their numbers, whatever the order of their names.
func TestDevices(t *testing.T) {
	s := newSysfs(t)
	s.file("class/drm/version", "drm 1.1.0 20060810\n")
	s.node("drm", "card10", "226:10\n", "platform", "platform/vgem")
	s.node("drm", "renderD129", "226:129\n", "platform", "platform/vgem")
	s.node("drm", "card2", "226:2\n", "pci", "pci0000:00/0000:00:02.0")
	s.node("drm", "card2-HDMI-A-1", "226:77\n", "pci", "pci0000:00/0000:00:02.0")
	s.node("drm", "renderD128", "226:128\n", "pci", "pci0000:00/0000:00:02.0")
	s.node("accel", "accel0", "261:0\n", "pci", "pci0000:00/0000:00:02.0")
	s.node("accel", "accel1", "261:1\n", "pci", "pci0000:00/0000:00:09.0")
	s.node("drm", "card1", "226:1\n", "virtio", "pci0000:00/0000:00:05.0/virtio3")
	// Beyond 192 the minors of all kinds are mixed.
	s.node("drm", "renderD199", "226:199\n", "usb", "usb1/1-1:1.0")
	s.node("drm", "card200", "226:200\n", "usb", "usb1/1-1:1.0")
	want := "virtio:virtio3 card=/dev/dri/card1(226:1)\n" +
		"pci:0000:00:02.0 card=/dev/dri/card2(226:2) render=/dev/dri/renderD128(226:128) accel=/dev/accel/accel0(261:0)\n" +
		"platform:vgem card=/dev/dri/card10(226:10) render=/dev/dri/renderD129(226:129)\n" +
		"usb:1-1:1.0 card=/dev/dri/card200(226:200) render=/dev/dri/renderD199(226:199)\n" +
		"pci:0000:00:09.0 accel=/dev/accel/accel1(261:1)\n"
	if got := s.devices(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// TestDevicesBroken passes if what is broken is left out, what is whole is
// listed all the same, and no name leads out of /dev.
func TestDevicesBroken(t *testing.T) {
	s := newSysfs(t)
	s.node("drm", "card5", "226:5\n", "faux", "faux/vkms")
	s.link("nowhere", "class/drm/card6")
	s.mkdir("class/drm/card7") // no file dev
	for i, dev := range []string{"", "226", "226:\n", ":5\n", "-226:5\n", "226:99999999999\n", "226:5:6\n", "261:5\n", "1:3\n"} {
		s.node("drm", fmt.Sprintf("card%d", 20+i), dev, "pci", fmt.Sprintf("bad%d", i))
	}
	for i, name := range []string{"card", "cardX", "card1\n", "card5 ", "xcard5", "card5\x1b[31m", "renderD", "accel0", "controlD64", "card٣"} {
		s.node("drm", name, "226:5\n", "pci", fmt.Sprintf("hostile%d", i))
	}
	// Without a bus, and without a parent.
	s.file("devices/virtual/drm/card8/dev", "226:8\n")
	s.link("devices/virtual/drm/card8", "class/drm/card8")
	want := "faux:vkms card=/dev/dri/card5(226:5)\n: card=/dev/dri/card8(226:8)\n"
	if got := s.devices(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// TestDevicesNone passes if a system without DRM has no devices, and one
// whose sysfs cannot be read is an error.
func TestDevicesNone(t *testing.T) {
	if infos, err := devices(t.TempDir()); len(infos) != 0 || err != nil {
		t.Errorf("without sysfs: %v, %v", infos, err)
	}
	s := sysfs{t, t.TempDir()}
	s.file("class/drm", "a file")
	if _, err := devices(s.dir); !errors.Is(err, unix.ENOTDIR) {
		t.Errorf("with a broken sysfs: %v, want ENOTDIR", err)
	}
}

// TestFilter passes if each form selects the devices that it names and no
// other.
func TestFilter(t *testing.T) {
	card := t.TempDir() + "/card0"
	info := Info{Bus: "pci", ID: "0000:00:02.0", Nodes: []Node{
		{NodePrimary, "/dev/dri/card90", unix.Mkdev(226, 90)},
		{NodeRender, "/dev/dri/renderD190", unix.Mkdev(226, 190)},
	}}
	for text, want := range map[string]bool{
		"card90": true, "renderD190": true, "card9": false, "card1": false,
		"/dev/dri/card90": true, "/dev/dri/../dri/card90": true, "/dev/dri/card91": false,
		card: false, "./card90": false, os.DevNull: false,
		"driver:vkms": true, "driver:vkm": false, "driver:VKMS": false,
		"bus:pci:0000:00:02.0": true, "bus:0000:00:02.0": true, "bus:0000:00:02": false, "bus:usb:0000:00:02.0": false,
		"pci:0000:00:02.0": true, "usb:0000:00:02.0": false, "faux:vkms": false, "vmbus:pci:0000:00:02.0": false,
	} {
		f, err := ParseFilter(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
		} else if got := f.Match(info, "vkms"); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
	for _, text := range []string{"", "card", "cardX", "card0\n", "driver:", "bus:", "pci:", "vkms", "0", "driver", "card0,card1"} {
		if f, err := ParseFilter(text); err == nil {
			t.Errorf("%q: parsed as %+v", text, f)
		}
	}
}

package drm_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/drm/kms"
)

// watcher is a Hotplug that has told of all that was there at its start.
type watcher struct {
	t      *testing.T
	events chan drm.Uevent
}

func newWatcher(t *testing.T) watcher {
	t.Helper()
	if !drmtest.InVM() {
		t.Skip("it takes drivers from devices: in the VM only")
	}
	ctx, cancel := context.WithCancel(t.Context())
	w := watcher{t, make(chan drm.Uevent, 100)}
	ended := make(chan error, 1)
	go func() {
		for u, err := range drm.Hotplug(ctx) {
			if err != nil {
				ended <- err
				break
			}
			w.events <- u
		}
		close(ended)
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err == nil || !strings.Contains(err.Error(), context.Canceled.Error()) {
			t.Errorf("the watch ended with %v", err)
		}
	})
	infos, err := drm.Devices()
	if err != nil {
		t.Fatal(err)
	}
	missing := map[drm.Node]string{}
	for _, info := range infos {
		for _, n := range info.Nodes {
			missing[n] = info.BusID()
		}
	}
	for len(missing) > 0 {
		u := w.expect(drm.UeventAdded, func(drm.Uevent) bool { return true })
		if u.Device.BusID() != missing[u.Node] {
			t.Errorf("%+v, want %q", u, missing[u.Node])
		}
		delete(missing, u.Node)
	}
	return w
}

// expect waits for an event. Others may come before it: a driver that binds
// says of its displays that they changed.
func (w watcher) expect(kind drm.UeventKind, is func(drm.Uevent) bool) drm.Uevent {
	w.t.Helper()
	timeout := time.After(30 * time.Second)
	var others []string
	for {
		select {
		case u := <-w.events:
			if u.Kind == kind && is(u) {
				return u
			}
			others = append(others, fmt.Sprintf("%+v", u))
		case <-timeout:
			w.t.Fatalf("no event %v came, but %q", kind, others)
		}
	}
}

// forge sends a message to those who listen to the kernel's.
func forge(t *testing.T, to *unix.SockaddrNetlink, message []byte) {
	t.Helper()
	n, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.NETLINK_KOBJECT_UEVENT)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(n)
	if err := unix.Sendto(n, message, 0, to); err != nil {
		t.Fatal(err)
	}
}

func message(action string, rdev uint64, more ...string) []byte {
	lines := append([]string{
		action + "@/devices/x/drm/x", "ACTION=" + action, "SUBSYSTEM=drm",
		fmt.Sprintf("MAJOR=%d", unix.Major(rdev)), fmt.Sprintf("MINOR=%d", unix.Minor(rdev)),
	}, more...)
	return []byte(strings.Join(lines, "\x00") + "\x00")
}

// TestHotplugRebind passes if a driver that is taken from its device and given
// back is seen as nodes that go and come, and a message that is not the
// kernel's is not believed.
func TestHotplugRebind(t *testing.T) {
	drmtest.GuardKernelLog(t)
	drmtest.CheckLeaks(t)
	w := newWatcher(t)
	bystander := drmtest.RequireDevice(t, "vkms")
	d := drmtest.RequireDevice(t, "bochs-drm")
	driver, name := binding(t, d)
	id := "pci:" + name
	rdev := d.Rdev()
	d.Close()
	tell := func(what string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(driver, what), []byte(name), 0); err != nil {
			t.Fatal(err)
		}
	}
	forge(t, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: 1}, message("remove", bystander.Rdev()))
	tell("unbind")
	// With the forged message it would be the other one.
	u := w.expect(drm.UeventRemoved, func(drm.Uevent) bool { return true })
	if u.Node.Rdev != rdev || u.Device.BusID() != id || len(u.Device.Nodes) != 0 {
		t.Errorf("%+v, want the removal of %s", u, id)
	}
	tell("bind")
	u = w.expect(drm.UeventAdded, func(drm.Uevent) bool { return true })
	if u.Node.Kind != drm.NodePrimary || u.Device.BusID() != id || !slices.Contains(u.Device.Nodes, u.Node) {
		t.Errorf("%+v, want a card of %s", u, id)
	}
	again, err := drm.Open(u.Node.Path, drm.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if v, err := again.Version(); err != nil || v.Name != "bochs-drm" {
		t.Errorf("%+v, %v", v, err)
	}
}

// TestHotplugWedged passes if a wedged device is told as one, with the ways to
// recover it. The kernel itself sends the message for root, as if it were its
// own.
func TestHotplugWedged(t *testing.T) {
	drmtest.CheckLeaks(t)
	w := newWatcher(t)
	rdev := drmtest.RequireDevice(t, "vkms").Rdev()
	text := message("change", rdev, "WEDGED=rebind,bus-reset", "PID=77", "TASK=a b")
	const header = 16 // struct nlmsghdr
	b := binary.NativeEndian.AppendUint32(nil, uint32(header+len(text)))
	b = binary.NativeEndian.AppendUint16(b, unix.NLMSG_MIN_TYPE)
	b = binary.NativeEndian.AppendUint16(b, unix.NLM_F_REQUEST)
	b = append(b, make([]byte, 8)...)
	forge(t, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}, append(b, text...))
	u := w.expect(drm.UeventWedged, func(drm.Uevent) bool { return true })
	if u.Node.Rdev != rdev || !slices.Equal(u.Recovery, []drm.Recovery{drm.RecoveryRebind, drm.RecoveryBusReset}) ||
		u.PID != 77 || u.Task != "a b" {
		t.Errorf("%+v", u)
	}
}

// TestHotplugLease passes if the end of a lease is told of the device that it
// was of.
func TestHotplugLease(t *testing.T) {
	drmtest.CheckLeaks(t)
	w := newWatcher(t)
	d, err := drm.Open(drmtest.RequireDevice(t, "vkms").Path(), drm.Options{KeepMaster: true})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	lease, _, err := kms.CreateLease(d, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := lease.Close(); err != nil {
		t.Error(err)
	}
	if u := w.expect(drm.UeventLease, func(drm.Uevent) bool { return true }); u.Node.Rdev != d.Rdev() {
		t.Errorf("%+v, want one of %s", u, d.Path())
	}
}

// TestHotplugVKMS passes if a device that is made by configfs, a display that
// is plugged into it, and its end are seen.
func TestHotplugVKMS(t *testing.T) {
	const top = "/sys/kernel/config/vkms"
	if _, err := os.Stat(top); err != nil {
		missing(t, "vkms has no configfs", "6.1.", "6.12.")
	}
	drmtest.GuardKernelLog(t)
	drmtest.CheckLeaks(t)
	w := newWatcher(t)
	dir := filepath.Join(top, "gemtool")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	write := func(path, text string) {
		t.Helper()
		must(os.WriteFile(filepath.Join(dir, path), []byte(text), 0))
	}
	made := []string{"", "planes/p", "crtcs/c", "encoders/e", "connectors/o"}
	links := [][2]string{
		{"crtcs/c", "planes/p/possible_crtcs/c"}, {"crtcs/c", "encoders/e/possible_crtcs/c"},
		{"encoders/e", "connectors/o/possible_encoders/e"},
	}
	for _, path := range made {
		must(os.Mkdir(filepath.Join(dir, path), 0o755))
	}
	t.Cleanup(func() {
		write("enabled", "0")
		for _, l := range links {
			must(os.Remove(filepath.Join(dir, l[1])))
		}
		for _, path := range slices.Backward(made) {
			must(unix.Rmdir(filepath.Join(dir, path)))
		}
	})
	for _, l := range links {
		must(os.Symlink(filepath.Join(dir, l[0]), filepath.Join(dir, l[1])))
	}
	write("planes/p/type", "1")
	write("connectors/o/status", "2")
	write("enabled", "1")
	added := w.expect(drm.UeventAdded, func(u drm.Uevent) bool { return u.Node.Kind == drm.NodePrimary })
	if added.Device.BusID() != "faux:gemtool" {
		t.Errorf("%+v, want faux:gemtool", added)
	}

	// vkms asks for the status when it is looked at, and says that it has
	// changed; ask again.
	write("connectors/o/status", "1")
	d, err := drm.Open(added.Node.Path, drm.Options{KeepMaster: true})
	must(err)
	r, err := kms.ReadResources(d)
	must(err)
	if len(r.Connectors) != 1 {
		t.Fatalf("%d connectors", len(r.Connectors))
	}
	_, err = kms.ProbeConnector(d, r.Connectors[0])
	must(err)
	changed := w.expect(drm.UeventChanged, func(u drm.Uevent) bool { return u.Node == added.Node })
	if changed.Connector != 0 && kms.ConnectorID(changed.Connector) != r.Connectors[0] {
		t.Errorf("%+v, want connector %d", changed, r.Connectors[0])
	}
	must(d.Close())
	write("enabled", "0")
	removed := w.expect(drm.UeventRemoved, func(u drm.Uevent) bool { return u.Node.Kind == drm.NodePrimary })
	if removed.Node != added.Node || removed.Device.BusID() != "faux:gemtool" {
		t.Errorf("%+v, want the removal of %+v", removed, added)
	}
}

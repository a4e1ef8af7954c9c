package drm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// remove takes a node or a connector away.
func (s sysfs) remove(class, name, device string) {
	s.t.Helper()
	for _, path := range []string{filepath.Join("class", class, name), filepath.Join("devices", device, class, name)} {
		if err := os.RemoveAll(filepath.Join(s.dir, path)); err != nil {
			s.t.Fatal(err)
		}
	}
}

// summary is what a test compares of an event.
func summary(u Uevent) string {
	var nodes []string
	for _, n := range u.Device.Nodes {
		nodes = append(nodes, filepath.Base(n.Path))
	}
	s := fmt.Sprintf("%v %s of %s, now %v", u.Kind, filepath.Base(u.Node.Path), u.Device.BusID(), nodes)
	if u.Connector != 0 || u.Property != 0 {
		s += fmt.Sprintf(", connector %d property %d", u.Connector, u.Property)
	}
	if u.Recovery != nil {
		s += fmt.Sprintf(", %q by %d %q", u.Recovery, u.PID, u.Task)
	}
	return s
}

// TestHotplugTable passes if messages become events that name the device,
// also when sysfs has forgotten it, and what tells nothing becomes none.
func TestHotplugTable(t *testing.T) {
	s := newSysfs(t)
	s.node("drm", "card0", "226:0\n", "pci", "0000:00:02.0")
	s.node("drm", "renderD128", "226:128\n", "pci", "0000:00:02.0")
	table := newNodeTable(s.dir)
	var got []string
	emit := func(u Uevent) bool { got = append(got, summary(u)); return true }
	expect := func(name string, want ...string) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
		got = nil
	}
	apply := func(m uevent) {
		m.subsystem, m.node, m.major = "drm", true, 226
		if u, ok := table.apply(m); ok {
			emit(u)
		}
	}
	if more, err := table.look(emit); !more || err != nil {
		t.Fatal(more, err)
	}
	expect("the start",
		"added card0 of pci:0000:00:02.0, now [card0]",
		"added renderD128 of pci:0000:00:02.0, now [card0 renderD128]")

	s.node("drm", "card1", "226:1\n", "faux", "vkms")
	apply(uevent{action: "add", minor: 1})
	apply(uevent{action: "add", minor: 1}) // as of udevadm trigger
	apply(uevent{action: "add", minor: 7}) // gone again
	expect("add", "added card1 of faux:vkms, now [card1]")

	apply(uevent{action: "change", minor: 0, hotplug: true})
	apply(uevent{action: "change", minor: 0, hotplug: true, connector: 3, property: 4})
	apply(uevent{action: "change", minor: 0, lease: true})
	apply(uevent{action: "change", minor: 7, lease: true})
	apply(uevent{action: "change", minor: 0}) // as of a write to uevent
	apply(uevent{action: "change", minor: 7, hotplug: true})
	apply(uevent{action: "change", minor: 1, wedged: "rebind,bus-reset", pid: 5, task: "x"})
	expect("change",
		"changed card0 of pci:0000:00:02.0, now [card0 renderD128]",
		"changed card0 of pci:0000:00:02.0, now [card0 renderD128], connector 3 property 4",
		"lease card0 of pci:0000:00:02.0, now [card0 renderD128]",
		`wedged card1 of faux:vkms, now [card1], ["rebind" "bus-reset"] by 5 "x"`)

	s.remove("drm", "card1", "vkms")
	s.remove("drm", "renderD128", "0000:00:02.0")
	apply(uevent{action: "remove", minor: 1})
	apply(uevent{action: "remove", minor: 1})
	apply(uevent{action: "remove", minor: 128})
	expect("remove",
		"removed card1 of faux:vkms, now []",
		"removed renderD128 of pci:0000:00:02.0, now [card0]")

	// Messages were lost: the same slot has another device now.
	s.remove("drm", "card0", "0000:00:02.0")
	s.node("drm", "card0", "226:0\n", "pci", "0000:00:03.0")
	table.look(emit)
	table.allChanged(emit)
	expect("after a loss",
		"removed card0 of pci:0000:00:02.0, now []",
		"added card0 of pci:0000:00:03.0, now [card0]",
		"changed card0 of pci:0000:00:03.0, now [card0]")

	for _, m := range []uevent{
		{action: "remove", subsystem: "drm", major: 226},
		{action: "remove", subsystem: "drm", major: 1, node: true},
		{action: "remove", subsystem: "block", major: 226, node: true},
		{action: "unbind", subsystem: "drm", major: 226, node: true},
	} {
		if u, ok := table.apply(m); ok {
			t.Errorf("%+v became %s", m, summary(u))
		}
	}
}

// TestHotplugPoll passes if, without messages, nodes that come and go and
// connectors whose status changes are seen in sysfs, and the watch ends with
// its context and with its caller.
func TestHotplugPoll(t *testing.T) {
	s := newSysfs(t)
	s.node("drm", "card0", "226:0\n", "pci", "0000:00:02.0")
	port := func(name, status string) { s.file(filepath.Join("class/drm", name, "status"), status+"\n") }
	port("card0-HDMI-A-1", "disconnected")
	port("card0-DP-1", "disconnected")
	s.file("class/drm/card0-DP-1/connector_id", "42\n")
	// Each change is made when the event of the one before comes.
	steps := []struct {
		change func()
		want   string
	}{
		{nil, "added card0 of pci:0000:00:02.0, now [card0]"},
		{func() { s.node("accel", "accel0", "261:0\n", "pci", "0000:00:02.0") }, "added accel0 of pci:0000:00:02.0, now [card0 accel0]"},
		{func() { port("card0-DP-1", "connected") }, "changed card0 of pci:0000:00:02.0, now [card0 accel0], connector 42 property 0"},
		{func() { port("card0-HDMI-A-1", "connected") }, "changed card0 of pci:0000:00:02.0, now [card0 accel0]"},
		{func() { port("card0-DP-2", "connected") }, "changed card0 of pci:0000:00:02.0, now [card0 accel0]"},
		{func() { s.remove("drm", "card0", "0000:00:02.0") }, "removed card0 of pci:0000:00:02.0, now [accel0]"},
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	step := 0
	err := newNodeTable(s.dir).poll(ctx, time.Millisecond, func(u Uevent) bool {
		if got := summary(u); got != steps[step].want {
			t.Errorf("step %d: %s, want %s", step, got, steps[step].want)
		}
		if step++; step == len(steps) {
			return false
		}
		steps[step].change()
		return true
	})
	if err != nil || step != len(steps) {
		t.Errorf("%d steps, %v", step, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := newNodeTable(s.dir).poll(ended, time.Hour, func(Uevent) bool { return true }); !errors.Is(err, context.Canceled) {
		t.Errorf("ended context: %v", err)
	}
}

// TestUeventsReach passes if a process in another user namespace, or with its
// network namespace in one, does not wait for what never comes.
func TestUeventsReach(t *testing.T) {
	own := ueventsReach("/proc/self/ns")
	var st unix.Stat_t
	if err := unix.Stat("/proc/self/ns/user", &st); err == nil && st.Ino != procUserInit && own {
		t.Errorf("uevents reach user namespace %d", st.Ino)
	}
	empty := t.TempDir()
	if !ueventsReach(empty) {
		t.Error("a kernel without user namespaces sends none")
	}
	if ueventsReach(filepath.Join(empty, "missing")) {
		t.Error("uevents are trusted in without a /proc")
	}
	if err := os.WriteFile(filepath.Join(empty, "user"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if ueventsReach(empty) {
		t.Error("uevents are trusted in inside another user namespace")
	}
}

// TestFromKernel passes if only the kernel's address with root's credentials
// is believed.
func TestFromKernel(t *testing.T) {
	cred := func(uid uint32) []byte { return unix.UnixCredentials(&unix.Ucred{Uid: uid}) }
	kernel := &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: kernelGroup}
	for name, test := range map[string]struct {
		from unix.Sockaddr
		oob  []byte
		want bool
	}{
		"kernel":            {kernel, cred(0), true},
		"another user":      {kernel, cred(1000), false},
		"no credentials":    {kernel, nil, false},
		"half of them":      {kernel, cred(0)[:4], false},
		"a process":         {&unix.SockaddrNetlink{Pid: 77, Groups: kernelGroup}, cred(0), false},
		"udev's group":      {&unix.SockaddrNetlink{Groups: 2}, cred(0), false},
		"not the group":     {&unix.SockaddrNetlink{}, cred(0), false},
		"no address":        {nil, cred(0), false},
		"an address of IP4": {&unix.SockaddrInet4{}, cred(0), false},
	} {
		if got := fromKernel(test.from, test.oob); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

package drm

import (
	"errors"
	"strings"
	"testing"
)

// message makes what the kernel sends, from lines.
func message(lines string) []byte {
	return []byte(strings.ReplaceAll(strings.TrimSpace(lines), "\n", "\x00") + "\x00")
}

// messages are as Linux 6.12 and 7.2 send them.
var messages = map[string]struct {
	text string
	want uevent
}{
	"add": {`add@/devices/pci0000:00/0000:00:04.0/drm/card1
ACTION=add
DEVPATH=/devices/pci0000:00/0000:00:04.0/drm/card1
SUBSYSTEM=drm
MAJOR=226
MINOR=1
DEVNAME=dri/card1
DEVTYPE=drm_minor
SEQNUM=1200`, uevent{
		action: "add", devpath: "/devices/pci0000:00/0000:00:04.0/drm/card1", subsystem: "drm",
		major: 226, minor: 1, node: true,
	}},
	"hotplug": {`change@/devices/faux/vkms/drm/card0
ACTION=change
DEVPATH=/devices/faux/vkms/drm/card0
SUBSYSTEM=drm
HOTPLUG=1
CONNECTOR=41
PROPERTY=3
MAJOR=226
MINOR=0
DEVNAME=dri/card0
SEQNUM=18446744073709551615`, uevent{
		action: "change", devpath: "/devices/faux/vkms/drm/card0", subsystem: "drm",
		major: 226, node: true, hotplug: true, connector: 41, property: 3,
	}},
	"lease": {`change@/devices/faux/vkms/drm/card0
ACTION=change
DEVPATH=/devices/faux/vkms/drm/card0
SUBSYSTEM=drm
LEASE=1
MAJOR=226
MINOR=0
DEVNAME=dri/card0
DEVTYPE=drm_minor
SEQNUM=1201`, uevent{
		action: "change", devpath: "/devices/faux/vkms/drm/card0", subsystem: "drm",
		major: 226, node: true, lease: true,
	}},
	"wedged": {`change@/devices/a/drm/card0
SUBSYSTEM=drm
WEDGED=rebind,bus-reset
PID=77
TASK=glx=gears SUBSYSTEM=x
MAJOR=226
MINOR=0`, uevent{
		action: "change", devpath: "/devices/a/drm/card0", subsystem: "drm", major: 226, node: true,
		wedged: "rebind,bus-reset", pid: 77, task: "glx=gears SUBSYSTEM=x",
	}},
	"the first of a key": {`change@/devices/a
SUBSYSTEM=net
SUBSYSTEM=drm
nonsense
HOTPLUG=0`, uevent{action: "change", devpath: "/devices/a", subsystem: "net"}},
}

// TestParseUevent passes if the kernel's messages say what they say, and
// malformed ones are errors.
func TestParseUevent(t *testing.T) {
	for name, test := range messages {
		if got, err := parseUevent(message(test.text)); err != nil || got != test.want {
			t.Errorf("%s: %+v, %v, want %+v", name, got, err, test.want)
		}
	}
	for name, b := range map[string][]byte{
		"nothing":          nil,
		"no end":           []byte("add@/devices/a"),
		"no header":        []byte("SUBSYSTEM=drm\x00"),
		"udev's own":       []byte("libudev\x00\xfe\xed\xca\xfe\x00"),
		"no action":        []byte("@/devices/a\x00"),
		"no path":          []byte("add@\x00"),
		"relative path":    []byte("add@devices/a\x00"),
		"path upward":      []byte("add@/devices/../../etc\x00"),
		"no number":        message("add@/devices/a\nMAJOR=x"),
		"negative number":  message("add@/devices/a\nMINOR=-1"),
		"number too large": message("add@/devices/a\nCONNECTOR=4294967296"),
		"too long":         message("add@/devices/a\n" + strings.Repeat("x", maxUevent)),
	} {
		if got, err := parseUevent(b); !errors.Is(err, errUevent) || got != (uevent{}) {
			t.Errorf("%s: %+v, %v, want an error", name, got, err)
		}
	}
}

// FuzzUevent passes if whatever comes is parsed or refused, and what is parsed
// has an action and a path that stays inside of sysfs.
func FuzzUevent(f *testing.F) {
	for _, m := range messages {
		f.Add(message(m.text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		u, err := parseUevent(b)
		if err != nil {
			if u != (uevent{}) {
				t.Fatalf("an error and a result: %+v, %v", u, err)
			}
			return
		}
		if u.action == "" || !strings.HasPrefix(u.devpath, "/") || strings.Contains(u.devpath+"/", "/../") {
			t.Fatalf("%+v", u)
		}
		if strings.ContainsRune(u.action+u.devpath+u.subsystem+u.wedged+u.task, 0) {
			t.Fatalf("a NUL in %+v", u)
		}
	})
}

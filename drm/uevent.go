package drm

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// uevent is a message of the kernel's driver core, as far as it is about DRM:
// see drm_sysfs.c and lib/kobject_uevent.c.
type uevent struct {
	action    string // "add", "remove", "change" and others
	devpath   string // in sysfs, from its top on
	subsystem string // "drm", "accel" and others
	major     uint32
	minor     uint32
	node      bool   // it has a device number
	hotplug   bool   // HOTPLUG=1: displays may have come or gone
	connector uint32 // that it is about, 0 for any
	property  uint32 // of that connector, 0 for none
	lease     bool   // LEASE=1: leases have changed
	wedged    string // ways to recover, or empty
	pid       uint32 // of who brought the device down, 0 if that is not known
	task      string
}

// errUevent says that bytes are no message of the kernel's.
var errUevent = errors.New("malformed uevent")

// maxUevent is more than the kernel puts into a message: UEVENT_BUFFER_SIZE,
// and a path.
const maxUevent = 8192

// parseUevent parses a message: "ACTION@DEVPATH", then "KEY=VALUE" many times,
// each with a NUL behind it. Of two values for a key the first counts.
func parseUevent(b []byte) (uevent, error) {
	if len(b) > maxUevent || len(b) == 0 || b[len(b)-1] != 0 {
		return uevent{}, fmt.Errorf("%w: %d bytes", errUevent, len(b))
	}
	head, rest, _ := bytes.Cut(b, []byte{0})
	action, devpath, ok := strings.Cut(string(head), "@")
	// The path is followed in sysfs.
	if !ok || action == "" || !strings.HasPrefix(devpath, "/") || strings.Contains(devpath+"/", "/../") {
		return uevent{}, fmt.Errorf("%w: header %q", errUevent, head)
	}
	u := uevent{action: action, devpath: devpath}
	seen := map[string]bool{}
	for len(rest) > 0 {
		var pair []byte
		pair, rest, _ = bytes.Cut(rest, []byte{0})
		key, value, ok := strings.Cut(string(pair), "=")
		if !ok || seen[key] {
			continue
		}
		seen[key] = true
		if err := u.set(key, value); err != nil {
			return uevent{}, err
		}
	}
	u.node = seen["MAJOR"] && seen["MINOR"]
	return u, nil
}

func (u *uevent) set(key, value string) (err error) {
	number := func(n *uint32) error {
		v, err := strconv.ParseUint(value, 10, 32)
		if err != nil {
			return fmt.Errorf("%w: %s=%q", errUevent, key, value)
		}
		*n = uint32(v)
		return nil
	}
	switch key {
	case "SUBSYSTEM":
		u.subsystem = value
	case "MAJOR":
		return number(&u.major)
	case "MINOR":
		return number(&u.minor)
	case "HOTPLUG":
		u.hotplug = value == "1"
	case "LEASE":
		u.lease = value == "1"
	case "CONNECTOR":
		return number(&u.connector)
	case "PROPERTY":
		return number(&u.property)
	case "WEDGED":
		u.wedged = value
	case "PID":
		return number(&u.pid)
	case "TASK":
		u.task = value
	}
	return nil
}

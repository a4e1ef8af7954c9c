package drm

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// port is a connector as sysfs has it.
type port struct {
	rdev   uint64 // of its card
	name   string // card0-HDMI-A-1
	status string // "connected\n"
}

// connectors lists the connectors of all cards, in order.
func (t *nodeTable) connectors() []port {
	var ports []port
	for _, rdev := range slices.Sorted(maps.Keys(t.nodes)) {
		n := t.nodes[rdev]
		if n.Kind != NodePrimary {
			continue
		}
		paths, _ := filepath.Glob(t.dir(n.Node) + "-*") // the pattern is well formed
		for _, path := range paths {
			if status, err := os.ReadFile(filepath.Join(path, "status")); err == nil {
				ports = append(ports, port{rdev, filepath.Base(path), string(status)})
			}
		}
	}
	return ports
}

// compare says what happened to the connectors of cards that were there before
// and are there now.
func (t *nodeTable) compare(before, now []port) (us []Uevent) {
	for _, rdev := range slices.Sorted(maps.Keys(t.nodes)) {
		a, b := portsOf(before, rdev), portsOf(now, rdev)
		if len(a) == 0 {
			continue // the card has just come, or has none
		}
		if !slices.EqualFunc(a, b, func(p, q port) bool { return p.name == q.name }) {
			us = append(us, t.changed(t.nodes[rdev])) // a connector came or went
			continue
		}
		for i := range a {
			if a[i].status != b[i].status {
				u := t.changed(t.nodes[rdev])
				u.Connector = t.connectorID(b[i].name)
				us = append(us, u)
			}
		}
	}
	return us
}

func portsOf(ports []port, rdev uint64) []port {
	return slices.DeleteFunc(slices.Clone(ports), func(p port) bool { return p.rdev != rdev })
}

// connectorID reads a connector's number, which kernels tell in sysfs since
// Linux 6.6: 0 before.
func (t *nodeTable) connectorID(name string) uint32 {
	text, err := os.ReadFile(filepath.Join(t.sys, "class/drm", name, "connector_id"))
	if err != nil {
		return 0
	}
	id, _ := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 32)
	return uint32(id)
}

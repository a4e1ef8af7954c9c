package drm

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// nodeTable is what is known of the system's nodes. When a node goes, sysfs
// can no longer tell whose it was.
type nodeTable struct {
	sys   string
	nodes map[uint64]knownNode // by device number
}

// knownNode is a node, and the inode of its directory in sysfs: a node that
// goes and comes again is another, with the same name and number.
type knownNode struct {
	sysNode
	inode uint64
}

func newNodeTable(sys string) *nodeTable { return &nodeTable{sys, map[uint64]knownNode{}} }

// dir is where sysfs has a node.
func (t *nodeTable) dir(n Node) string {
	class := "drm"
	if n.Kind == NodeAccel {
		class = "accel"
	}
	return filepath.Join(t.sys, "class", class, filepath.Base(n.Path))
}

// know adds the inode of a node, if it is still there.
func (t *nodeTable) know(n sysNode) (knownNode, bool) {
	var st unix.Stat_t
	err := unix.Stat(t.dir(n.Node)+"/.", &st)
	return knownNode{n, st.Ino}, err == nil
}

// look compares the table with what sysfs has. more is false when emit said so
// or there is an error.
func (t *nodeTable) look(emit func(Uevent) bool) (more bool, err error) {
	list, err := listNodes(t.sys)
	if err != nil {
		return false, err
	}
	now := map[uint64]knownNode{}
	for _, n := range list {
		if k, ok := t.know(n); ok {
			now[n.Rdev] = k
		}
	}
	for _, rdev := range slices.Sorted(maps.Keys(t.nodes)) {
		if now[rdev] != t.nodes[rdev] && !emit(t.remove(rdev)) {
			return false, nil
		}
	}
	for _, rdev := range slices.Sorted(maps.Keys(now)) {
		if _, ok := t.nodes[rdev]; !ok && !emit(t.add(now[rdev])) {
			return false, nil
		}
	}
	return true, nil
}

func (t *nodeTable) add(n knownNode) Uevent {
	t.nodes[n.Rdev] = n
	return Uevent{Kind: UeventAdded, Device: t.device(n), Node: n.Node}
}

func (t *nodeTable) remove(rdev uint64) Uevent {
	n := t.nodes[rdev]
	delete(t.nodes, rdev)
	return Uevent{Kind: UeventRemoved, Device: t.device(n), Node: n.Node}
}

// device joins the nodes of n's device.
func (t *nodeTable) device(n knownNode) Info {
	var nodes []sysNode
	for _, k := range t.nodes {
		if k.parent == n.parent {
			nodes = append(nodes, k.sysNode)
		}
	}
	if len(nodes) == 0 {
		return Info{Bus: n.bus, ID: n.id}
	}
	return joinNodes(nodes)[0]
}

// apply takes a message into the table. ok is false for what tells nothing:
// other devices, and events that root provokes through sysfs, as udevadm
// trigger does for all that is there.
func (t *nodeTable) apply(m uevent) (u Uevent, ok bool) {
	if !m.node || m.subsystem != "drm" && m.subsystem != "accel" {
		return Uevent{}, false
	}
	rdev := unix.Mkdev(m.major, m.minor)
	known, isKnown := t.nodes[rdev]
	switch {
	case m.action == "remove" && isKnown:
		return t.remove(rdev), true
	case m.action == "add":
		list, err := listNodes(t.sys)
		if err != nil {
			return Uevent{}, false
		}
		i := slices.IndexFunc(list, func(n sysNode) bool { return n.Rdev == rdev })
		if i < 0 {
			return Uevent{}, false // gone again
		}
		n, ok := t.know(list[i])
		if !ok || isKnown && n == known {
			return Uevent{}, false
		}
		return t.add(n), true
	case m.action == "change" && isKnown && m.wedged != "":
		u := Uevent{Kind: UeventWedged, Device: t.device(known), Node: known.Node, PID: m.pid, Task: m.task}
		for way := range strings.SplitSeq(m.wedged, ",") {
			u.Recovery = append(u.Recovery, Recovery(way))
		}
		return u, true
	case m.action == "change" && isKnown && m.hotplug:
		u := t.changed(known)
		u.Connector, u.Property = m.connector, m.property
		return u, true
	case m.action == "change" && isKnown && m.lease:
		return Uevent{Kind: UeventLease, Device: t.device(known), Node: known.Node}, true
	}
	return Uevent{}, false
}

func (t *nodeTable) changed(n knownNode) Uevent {
	return Uevent{Kind: UeventChanged, Device: t.device(n), Node: n.Node}
}

// allChanged says of every card that it changed.
func (t *nodeTable) allChanged(emit func(Uevent) bool) bool {
	for _, rdev := range slices.Sorted(maps.Keys(t.nodes)) {
		if n := t.nodes[rdev]; n.Kind == NodePrimary && !emit(t.changed(n)) {
			return false
		}
	}
	return true
}

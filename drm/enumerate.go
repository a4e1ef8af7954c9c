package drm

import (
	"cmp"
	"slices"
)

// Node is a device node as sysfs knows it. In a container it may not exist.
type Node struct {
	Kind NodeKind
	Path string // as devtmpfs names it: /dev/dri/card0
	Rdev uint64 // as stat(2) would give it
}

// Info is a device, with all of its nodes.
type Info struct {
	Bus   string // "pci", "platform", "usb", "virtio", "faux", "host1x"; empty without one
	ID    string // the device's name on its bus: "0000:00:02.0", "vgem", "virtio0"
	Nodes []Node // by kind, then by number
}

// BusID returns what names the device for as long as it stays in its slot,
// such as "pci:0000:00:02.0". The numbers of nodes change from boot to boot.
func (i Info) BusID() string { return i.Bus + ":" + i.ID }

// Node returns the device's first node of a kind.
func (i Info) Node(k NodeKind) (Node, bool) {
	for _, n := range i.Nodes {
		if n.Kind == k {
			return n, true
		}
	}
	return Node{}, false
}

// sysNode is a node as it stands in sysfs.
type sysNode struct {
	Node
	parent string // what tells devices apart: the directory of the parent
	bus    string
	id     string
}

// joinNodes makes devices of nodes: those with one parent are one device.
func joinNodes(nodes []sysNode) []Info {
	// The kinds and the minors are in one order, so the first node that a
	// device has decides its place.
	slices.SortFunc(nodes, func(a, b sysNode) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Rdev, b.Rdev))
	})
	var infos []Info
	index := map[string]int{}
	for _, n := range nodes {
		at, ok := index[n.parent]
		if !ok {
			at = len(infos)
			index[n.parent] = at
			infos = append(infos, Info{Bus: n.bus, ID: n.id})
		}
		infos[at].Nodes = append(infos[at].Nodes, n.Node)
	}
	return infos
}

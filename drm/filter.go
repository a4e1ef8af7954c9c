package drm

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Filter selects devices as a user names them.
type Filter struct {
	by   filterKind
	text string
}

type filterKind uint8

const (
	byName filterKind = iota
	byPath
	byDriver
	byBus
)

var nodeName = regexp.MustCompile(`^(card|renderD|accel)[0-9]+$`)

var busID = regexp.MustCompile(`^[a-z0-9-]+:.`)

// ParseFilter parses "card0", "renderD128" or "accel0", a path (which has a
// slash in it), "driver:NAME", or "bus:ID" with or without the bus in the ID:
// "bus:pci:0000:00:02.0", "bus:0000:00:02.0". What [Info.BusID] returns is
// good, too: "pci:0000:00:02.0".
func ParseFilter(s string) (Filter, error) {
	kind, rest, _ := strings.Cut(s, ":")
	switch {
	case kind == "driver" && rest != "":
		return Filter{byDriver, rest}, nil
	case kind == "bus" && rest != "":
		return Filter{byBus, rest}, nil
	case strings.Contains(s, "/"):
		return Filter{byPath, s}, nil
	case nodeName.MatchString(s):
		return Filter{byName, s}, nil
	case kind != "driver" && kind != "bus" && busID.MatchString(s):
		return Filter{byBus, s}, nil
	}
	return Filter{}, fmt.Errorf("device %q: neither a node's name (card0, renderD128), nor a path, driver:NAME or bus:ID", s)
}

// Match says whether the filter selects a device. driver is its name as
// VERSION gives it. A path selects the device that the file there belongs to,
// whatever its name is (/dev/dri/by-path/…).
func (f Filter) Match(i Info, driver string) bool {
	switch f.by {
	case byDriver:
		return driver == f.text
	case byBus:
		return f.text == i.BusID() || f.text == i.ID
	case byName:
		return slices.ContainsFunc(i.Nodes, func(n Node) bool { return filepath.Base(n.Path) == f.text })
	}
	path := filepath.Clean(f.text)
	rdev, err := pathRdev(path)
	return slices.ContainsFunc(i.Nodes, func(n Node) bool {
		// Without such a file the name is all there is.
		return err == nil && n.Rdev == rdev || err != nil && n.Path == path
	})
}

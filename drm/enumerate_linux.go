package drm

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// classes are the classes of sysfs that nodes are in, each with its nodes'
// names, their major number and the directory of their files.
var classes = []struct {
	dir   string
	name  *regexp.Regexp // connectors stand among the nodes: card0-HDMI-A-1
	major uint32
	dev   string
}{
	{"class/drm", regexp.MustCompile(`^(card|renderD)[0-9]+$`), majorDRM, "/dev/dri"},
	{"class/accel", regexp.MustCompile(`^(accel)[0-9]+$`), majorAccel, "/dev/accel"},
}

var kinds = map[string]NodeKind{"card": NodePrimary, "renderD": NodeRender, "accel": NodeAccel}

// Devices lists the DRM devices of this system from sysfs, without opening
// one: opening wakes devices up, and may be forbidden. The nodes of a device
// are joined, and the devices sorted by their first card node. What an entry
// of sysfs lacks because its device is just coming or going leaves it out.
//
// Without DRM in the kernel the list is empty. The driver's name is not here:
// Version of the open device has it.
func Devices() ([]Info, error) { return devices("/sys") }

func devices(sys string) ([]Info, error) {
	nodes, err := listNodes(sys)
	if err != nil {
		return nil, fmt.Errorf("drm: listing devices: %w", err)
	}
	return joinNodes(nodes), nil
}

// listNodes lists the nodes that sysfs has now.
func listNodes(sys string) (nodes []sysNode, err error) {
	for _, c := range classes {
		dir := filepath.Join(sys, c.dir)
		entries, err := os.ReadDir(dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			m := c.name.FindStringSubmatch(e.Name())
			if m == nil {
				continue
			}
			n, err := readNode(filepath.Join(dir, e.Name()), c.major)
			if err != nil {
				continue
			}
			n.Kind = kinds[m[1]]
			n.Path = filepath.Join(c.dev, e.Name())
			nodes = append(nodes, n)
		}
	}
	return nodes, nil
}

// readNode reads the entry of a node.
func readNode(dir string, major uint32) (sysNode, error) {
	text, err := os.ReadFile(filepath.Join(dir, "dev"))
	if err != nil {
		return sysNode{}, err
	}
	maj, minor, err := parseDev(string(text))
	if err != nil {
		return sysNode{}, err
	}
	if maj != major {
		return sysNode{}, fmt.Errorf("%s: major %d, want %d", dir, maj, major)
	}
	n := sysNode{Node: Node{Rdev: unix.Mkdev(maj, minor)}}
	// A node without a parent is a device of its own.
	if n.parent, err = filepath.EvalSymlinks(filepath.Join(dir, "device")); errors.Is(err, fs.ErrNotExist) {
		n.parent, err = filepath.EvalSymlinks(dir)
		return n, err
	} else if err != nil {
		return sysNode{}, err
	}
	n.id = filepath.Base(n.parent)
	if bus, err := os.Readlink(filepath.Join(n.parent, "subsystem")); err == nil {
		n.bus = filepath.Base(bus)
	}
	return n, nil
}

// parseDev parses what sysfs has in a file named dev: "226:128\n".
func parseDev(text string) (major, minor uint32, err error) {
	a, b, ok := strings.Cut(strings.TrimSuffix(text, "\n"), ":")
	if !ok {
		return 0, 0, fmt.Errorf("device number %q has no colon", text)
	}
	maj, err := strconv.ParseUint(a, 10, 12)
	if err != nil {
		return 0, 0, err
	}
	mnr, err := strconv.ParseUint(b, 10, 20)
	if err != nil {
		return 0, 0, err
	}
	return uint32(maj), uint32(mnr), nil
}

package matrix

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gemtool/gemtool/cmd/gemtool/internal/inventory"
	"github.com/gemtool/gemtool/cmd/gemtool/internal/words"
	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/prime"
)

// Kind is what an endpoint is.
type Kind int

// The kinds of endpoints. Only card nodes import and export.
const (
	Card Kind = iota
	Render
	Udmabuf
	Heap
)

// Endpoint is something that exports or imports buffers.
type Endpoint struct {
	Name   string // driver and node: "vkms card0"; safe to print
	Driver string // as VERSION names it; empty if no node of the device can be opened
	Bus    string // such as "pci:0000:00:02.0"; empty for what is no device
	Path   string // of the node
	Kind   Kind
	Err    error  // why the node may not be opened
	Group  string // whose members may open it then; empty for root alone

	device int // index among the devices; -1 for what is no device
}

// Set is what there is to share buffers between.
type Set struct {
	Exporters, Importers []*Endpoint
	// Missing are nodes that sysfs knows and that cannot be opened for
	// another reason than permissions: in a container there may be none.
	Missing []error
}

// Denied counts the endpoints that may not be opened, and all of them. A node
// that imports and exports counts once.
func (s *Set) Denied() (denied, all int) {
	seen := map[string]bool{}
	for _, e := range slices.Concat(s.Exporters, s.Importers) {
		if seen[e.Path] {
			continue
		}
		seen[e.Path] = true
		all++
		if e.Err != nil {
			denied++
		}
	}
	return denied, all
}

// ErrNoDevice: a filter selects nothing.
var ErrNoDevice = errors.New("no such device")

// Find looks for endpoints. With filters, in the syntax of [drm.ParseFilter],
// only devices that one of them selects take part; udmabuf and the heaps
// always do, they are no devices.
//
// Errors: ErrNoDevice, which says what is wrong with a filter; it is
// fs.ErrPermission, too, if a device that may not be opened could be meant.
func Find(filters []string) (*Set, error) {
	parsed := make([]drm.Filter, len(filters))
	for i, text := range filters {
		var err error
		if parsed[i], err = drm.ParseFilter(text); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNoDevice, err)
		}
	}
	infos, err := drm.Devices()
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return nil, err
	}
	s := &Set{}
	matched := make([]bool, len(filters))
	var denied error // of a device whose driver is not known
	for i, info := range infos {
		endpoints, driver, missing := nodes(info, i)
		selected := len(filters) == 0
		for j, f := range parsed {
			if f.Match(info, driver) {
				selected, matched[j] = true, true
			}
		}
		for _, e := range endpoints {
			if denied == nil && driver == "" {
				denied = e.Err
			}
		}
		if !selected {
			continue
		}
		s.Missing = append(s.Missing, missing...)
		for _, e := range endpoints {
			if e.Kind == Card {
				s.Exporters = append(s.Exporters, e)
			}
			s.Importers = append(s.Importers, e)
		}
	}
	// A machine without devices is no mistake of whoever named one.
	if i := slices.Index(matched, false); i >= 0 && (len(infos) > 0 || strings.Contains(filters[i], "/")) {
		return nil, noDevice(filters[i], denied)
	}
	byName := func(a, b *Endpoint) int {
		return cmp.Or(cmp.Compare(a.Driver, b.Driver), cmp.Compare(a.Bus, b.Bus), cmp.Compare(a.Path, b.Path))
	}
	slices.SortFunc(s.Exporters, byName)
	slices.SortFunc(s.Importers, byName)
	s.Exporters = append(s.Exporters, memory()...)
	return s, nil
}

// noDevice explains why a filter selects nothing.
func noDevice(filter string, denied error) error {
	if denied != nil && strings.HasPrefix(filter, "driver:") {
		return fmt.Errorf("%w: %q among those that can be opened: %w", ErrNoDevice, filter, denied)
	}
	if strings.Contains(filter, "/") {
		d, err := drm.Open(filter, drm.Options{})
		if err != nil {
			return fmt.Errorf("%w: %w", ErrNoDevice, err)
		}
		d.Close()
	}
	return fmt.Errorf("%w: %q", ErrNoDevice, filter)
}

// nodes opens each card and render node of a device to ask for its driver. A
// node that may be opened tells the driver of those that may not.
func nodes(info drm.Info, device int) (endpoints []*Endpoint, driver string, missing []error) {
	for _, n := range info.Nodes {
		e := &Endpoint{Path: n.Path, Bus: info.BusID(), device: device}
		switch n.Kind {
		case drm.NodePrimary:
			e.Kind = Card
		case drm.NodeRender:
			e.Kind = Render
		default:
			continue
		}
		name, err := driverOf(n.Path)
		switch {
		case err == nil:
			driver = name
		case errors.Is(err, fs.ErrPermission):
			e.Err = err
			_, e.Group = inventory.May(n.Path)
		default:
			missing = append(missing, err)
			continue
		}
		endpoints = append(endpoints, e)
	}
	for _, e := range endpoints {
		e.Driver = driver
		e.Name = words.Escape(cmp.Or(driver, e.Bus) + " " + filepath.Base(e.Path))
	}
	return endpoints, driver, missing
}

func driverOf(path string) (string, error) {
	d, err := drm.Open(path, drm.Options{})
	if err != nil {
		return "", err
	}
	defer d.Close()
	v, err := d.Version()
	return v.Name, err
}

// memory lists the exporters that are no devices.
func memory() []*Endpoint {
	var all []*Endpoint
	add := func(kind Kind, name, path string) {
		e := &Endpoint{Name: words.Escape(name), Driver: name, Path: path, Kind: kind, device: -1}
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		switch {
		case err == nil:
			f.Close()
		case errors.Is(err, fs.ErrPermission):
			e.Err = err
			_, e.Group = inventory.May(path)
		default:
			return // not there, or its module is not
		}
		all = append(all, e)
	}
	add(Udmabuf, "udmabuf", "/dev/udmabuf")
	heaps, _ := prime.Heaps() // who may not list them may not open them
	for _, name := range heaps {
		add(Heap, "heap "+name, filepath.Join("/dev/dma_heap", name))
	}
	return all
}

// heap returns the name of a Heap.
func (e *Endpoint) heap() string { return filepath.Base(e.Path) }

package conformance

import (
	"fmt"
	"slices"

	"github.com/gemtool/gemtool/drm"
)

// Target is a device node that cases run on.
type Target struct {
	Path   string // of the node
	Driver string // as VERSION names it
	Kind   drm.NodeKind
	Device drm.Info // the device with all of its nodes
}

// String names the target in the names of subtests: the driver, and for a
// render node its kind, too.
func (t Target) String() string {
	if t.Kind == drm.NodePrimary {
		return t.Driver
	}
	return fmt.Sprintf("%s-%v", t.Driver, t.Kind)
}

// Targets lists the card and render nodes of this machine. Nodes that cannot
// be opened are in denied, with the reason.
func Targets() (targets []Target, denied []error, err error) {
	devices, err := drm.Devices()
	if err != nil {
		return nil, nil, err
	}
	for _, kind := range []drm.NodeKind{drm.NodePrimary, drm.NodeRender} {
		for _, dev := range devices {
			node, ok := dev.Node(kind)
			if !ok {
				continue
			}
			t, err := newTarget(dev, node)
			if err != nil {
				denied = append(denied, err)
				continue
			}
			targets = append(targets, t)
		}
	}
	return targets, denied, nil
}

func newTarget(info drm.Info, node drm.Node) (Target, error) {
	dev, err := drm.Open(node.Path, drm.Options{})
	if err != nil {
		return Target{}, err
	}
	defer dev.Close()
	v, err := dev.Version()
	if err != nil {
		return Target{}, err
	}
	return Target{Path: node.Path, Driver: v.Name, Kind: node.Kind, Device: info}, nil
}

// Needs says what a case needs of a device and of the kernel. The zero value
// needs a card node of any driver on any kernel.
type Needs struct {
	Drivers []string     // one of these
	Except  []string     // none of these
	Kind    drm.NodeKind // of the node
	Memory  Memory       // where the driver keeps its buffers
	Exports bool         // makes dma-bufs of its buffers
	Shares  bool         // makes dma-bufs that the CPU can map
	Since   Kernel       // this kernel or a later one
	Before  Kernel       // a kernel before this one
	// ThrowAway is for cases that take devices or modules from the system:
	// they run in gemtool's VM only, and on nobody's own machine.
	ThrowAway bool
}

// Memory says where a driver keeps dumb buffers.
type Memory int

// The kinds of memory.
const (
	AnyMemory Memory = iota
	Shmem            // drm_gem_shmem_helper
	VRAM             // TTM
)

// memoryOf says where a driver keeps its dumb buffers. Drivers move from one
// helper to another: bochs did in Linux 6.13.
func memoryOf(driver string, k Kernel) Memory {
	switch driver {
	case "vkms", "vgem", "virtio_gpu":
		return Shmem
	case "bochs-drm":
		if k.Less(Kernel{6, 13}) {
			return VRAM
		}
		return Shmem
	case "qxl", "nouveau", "amdgpu", "radeon", "xe":
		return VRAM
	}
	return AnyMemory
}

// exports says whether a driver makes dma-bufs of its buffers. Since Linux 6.6
// all do; whether another device can import them is another question.
func exports(driver string, k Kernel) bool {
	return driver != "bochs-drm" || !k.Less(Kernel{6, 6})
}

// shares says whether the CPU can map those dma-bufs. Those of qxl it cannot on
// Linux 6.1, where mmap is ENOSYS; on 6.12 it can.
func shares(driver string, k Kernel) bool {
	return exports(driver, k) && (driver != "qxl" || !k.Less(Kernel{6, 12}))
}

// Apply says whether a case with these needs runs on t under kernel k.
func (n Needs) Apply(t Target, k Kernel) bool {
	switch {
	case t.Kind != n.Kind,
		len(n.Drivers) > 0 && !slices.Contains(n.Drivers, t.Driver),
		slices.Contains(n.Except, t.Driver),
		n.Memory != AnyMemory && n.Memory != memoryOf(t.Driver, k),
		n.Exports && !exports(t.Driver, k),
		n.Shares && !shares(t.Driver, k),
		k.Less(n.Since),
		n.Before != Kernel{} && !k.Less(n.Before):
		return false
	}
	return true
}

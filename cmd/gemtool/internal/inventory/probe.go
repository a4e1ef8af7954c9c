package inventory

import (
	"errors"
	"io/fs"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/kms"
)

// Access says whether this user may open a node.
type Access int

// The answers.
const (
	Permitted Access = iota
	Denied
	Missing // sysfs has it, and /dev does not: a container, mostly
)

// Answer is one of yes, no and unknown.
type Answer int

// The answers.
const (
	Unknown Answer = iota
	Yes
	No
)

func answer(yes bool) Answer {
	if yes {
		return Yes
	}
	return No
}

// Abilities are what a device can do with buffers. Dumb and ShareOut are tried
// where a card node can be opened; TakeIn is what the kernel says, which since
// Linux 6.6 is yes for every device: only the matrix proves it.
type Abilities struct {
	Dumb, ShareOut, TakeIn     Answer
	ScanOut, Atomic            Answer
	SyncObjects, SyncTimelines Answer
}

// probe opens the device's nodes, but those for accel, and asks.
func (d *Device) probe() {
	for i := range d.Nodes {
		n := &d.Nodes[i]
		if n.Kind == drm.NodeAccel {
			// There is no display and no dumb buffer on a device of this kind.
			d.Can.Dumb, d.Can.ScanOut, d.Can.Atomic = No, No, No
			continue
		}
		if n.Access != Permitted {
			continue
		}
		if err := d.probeNode(n.Node); err != nil {
			n.Err = err
			if errors.Is(err, fs.ErrNotExist) {
				n.Access, n.Err = Missing, nil
			}
		}
	}
}

func (d *Device) probeNode(n drm.Node) error {
	dev, err := drm.Open(n.Path, drm.Options{})
	if err != nil {
		return err
	}
	defer dev.Close()
	if d.Version == nil {
		v, err := dev.Version()
		if err != nil {
			return err
		}
		d.Driver, d.Version = v.Name, &v
	}
	if bits, err := dev.Cap(drm.CapPrime); err == nil {
		d.Can.TakeIn = answer(bits&drm.PrimeImport != 0)
		if d.Can.ShareOut == Unknown {
			d.Can.ShareOut = answer(bits&drm.PrimeExport != 0)
		}
	}
	if v, err := dev.Cap(drm.CapSyncobj); err == nil {
		d.Can.SyncObjects = answer(v != 0)
	}
	if v, err := dev.Cap(drm.CapSyncobjTimeline); err == nil {
		d.Can.SyncTimelines = answer(v != 0)
	}
	if n.Kind == drm.NodePrimary {
		d.tryDumb(dev)
		if r, err := kms.ReadResources(dev); err == nil || errors.Is(err, drm.ErrNotSupported) {
			d.Can.ScanOut = answer(len(r.CRTCs) > 0)
		}
		d.Can.Atomic = answer(dev.SetClientCap(drm.ClientCapAtomic, 1) == nil)
	}
	return nil
}

// tryDumb makes a dumb buffer, shares it and gives it back. The caps would be
// wrong: vgem denies what it does.
func (d *Device) tryDumb(dev *drm.Device) {
	b, err := dev.CreateDumb(64, 64, 32)
	d.Can.Dumb = answer(err == nil)
	if err != nil {
		return
	}
	defer dev.DestroyDumb(b.Handle)
	fd, err := dev.HandleToFD(b.Handle)
	d.Can.ShareOut = answer(err == nil)
	if err == nil {
		fd.Close()
	}
}

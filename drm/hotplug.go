package drm

import (
	"context"
	"fmt"
	"iter"
)

// UeventKind says what happened to a device.
type UeventKind uint8

// The kinds of a Uevent.
const (
	// UeventAdded: a node came, or was there when the watch began.
	UeventAdded UeventKind = iota + 1
	// UeventRemoved: a node went.
	UeventRemoved
	// UeventChanged: displays may have come, gone or changed. Look with
	// kms.ProbeConnector.
	UeventChanged
	// UeventWedged: the driver gave the device up, or had to reset it.
	UeventWedged
	// UeventLease: leases changed, what a lessee may use or which lessees
	// there are. Kernels to 7.2 say it when the last file of one is closed.
	// Look with kms.ListLessees or kms.GetLease.
	UeventLease
)

func (k UeventKind) String() string {
	switch k {
	case UeventAdded:
		return "added"
	case UeventRemoved:
		return "removed"
	case UeventChanged:
		return "changed"
	case UeventWedged:
		return "wedged"
	case UeventLease:
		return "lease"
	}
	return fmt.Sprintf("UeventKind(%d)", uint8(k))
}

// Recovery is a way to bring a wedged device back, which is left to whoever
// may: see "Device Wedging" in the kernel's drm-uapi.rst.
type Recovery string

// The ways of Linux 7.2.
const (
	RecoveryNone     Recovery = "none"            // the driver has done it: a note for statistics
	RecoveryRebind   Recovery = "rebind"          // unbind and bind the driver
	RecoveryBusReset Recovery = "bus-reset"       // unbind, reset the bus, bind
	RecoveryVendor   Recovery = "vendor-specific" // see the driver's documentation
	RecoveryUnknown  Recovery = "unknown"         // the driver does not know
)

// Uevent is something that happened to a device. Its texts are the kernel's
// and a task's: escape them before they reach a terminal.
type Uevent struct {
	Kind UeventKind
	// Device has the nodes that it has after this.
	Device Info
	// Node is what was added or removed, or else the device's card node.
	Node Node
	// Connector is what UeventChanged is about, a kms.ConnectorID: 0 for
	// any of the device's.
	Connector uint32
	// Property is what changed of Connector, a kms.PropertyID: 0 for what
	// is plugged in.
	Property uint32
	// Recovery, for UeventWedged, is what may help, from the way with the
	// least side effects on.
	Recovery []Recovery
	// PID and Task are who brought the device down, when the driver knows.
	PID  uint32
	Task string
}

// Hotplug watches the DRM devices of the system until ctx ends or the caller
// leaves the loop. It starts with a UeventAdded for every node that is there,
// so that none falls between a list and the watch. An error is the last
// element.
//
// It listens to the kernel's uevents, and believes no other sender; root can
// have the kernel send what it likes. udev hears of a node at the same time:
// its permissions may not be set yet.
//
// In a container the kernel may send none: they reach only network namespaces
// that belong to the initial user namespace, and a sandbox may forbid the
// socket. There it looks at sysfs every two seconds, and then also sees nodes
// come and go and displays plugged in and out that the kernel knows of, but
// nothing of what came and went between two looks, and no UeventWedged or
// UeventLease. The same goes for events that the socket had no room for: the state is looked at
// anew, and every device is said to have changed.
//
// Permissions: none. Errors: ctx's; ErrNotSupported on another system than
// Linux.
func Hotplug(ctx context.Context) iter.Seq2[Uevent, error] {
	return func(yield func(Uevent, error) bool) {
		err := watch(ctx, func(u Uevent) bool { return yield(u, nil) })
		if err != nil {
			yield(Uevent{}, fmt.Errorf("drm: hotplug: %w", err))
		}
	}
}

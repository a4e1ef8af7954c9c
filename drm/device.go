package drm

import (
	"fmt"
	"os"
	"runtime"
	"syscall"

	"github.com/gemtool/gemtool/drm/internal/uapi"
	"github.com/gemtool/gemtool/drm/ioctl"
)

// NodeKind says which of a device's nodes a file is. The kernel allows
// different ioctls on each: see drm_ioctl_permit in drm_ioctl.c.
type NodeKind uint8

// The kinds of nodes.
const (
	NodePrimary NodeKind = iota // /dev/dri/card*: modesetting and dumb buffers
	NodeRender                  // /dev/dri/renderD*: no modesetting, no dumb buffers
	NodeAccel                   // /dev/accel/accel*: compute accelerators
)

func (k NodeKind) String() string {
	switch k {
	case NodePrimary:
		return "card"
	case NodeRender:
		return "render"
	case NodeAccel:
		return "accel"
	}
	return fmt.Sprintf("NodeKind(%d)", uint8(k))
}

// Numbers of device nodes, from drm_drv.c and accel/drm_accel.c. The minors
// of a DRM major come in ranges of 64 by kind, and beyond 192 in one range
// for all of them.
const (
	majorDRM   = 226
	majorAccel = 261
	minorRange = 64
)

// Device is an open DRM node.
type Device struct {
	fd   *ioctl.FD
	path string
	rdev uint64
	kind NodeKind
	id   string // of the device that it is a node of

	events eventQueue
}

// Options changes how Open opens a node. The zero value suits everybody but
// a display server.
type Options struct {
	// KeepMaster keeps the DRM master status that the kernel gives to the
	// first opener of a card node. Without it Open drops it at once, as
	// long as somebody holds it nobody else can drive the displays.
	KeepMaster bool
}

// Open opens the DRM node at path, read-write, close-on-exec and
// non-blocking. It refuses other files before it opens them: opening some
// devices does things.
//
// Errors: ErrNotDRM, fs.ErrNotExist, ErrPermission (the groups video and
// render usually own the nodes), ErrGone for a node whose device is gone.
func Open(path string, opt Options) (*Device, error) {
	if err := checkNode(path); err != nil {
		return nil, &Error{Op: "open", Path: path, Err: err}
	}
	n, err := openNode(path)
	if err != nil {
		e := &Error{Op: "open", Path: path, Err: err}
		if err == syscall.ENXIO || err == syscall.ENODEV {
			e.Kind = ErrGone
		}
		return nil, e
	}
	d, err := newDevice(n, path)
	if err != nil {
		return nil, err
	}
	if d.kind == NodePrimary && !opt.KeepMaster {
		// EINVAL: another file is the master. Without CAP_SYS_ADMIN that is
		// EACCES, as this file has never been master: see
		// drm_master_check_perm.
		if err := d.DropMaster(); err != nil && !isErrno(err, syscall.EINVAL) && !isErrno(err, syscall.EACCES) {
			d.Close()
			return nil, err
		}
	}
	return d, nil
}

// FromFile makes a Device of a node that somebody else opened: logind, seatd
// or a lease. It works on a duplicate of f's descriptor and leaves f alone;
// master status is of the shared open file description, and is not touched.
func FromFile(f *os.File) (*Device, error) {
	n, err := dupFile(f)
	if err != nil {
		return nil, &Error{Op: "dup", Path: f.Name(), Err: err}
	}
	return newDevice(n, f.Name())
}

// newDevice takes ownership of descriptor n.
func newDevice(n int, path string) (*Device, error) {
	d := &Device{fd: ioctl.NewFD(n), path: path}
	// A net for a Device that nobody closed, not the plan.
	runtime.AddCleanup(d, func(fd *ioctl.FD) { fd.Close() }, d.fd)
	rdev, major, minor, err := statNode(n)
	if err == nil {
		d.rdev = rdev
		if d.id, err = parentOf(rdev); err != nil {
			d.id = fmt.Sprintf("%d:%d", major, minor) // no sysfs: a node is a device of its own
		}
		d.kind, err = d.nodeKind(major, minor)
	}
	if err != nil {
		d.Close()
		return nil, &Error{Op: "open", Path: path, Err: err}
	}
	if _, err := d.Version(); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// nodeKind tells the kind of a node from its numbers. Minors beyond the
// ranges by kind are told apart by what the kernel allows on the file.
func (d *Device) nodeKind(major, minor uint32) (NodeKind, error) {
	switch {
	case major == majorAccel:
		return NodeAccel, nil
	case major != majorDRM:
		return 0, ErrNotDRM
	case minor < minorRange:
		return NodePrimary, nil
	case minor >= 2*minorRange && minor < 3*minorRange:
		return NodeRender, nil
	case minor < 3*minorRange:
		return 0, ErrNotDRM // the control nodes of old kernels
	}
	// A render node refuses SET_CLIENT_CAP before it looks at it.
	err := uapi.OpSetClientCap.Do(d.fd, &uapi.SetClientCap{})
	if err == syscall.EACCES {
		return NodeRender, nil
	}
	return NodePrimary, nil
}

// Path returns the path that the device was opened by. After a rebind it may
// belong to another device: compare Rdev.
func (d *Device) Path() string { return d.path }

// Kind returns which of the device's nodes this is.
func (d *Device) Kind() NodeKind { return d.kind }

// Rdev returns the node's device number as stat(2) gives it.
func (d *Device) Rdev() uint64 { return d.rdev }

// FD returns the node's descriptor, for a driver's private ioctls. It stays
// owned by d.
func (d *Device) FD() *ioctl.FD { return d.fd }

// Close closes the node as soon as no call is in flight and the reader of
// Events, if there is one, has left its loop. The kernel then closes all
// handles of the file, and ends its master status and leases; mappings and
// exported buffers live on. A second Close returns ErrClosed.
func (d *Device) Close() error {
	err := d.fd.Close()
	d.events.wake()
	return err
}

// SetMaster makes this file the DRM master of its device.
//
// Nodes: card. Permissions: CAP_SYS_ADMIN, or having been master before, which
// old kernels (6.1) remember of the thread that opened the file and later ones
// of the process: where it matters lock the goroutine to its thread. Errors:
// EBUSY while another file is master; EINVAL for a lease whose lessor is not
// master: it is master along with it, and not by itself; EACCES.
func (d *Device) SetMaster() error { return d.doNone(uapi.OpSetMaster) }

// DropMaster ends this file's master status.
//
// Nodes: card. Errors: EINVAL when this file is not the master, or is a lease;
// EACCES when it never was the master and lacks CAP_SYS_ADMIN.
func (d *Device) DropMaster() error { return d.doNone(uapi.OpDropMaster) }

// IsMaster says whether this file is the DRM master of its device. There is no
// ioctl for that: the master alone is told that no client has the magic 0.
//
// Nodes: card.
func (d *Device) IsMaster() (bool, error) {
	switch err := uapi.OpAuthMagic.Do(d.fd, &uapi.Auth{}); err {
	case nil, syscall.EINVAL:
		return true, nil
	case syscall.EACCES:
		return false, nil
	default:
		return false, d.NewError(uapi.OpAuthMagic.Name(), "", err)
	}
}

func (d *Device) doNone(op ioctl.Op[struct{}]) error {
	if err := op.Do(d.fd, &struct{}{}); err != nil {
		return d.NewError(op.Name(), "", err)
	}
	return nil
}

// gone asks the kernel whether the device is still there.
func (d *Device) gone() bool {
	return uapi.OpVersion.Do(d.fd, &uapi.Version{}) == syscall.ENODEV
}

func isErrno(err error, errno syscall.Errno) bool {
	e, ok := err.(*Error)
	return ok && e.Err == errno
}

package drm

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"github.com/gemtool/gemtool/drm/ioctl"
)

// What an errno of a DRM device means. EINVAL means nothing of its own: the
// kernel answers it for bad arguments and for ioctls it does not know.
var (
	// ErrClosed: the Device was closed before the call.
	ErrClosed = ioctl.ErrClosed
	// ErrNotSupported: the device, its driver or this system has no such
	// feature (EOPNOTSUPP, ENOSYS).
	ErrNotSupported = ioctl.ErrNotSupported
	// ErrPermission: the node's permissions, its kind or DRM's own rules
	// (master, authentication) forbid the call (EACCES, EPERM).
	ErrPermission = fs.ErrPermission
	// ErrNotDRM: the file is not a DRM device node.
	ErrNotDRM = errors.New("not a DRM device node")
	// ErrGone: the device was unplugged or its driver unbound. All that is
	// left to do is to close what was opened on it.
	ErrGone = errors.New("device is gone")
	// ErrShortBuffer: the kernel made a smaller buffer than it was asked
	// for. It has been given back.
	ErrShortBuffer = errors.New("kernel made a buffer smaller than asked for")
	// ErrRange: an argument does not fit what the kernel takes. The kernel
	// was not asked.
	ErrRange = errors.New("argument out of range")
)

// Error is what failed, on which device, and why.
type Error struct {
	Op     string // the ioctl as drm.h names it, "open" or "mmap"
	Path   string // the device node, or what the file is known as
	Object string // what it was about, such as "handle 3"; may be empty
	Err    error  // the errno, or a sentinel where the kernel was not the one to refuse
	Kind   error  // a sentinel that Err does not match by itself, or nil
	Hint   string // what the errno does not say, or empty
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "drm: %s: %s", e.Path, e.Op)
	if e.Object != "" {
		fmt.Fprintf(&b, " %s", e.Object)
	}
	fmt.Fprintf(&b, ": %v", e.Err)
	if e.Kind != nil {
		fmt.Fprintf(&b, ": %v", e.Kind)
	}
	if e.Hint != "" {
		fmt.Fprintf(&b, " (%s)", e.Hint)
	}
	return b.String()
}

// Unwrap makes the errno and the sentinel both match errors.Is.
func (e *Error) Unwrap() []error {
	if e.Kind == nil {
		return []error{e.Err}
	}
	return []error{e.Err, e.Kind}
}

// NewError builds the error of an operation on d as this package's methods do
// it, for packages that issue ioctls of their own on d.FD. ENODEV is a suspicion only:
// virtio-gpu also answers it for a buffer that it cannot import. The device
// is gone when VERSION on the same file answers it too.
func (d *Device) NewError(op, object string, err error) *Error {
	e := &Error{Op: op, Path: d.path, Object: object, Err: err}
	if err == syscall.ENODEV && d.gone() {
		e.Kind = ErrGone
	}
	return e
}

package prime

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/prime/resv"
)

// What an error of this package means. Those that package drm has, too, are
// the same values there.
var (
	// ErrClosed: the Buffer was closed before the call.
	ErrClosed = fs.ErrClosed
	// ErrNotSupported: the exporter, the kernel or this system has no such
	// feature.
	ErrNotSupported = errors.ErrUnsupported
	// ErrPermission: the permissions of a device node forbid the call.
	ErrPermission = fs.ErrPermission
	// ErrRange: an argument does not fit what the kernel or this process
	// can do. The kernel was not asked.
	ErrRange = drm.ErrRange
	// ErrNotDMABuf: the file is not a dma-buf.
	ErrNotDMABuf = errors.New("not a dma-buf")
	// ErrAccessMode: the buffer was exported for less access than asked for.
	ErrAccessMode = errors.New("buffer does not allow this access")
	// ErrStale: the Window or Mapping has ended already. Nothing changed.
	ErrStale = resv.ErrStale
	// ErrImage: an image is not what its format and its buffers allow.
	ErrImage = errors.New("invalid image")
)

// Error is what failed, on what, and why. It matches with errors.Is both the
// kernel's errno and this package's sentinel.
type Error struct {
	Op     string // the ioctl as the C header names it, or the system call
	Object string // what it was about, such as "dma-buf 17" (an inode); may be empty
	Err    error  // the errno, or a sentinel where the kernel was not the one to refuse
	Kind   error  // a sentinel that Err does not match by itself, or nil
	Hint   string // what the errno does not say, or empty
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "prime: %s", e.Op)
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

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
	// ErrNotSyncFile: the file is not a sync_file.
	ErrNotSyncFile = errors.New("not a sync_file")
	// ErrAccessMode: the buffer was exported for less access than asked for.
	ErrAccessMode = errors.New("buffer does not allow this access")
	// ErrFenceBusy: the kernel waits for a fence in a START that cannot be
	// interrupted. No window of this Buffer begins before that ends.
	ErrFenceBusy = errors.New("buffer waits for a fence in the kernel")
	// ErrTooManyWaits: as many STARTs of this process as the library allows
	// wait for fences in the kernel, with nobody waiting for them any more.
	ErrTooManyWaits = errors.New("too many waits for fences in the kernel")
	// ErrSeals: a memory file can shrink, or can no longer be written to.
	ErrSeals = errors.New("memory file is not sealed as it must be")
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

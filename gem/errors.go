package gem

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/prime/resv"
)

// Errors of this package besides those of drm and prime. After each of them
// everything is as it was before the call.
var (
	// ErrClosed: the object was closed before the call.
	ErrClosed = drm.ErrClosed
	// ErrStale: the mapping, window or hold has ended before the call.
	ErrStale = resv.ErrStale
	// ErrNotLocked: the Held is not of this memory's reservation, or has
	// ended; in the latter case the error is ErrStale, too.
	ErrNotLocked = resv.ErrNotLocked
	// ErrLocalMapsLive: see [resv.Held.Unlock].
	ErrLocalMapsLive = resv.ErrLocalMapsLive
	// ErrWrongMap: the mapping is of another memory.
	ErrWrongMap = errors.New("mapping of another memory")
	// ErrUnderflow: more Unpins than Pins.
	ErrUnderflow = errors.New("not pinned")
	// ErrOverflow: a counter is at its end.
	ErrOverflow = resv.ErrOverflow
	// ErrImported: not possible for an import, whose memory is its exporter's.
	ErrImported = fmt.Errorf("object is an import: %w", syscall.EINVAL)
	// ErrPurged: the contents were given up, and the memory with them.
	ErrPurged = errors.New("memory was purged")
	// ErrNotPurgeable: the object is not marked, in use, shared or imported.
	ErrNotPurgeable = fmt.Errorf("memory is not purgeable: %w", syscall.EBUSY)
	// ErrFault: the function touched bytes that are not there any more.
	ErrFault = fmt.Errorf("fault in a mapping: %w", syscall.EFAULT)
	// ErrHandle: the handle belongs to another object already.
	ErrHandle = fmt.Errorf("handle is an object's: %w", syscall.EEXIST)
	// ErrIdentity: one memory turned out to have two identities here, which
	// Linux 6.1 can do to an object that was closed and reopened.
	ErrIdentity = errors.New("memory is known by another identity")
)

// Error is what failed, and on which object of which device.
type Error struct {
	Op     string // the method
	Object string // such as "/dev/dri/card0 handle 3"
	Err    error
}

func (e *Error) Error() string { return fmt.Sprintf("gem: %s of %s: %v", e.Op, e.Object, e.Err) }
func (e *Error) Unwrap() error { return e.Err }

package gem

import (
	"errors"
	"fmt"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/prime/resv"
)

// Errors of this package besides those of drm and prime.
var (
	// ErrClosed: the object was closed before the call.
	ErrClosed = drm.ErrClosed
	// ErrIdentity: the memory was imported into this process before its
	// object was exported by this package, so that two things here claim
	// it. Export objects with Object.Export only.
	ErrIdentity = errors.New("memory is known by another identity")
	// ErrStale: the mapping was unmapped before the call.
	ErrStale = resv.ErrStale
)

// Error is what failed, and on which object of which device.
type Error struct {
	Op     string // the method
	Object string // such as "/dev/dri/card0 handle 3"
	Err    error
}

func (e *Error) Error() string { return fmt.Sprintf("gem: %s of %s: %v", e.Op, e.Object, e.Err) }
func (e *Error) Unwrap() error { return e.Err }

package gem

import (
	"errors"
	"fmt"
	"sync/atomic"
)

// Warning is something that the kernel would print a WARN about, or that
// nobody is left to return to: nothing is lost, but somebody has miscounted.
type Warning struct {
	Op     string // the method that saw it
	Object string // such as "/dev/dri/card0 handle 3"; may be empty
	Err    error
	Stack  string // where the object was made, in debug builds only
}

func (w Warning) String() string {
	s := fmt.Sprintf("gem: %s of %s: %v", w.Op, w.Object, w.Err)
	if w.Stack != "" {
		s += "\nmade by\n" + w.Stack
	}
	return s
}

var (
	errLeaked = errors.New("object was collected and not closed")
	errInUse  = errors.New("last object of memory in use")
)

var onWarn atomic.Pointer[func(Warning)]

// OnWarn has f called for every Warning until restore, which puts its
// predecessor back. f may be called on any goroutine, the collector's too, and
// while a reservation is held: it must not call this package. Without it
// warnings are dropped; the debug build starts with one that prints them to
// stderr.
func OnWarn(f func(Warning)) (restore func()) {
	old := onWarn.Swap(&f)
	return func() { onWarn.Store(old) }
}

func warn(w Warning) {
	if f := onWarn.Load(); f != nil {
		(*f)(w)
	}
}

func (r *reference) warning(op string, err error) Warning {
	return Warning{Op: op, Object: r.String(), Err: err, Stack: r.stack.String()}
}

// warnInUse says that the last object of memory was closed before its pins and
// maps have ended. It is called under the reservation.
func (n *node) warnInUse(r *reference) {
	if n.count.pagesUse > 0 && n.objects.Load() == 0 {
		s := n.stats()
		err := fmt.Errorf("%w: pages_pin_count=%d pages_use_count=%d vmap_use_count=%d",
			errInUse, s.PagesPin, s.PagesUse, s.VMapUse)
		warn(r.warning("Close", err))
	}
}

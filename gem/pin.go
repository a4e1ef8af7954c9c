package gem

import (
	"context"

	"github.com/gemtool/gemtool/prime/resv"
)

// Pin keeps the memory's mapping until Unpin and forbids to purge it. It says
// nothing about where the memory is: video memory is not pinned by it. With a
// pin in place another takes neither lock nor system call; the first one maps
// the memory, and waits for the reservation until ctx ends.
//
// Errors: ErrImported, ErrPurged, ErrClosed, ErrOverflow; ENOMEM (close the
// object then: the pages it did get stay charged).
func (o *Object) Pin(ctx context.Context) error {
	n := o.ref.node
	err := o.ref.native()
	if err != nil {
		return o.fail("Pin", err)
	}
	ok, err := n.count.pin.inc(0)
	if ok {
		return nil
	}
	if err == nil {
		err = o.locked(ctx, func() error { return n.pin(o.ref, 0) })
	}
	if err != nil {
		return o.fail("Pin", err)
	}
	return nil
}

// PinLocked is Pin for the holder of the memory's reservation.
//
// Errors: ErrNotLocked; those of Pin.
func (o *Object) PinLocked(h resv.Held) error {
	n := o.ref.node
	if err := n.resv.Enter(h); err != nil {
		return o.fail("PinLocked", err)
	}
	defer n.resv.Leave()
	err := o.ref.native()
	if err == nil {
		err = n.pin(o.ref, 0)
	}
	if err != nil {
		return o.fail("PinLocked", err)
	}
	return nil
}

// Unpin gives a pin back, of whichever object of the memory. It never waits:
// if somebody holds the reservation, the last pin ends when that hold does,
// and counts until then. It works on a closed object.
//
// Errors: ErrUnderflow if all pins were given back, which is also a Warning;
// ErrImported.
func (o *Object) Unpin() error {
	n := o.ref.node
	if o.ref.imported {
		return o.fail("Unpin", ErrImported)
	}
	last, err := n.count.pin.dec()
	switch {
	case last:
		err = n.release((*node).reapPin)
	case err != nil:
		warn(o.ref.warning("Unpin", err))
	}
	if err != nil {
		return o.fail("Unpin", err)
	}
	return nil
}

// reapPin ends the last pin, if it is still to end.
func (n *node) reapPin() error {
	if !n.count.pin.reap() {
		return nil
	}
	return n.unpinned()
}

// locked calls f with the memory's reservation held.
func (o *Object) locked(ctx context.Context, f func() error) error {
	held, err := o.ref.node.resv.Lock(ctx)
	if err != nil {
		return err
	}
	defer held.Unlock()
	return f()
}

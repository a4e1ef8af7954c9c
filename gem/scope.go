package gem

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/gemtool/gemtool/prime/resv"
)

// View is the memory of an object inside the function of [Object.Local].
type View struct{ mapping }

// Local calls f with the object's memory mapped: it waits until devices are
// done with it, as their fences say, opens an access window, takes the
// reservation, and undoes all of that when f returns, panics or calls
// runtime.Goexit. The waiting ends with ctx.
//
// The bytes of the View are f's until then. f must not take a reservation, and
// with that no method of this memory that takes a context; it may close,
// export and unpin. A fault in the bytes, as when the memory was taken away
// from the process, ends f and becomes ErrFault, if it happens on f's own
// goroutine.
//
// Two objects at once are [LocalAll], never one Local inside another.
//
// Errors: f's; ctx's; ErrFault; those of BeginAccess and LocalLocked.
func (o *Object) Local(ctx context.Context, access Access, f func(View) error) (err error) {
	w, err := o.BeginAccess(ctx, access)
	if err != nil {
		return err
	}
	defer func() { join(&err, w.End()) }()
	held, err := o.ref.node.resv.Lock(ctx)
	if err != nil {
		return o.fail("Local", err)
	}
	defer held.Unlock()
	l, err := o.localLocked(held, access)
	if err != nil {
		return o.fail("Local", err)
	}
	defer func() { join(&err, l.Unmap()) }()
	v := View(l)
	defer catchFault(&err, debug.SetPanicOnFault(true), v)
	return f(v)
}

// Use is an object of [LocalAll] and what is done with it.
type Use struct {
	Object *Object
	Access Access
}

// LocalAll is [Object.Local] for several objects at once, which may share
// memory. The views stand in the order of uses.
func LocalAll(ctx context.Context, f func([]View) error, uses ...Use) (err error) {
	// Windows first: nobody may hold a reservation who begins or ends one.
	for _, u := range uses {
		w, beginErr := u.Object.BeginAccess(ctx, u.Access)
		if beginErr != nil {
			return beginErr
		}
		defer func() { join(&err, w.End()) }()
	}
	var set resv.Set
	objs := make([]*Object, len(uses))
	for i, u := range uses {
		objs[i] = u.Object
	}
	if err := LockAll(ctx, &set, objs...); err != nil {
		return err
	}
	defer set.Unlock()
	views := make([]View, len(uses))
	for i, u := range uses {
		held, _ := set.Held(u.Object.Reservation())
		l, localErr := u.Object.localLocked(held, u.Access)
		if localErr != nil {
			return u.Object.fail("LocalAll", localErr)
		}
		defer func() { join(&err, l.Unmap()) }()
		views[i] = View(l)
	}
	defer catchFault(&err, debug.SetPanicOnFault(true), views...)
	return f(views)
}

// LockAll adds the reservations of objs to set: all of them or none. Objects
// that share memory count once. See [resv.Set.Lock].
func LockAll(ctx context.Context, set *resv.Set, objs ...*Object) error {
	rs := make([]*resv.Reservation, len(objs))
	for i, o := range objs {
		rs[i] = o.Reservation()
	}
	if err := set.Lock(ctx, rs...); err != nil {
		return fmt.Errorf("gem: LockAll of %d objects: %w", len(objs), err)
	}
	return nil
}

// join adds what failed at the end to what failed before.
func join(err *error, end error) {
	if end != nil {
		*err = errors.Join(*err, end)
	}
}

// catchFault turns a fault in one of the views into an error, and lets every
// other panic pass. It is deferred, and puts back what the goroutine had done
// with faults before.
func catchFault(err *error, before bool, views ...View) {
	debug.SetPanicOnFault(before)
	p := recover()
	if p == nil { // also for Goexit
		return
	}
	fault, ok := p.(interface{ Addr() uintptr })
	if ok {
		for _, v := range views {
			if offset, in := offsetIn(v.Bytes(), fault.Addr()); in {
				*err = fmt.Errorf("gem: Local: %w at byte %d", ErrFault, offset)
				return
			}
		}
	}
	panic(p)
}

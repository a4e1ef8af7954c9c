package prime

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/ioctl"
)

// Wait returns when a point is signaled, or with the context's error. The point
// need not have a fence yet.
//
// Errors: ctx.Err(), looked at first; ErrRange for point 0; ErrClosed, also for
// a Close while the point had no fence; EMFILE, as waiting takes a descriptor.
func (t *Timeline) Wait(ctx context.Context, point uint64) error {
	if err := t.waitAvailable(ctx, "wait for", point, t.Signaled); err != nil {
		return err
	}
	// Fences cancel better than points: their sync_file is the waiter's own.
	s, err := t.SyncFile(point)
	if err != nil {
		return err
	}
	defer s.Close()
	return s.Wait(ctx)
}

// WaitAvailable returns when a point has a fence, which then can be exported,
// or with the context's error. Who shows a client's frame waits for this first,
// as the client may never submit what it has promised.
//
// Errors: those of Wait.
func (t *Timeline) WaitAvailable(ctx context.Context, point uint64) error {
	return t.waitAvailable(ctx, "wait for", point, t.Submitted)
}

func (t *Timeline) waitAvailable(ctx context.Context, op string, point uint64, last func() (uint64, error)) error {
	switch reached, err := last(); {
	case ctx.Err() != nil:
		return t.fail(op, ctx.Err())
	case err != nil:
		return err
	case point != 0 && reached >= point:
		return nil
	}
	n, err := t.arrival(op, point)
	switch {
	case errors.Is(err, ErrNotSupported):
		return t.waitSlices(ctx, op, point)
	case err != nil:
		return err
	}
	if err := waitFile(ctx, n); err != nil {
		return t.fail(op, err)
	}
	return t.use(op, func(*drm.Device, drm.SyncobjHandle) error { return nil })
}

// arrival returns a descriptor of an eventfd that is readable as soon as the
// point has a fence. Nothing takes the wish for that back from the kernel, so
// those who wait for the same point, at once or again after their context
// ended, share one.
func (t *Timeline) arrival(op string, point uint64) (n int, err error) {
	err = t.at(op, point, func(d *drm.Device, h drm.SyncobjHandle) (err error) {
		t.o.arriving.Lock()
		defer t.o.arriving.Unlock()
		t.o.forget()
		fd := t.o.arrivals[point]
		if fd == nil {
			if fd, err = newEventfd(); err != nil {
				return err
			}
			if err := d.SyncobjEventfd(h, point, fd, drm.SyncobjWaitAvailable); err != nil {
				fd.Close()
				return err
			}
			t.o.arrivals[point] = fd
		}
		return fd.Use(func(m int) (err error) {
			n, err = dup(m)
			return err
		})
	})
	return n, err
}

// forget closes the eventfds of points that have got their fences. The caller
// holds arriving.
func (o *syncobj) forget() {
	for point, fd := range o.arrivals {
		var ready bool
		err := fd.Use(func(n int) (err error) {
			ready, err = pollReady(n, false)
			return err
		})
		if ready && err == nil {
			delete(o.arrivals, point)
			fd.Close()
		}
	}
}

// slice is how long a wait on a kernel before 6.6, which knows no eventfds for
// sync objects, blocks a thread before it looks at the context again.
const slice = 10 * time.Millisecond

func (t *Timeline) waitSlices(ctx context.Context, op string, point uint64) error {
	for {
		err := t.at(op, point, func(d *drm.Device, h drm.SyncobjHandle) error {
			_, err := d.WaitTimelines([]drm.SyncobjHandle{h}, []uint64{point}, drm.SyncobjWait{
				Flags: drm.SyncobjWaitAvailable,
				Until: drm.Monotonic() + slice,
			})
			return err
		})
		switch {
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return err
		case ctx.Err() != nil:
			return t.fail(op, ctx.Err())
		}
	}
}

// Eventfd returns a file, for an event loop of the caller's own, whose counter
// the kernel adds one to as soon as the point is signaled, or only available,
// which is: has a fence. The caller closes it. The kernel keeps the wish until
// then or until the last handle of the timeline is closed.
//
// Errors: ErrRange for point 0; ErrNotSupported before Linux 6.6; ErrClosed,
// EMFILE.
func (t *Timeline) Eventfd(point uint64, available bool) (*os.File, error) {
	var flags drm.SyncobjWaitFlags
	if available {
		flags = drm.SyncobjWaitAvailable
	}
	var fd *ioctl.FD
	err := t.at("eventfd of", point, func(d *drm.Device, h drm.SyncobjHandle) (err error) {
		if fd, err = newEventfd(); err != nil {
			return err
		}
		return d.SyncobjEventfd(h, point, fd, flags)
	})
	if fd != nil {
		defer fd.Close()
	}
	if err != nil {
		return nil, err
	}
	var n int
	if err := fd.Use(func(m int) (err error) {
		n, err = dup(m)
		return err
	}); err != nil {
		return nil, t.fail("dup of eventfd of", err)
	}
	return os.NewFile(uintptr(n), "eventfd"), nil
}

package drm

import (
	"context"
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// goneInterval is how long a device that says nothing goes unasked.
const goneInterval = time.Second

// eventReader reads a device's events on a descriptor of its own, which is in
// the runtime's poller.
type eventReader struct {
	d    *Device
	ctx  context.Context
	file *os.File
	stop func()
}

func (d *Device) newEventReader(ctx context.Context) (*eventReader, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var dup int
	err := d.fd.Use(func(n int) error {
		flags, err := unix.FcntlInt(uintptr(n), unix.F_GETFL, 0)
		if err != nil {
			return err
		}
		if flags&unix.O_NONBLOCK == 0 {
			return ErrNotSupported
		}
		dup, err = unix.FcntlInt(uintptr(n), unix.F_DUPFD_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return nil, err
	}
	r := &eventReader{d: d, ctx: ctx, file: os.NewFile(uintptr(dup), d.path)}
	if err := r.file.SetReadDeadline(time.Time{}); err != nil {
		r.file.Close()
		return nil, err // no file that one can wait for
	}
	r.stop = wakeAtEnd(ctx, r.file)
	d.events.file.Store(r.file)
	return r, nil
}

// close leaves no goroutine and no descriptor behind.
func (r *eventReader) close() {
	r.stop()
	r.d.events.file.Store(nil)
	r.file.Close()
}

// next returns the next event.
func (r *eventReader) next() (e Event, err error) {
	q := &r.d.events
	for len(q.rest) == 0 {
		if err := r.fill(q); err != nil {
			return Event{}, err
		}
	}
	if err := r.ctx.Err(); err != nil {
		return Event{}, err
	}
	e, q.rest, err = decodeEvent(q.rest)
	return e, err
}

// fill waits for events, or returns without one to be called again.
func (r *eventReader) fill(q *eventQueue) error {
	// The end of ctx sets a deadline, too, and so does Close. Had one done so
	// before us, it would show in what is looked at after.
	if err := r.file.SetReadDeadline(time.Now().Add(goneInterval)); err != nil {
		return err
	}
	if err := r.ctx.Err(); err != nil {
		return err
	}
	if r.d.Closed() {
		return ErrClosed
	}
	if q.buf == nil {
		q.buf = make([]byte, eventSpace)
	}
	n, err := r.file.Read(q.buf)
	q.rest = q.buf[:max(n, 0)]
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		if r.d.gone() {
			return unix.ENODEV
		}
		return nil
	}
	var path *os.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return err
}

package drm

import (
	"context"
	"errors"
	"iter"
	"os"
	"sync/atomic"
	"time"
)

// eventSpace is the room that the kernel has for a file's events.
const eventSpace = 4096

// eventQueue is what a Device's reader has read and not handed out, for the
// next one. Only the reader, who set reading, touches buf and rest.
type eventQueue struct {
	reading atomic.Bool
	file    atomic.Pointer[os.File] // the reader's, for Close to wake it
	buf     []byte                  // eventSpace bytes from the first reader on: one read empties the file
	rest    []byte                  // the part of buf that nobody has had
}

// wake ends the reader's wait, if there is one.
func (q *eventQueue) wake() {
	if f := q.file.Load(); f != nil {
		f.SetReadDeadline(time.Unix(1, 0))
	}
}

// errReading: see Events.
var errReading = errors.New("another reader is at it")

// Events reads the file's events as they come, until ctx ends, the device is
// gone or closed, or the caller leaves the loop. An error is the last element:
// ctx's, ErrClosed, ErrGone within a second, or the kernel's. Events that
// nobody has had stay for the next reader. The kernel's file is open until the
// reader has left, also after Close.
//
// A file has one reader: a second one beside it gets an error, as both would
// get half of the events each. Only this Device's readers are seen; do not
// share its open file description with another.
//
// Nothing is lost. The kernel takes the room for an event from the file when
// it is asked for, and gives it back when the event is read: 4096 bytes, 128
// events of the types here. A request beyond that is refused with ENOMEM.
//
// The wait is in the runtime's poller, and no thread waits. Neither poll(2)
// nor read(2) tell that a device is gone, so while nothing comes the kernel is
// asked once a second: unlike the socket of [Hotplug], that works in any
// container, and needs no privilege.
//
// Nodes: card, render. Errors: ErrNotSupported for a file that was opened
// without O_NONBLOCK and given to [FromFile]: changing it would change it for
// its owner, too. Source: drm_read in drm_file.c.
func (d *Device) Events(ctx context.Context) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		if !d.events.reading.CompareAndSwap(false, true) {
			yield(Event{}, d.NewError("read", "", errReading))
			return
		}
		defer d.events.reading.Store(false)
		r, err := d.newEventReader(ctx)
		if err != nil {
			e := d.NewError("read", "", err)
			if err == ErrNotSupported {
				e.Hint = "the file was opened without O_NONBLOCK"
			}
			yield(Event{}, e)
			return
		}
		defer r.close()
		for {
			e, err := r.next()
			if err != nil {
				yield(Event{}, d.NewError("read", "", err))
				return
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

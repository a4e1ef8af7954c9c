package prime

import (
	"context"

	"github.com/gemtool/gemtool/prime/internal/uapi"
)

// Window is a time in which the CPU may access a buffer's bytes and sees what
// devices wrote, and after which devices see what the CPU wrote. It is a
// value: copies are the same Window.
type Window struct {
	b      *Buffer
	id     uint64
	access Access
}

// BeginAccess waits until devices are done with the buffer, as its fences say,
// and opens a window: for reading it waits for those that write, for writing
// for all. Windows of one buffer may overlap; they exclude nobody, neither
// other goroutines nor other processes.
//
// The wait ends with ctx. For a fence that a peer adds just after the wait the
// kernel waits without regard to it: when ctx ends then, the error is
// ErrFenceBusy, too, and further windows of this Buffer get it at once until
// the kernel's wait has ended. A Close is finished then. A context that cannot
// end, such as context.Background(), saves what this costs, and may wait for as
// long as a peer likes.
//
// Errors: ctx.Err(), looked at first; ErrRange for an unknown access;
// ErrAccessMode for one that the buffer's export does not allow; ErrClosed;
// ErrFenceBusy; ErrTooManyWaits; EMFILE, as waiting takes a descriptor. Source:
// dma_buf_ioctl, dma_buf_begin_cpu_access.
func (b *Buffer) BeginAccess(ctx context.Context, a Access) (Window, error) {
	const op = "begin of access to"
	switch {
	case ctx.Err() != nil:
		return Window{}, b.fail(op, ctx.Err())
	case !a.valid():
		return Window{}, b.fail(op, ErrRange)
	case a&^b.mode != 0:
		e := b.fail(op, ErrAccessMode)
		e.Hint = "asked for " + a.String() + ", exported as " + b.mode.String()
		return Window{}, e
	}
	if err := b.enter(); err != nil {
		return Window{}, b.fail(op, err)
	}
	if err := b.wait(ctx, a); err != nil {
		b.unhold()
		return Window{}, b.fail(op, err)
	}
	switch err := b.start(ctx, a); {
	case err == ErrFenceBusy:
		// The hold is the kernel's wait's.
		e := b.fail(op, err)
		e.Kind = ctx.Err()
		return Window{}, e
	case err != nil:
		b.unhold()
		return Window{}, b.fail(uapi.OpSync.Name()+" start of", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.windows == nil {
		b.windows = make(map[uint64]struct{})
	}
	b.begun++
	b.windows[b.begun] = struct{}{}
	return Window{b, b.begun, a}, nil
}

// enter is hold for a window, which none may be while a START is stuck.
func (b *Buffer) enter() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.closed:
		return ErrClosed
	case b.stuck > 0:
		return ErrFenceBusy
	}
	b.holds++
	return nil
}

// End closes the window; bytes written in it are then seen by devices. It may
// come after the Buffer's Close, which leaves the descriptor open for it. A
// second End returns ErrStale and changes nothing; the kernel sees one END for
// each START, with the same flags.
func (w Window) End() error {
	if w.b == nil {
		return &Error{Op: "end of access", Err: ErrStale}
	}
	w.b.mu.Lock()
	_, open := w.b.windows[w.id]
	delete(w.b.windows, w.id)
	w.b.mu.Unlock()
	if !open {
		return w.b.fail("end of access to", ErrStale)
	}
	defer w.b.unhold()
	if err := w.b.sync(w.access.flags() | uapi.SyncEnd); err != nil {
		return w.b.fail(uapi.OpSync.Name()+" end of", err)
	}
	return nil
}

func (a Access) flags() uint64 {
	var flags uint64
	if a&Read != 0 {
		flags |= uapi.SyncRead
	}
	if a&Write != 0 {
		flags |= uapi.SyncWrite
	}
	return flags
}

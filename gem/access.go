package gem

import (
	"context"
	"sync"

	"github.com/gemtool/gemtool/prime"
)

// Window is a time in which the CPU may access an object's bytes and sees what
// devices wrote, and after which devices see what the CPU wrote. It is a
// value: copies are the same Window.
type Window struct {
	shared prime.Window
	node   *node // of memory without a dma-buf, nil otherwise
	id     uint64
}

// BeginAccess waits until devices are done with the memory, as its fences say,
// and opens a window. It takes no reservation, and must not be called with one
// held, as the kernel demands. The wait ends with ctx.
//
// Memory that was never exported has no dma-buf: its window makes no system
// call, and does not wait for what its own device does with the handle, nor for
// an export while it is open.
//
// Errors: ErrClosed, ErrPurged; those of [prime.Buffer.BeginAccess].
func (o *Object) BeginAccess(ctx context.Context, access Access) (Window, error) {
	w, err := o.beginAccess(ctx, access)
	if err != nil {
		return Window{}, o.fail("BeginAccess", err)
	}
	return w, nil
}

func (o *Object) beginAccess(ctx context.Context, access Access) (Window, error) {
	n := o.ref.node
	if err := o.ref.alive(); err != nil {
		return Window{}, err
	}
	if err := n.allows(access); err != nil {
		return Window{}, err
	}
	if buf := n.buf.Load(); buf != nil {
		w, err := buf.BeginAccess(ctx, access)
		return Window{shared: w}, err
	}
	if err := ctx.Err(); err != nil {
		return Window{}, err
	}
	return Window{node: n, id: n.windows.begin()}, nil
}

// End closes the window. It works on a closed object. A second End returns
// ErrStale and changes nothing.
func (w Window) End() error {
	if w.node == nil {
		if w.shared == (prime.Window{}) {
			return ErrStale
		}
		return w.shared.End()
	}
	return w.node.windows.end(w.id)
}

// windows are those of memory without a dma-buf, of which only the library
// knows.
type windows struct {
	mu   sync.Mutex
	open map[uint64]struct{} // ids
	last uint64              // id
}

func (w *windows) begin() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.open == nil {
		w.open = make(map[uint64]struct{})
	}
	w.last++
	w.open[w.last] = struct{}{}
	return w.last
}

func (w *windows) end(id uint64) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, open := w.open[id]; !open {
		return ErrStale
	}
	delete(w.open, id)
	return nil
}

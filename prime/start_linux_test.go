package prime_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/prime"
	"github.com/gemtool/gemtool/prime/internal/uapi"
)

// beforeStart calls f right before each START of the process, when BeginAccess
// has seen the buffer idle, and counts what the kernel was sent.
func beforeStart(t *testing.T, f func()) (starts, ends *atomic.Int32) {
	t.Helper()
	starts, ends = new(atomic.Int32), new(atomic.Int32)
	drmtest.Intercept(t, func(c drmtest.Call) (syscall.Errno, bool) {
		if c.Request != uapi.OpSync.Request() {
			return 0, false
		}
		if drmtest.Arg[uapi.DMABufSync](c).Flags&uapi.SyncEnd != 0 {
			ends.Add(1)
			return 0, false
		}
		starts.Add(1)
		f()
		return 0, false
	})
	return starts, ends
}

// fenceBeforeStart attaches a fence of vgem's right before the next START after
// armed was set, and sends it.
func fenceBeforeStart(t *testing.T, d *drm.Device, h *drm.Handle) (fence chan drmtest.Fence, armed *atomic.Bool) {
	t.Helper()
	fence, armed = make(chan drmtest.Fence, 1), new(atomic.Bool)
	beforeStart(t, func() {
		if armed.CompareAndSwap(true, false) {
			fence <- drmtest.AttachFence(t, d, *h, true)
		}
	})
	return fence, armed
}

// TestStartBlocks passes if a fence that comes between the wait and START costs
// the caller no more than its context, the buffer no more than the time until
// the signal, and leaves nothing. A window without such a fence begins, too.
//
// Case D25
func TestStartBlocks(t *testing.T) {
	guard(t)
	d, o, b := vgem(t)
	other := export(t, d, dumb(t, d).Handle)
	goroutines := runtime.NumGoroutine()
	var fence drmtest.Fence
	attach := true
	starts, ends := beforeStart(t, func() {
		if attach {
			attach = false
			fence = drmtest.AttachFence(t, d, o.Handle, true)
		}
	})

	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := b.BeginAccess(ctx, prime.Read)
	if !errors.Is(err, prime.ErrFenceBusy) || !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("%v, want ErrFenceBusy and DeadlineExceeded", err)
	}
	t.Log(err)
	for _, ctx := range []context.Context{t.Context(), context.Background()} {
		if _, err := b.BeginAccess(ctx, prime.Read); !errors.Is(err, prime.ErrFenceBusy) {
			t.Errorf("while the kernel waits: %v, want ErrFenceBusy", err)
		}
	}
	w, err := other.BeginAccess(t.Context(), prime.ReadWrite)
	if err != nil {
		t.Fatalf("another buffer: %v", err)
	}
	if err := w.End(); err != nil {
		t.Error(err)
	}
	dup, err := b.Dup()
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if _, err := b.BeginAccess(t.Context(), prime.Read); !errors.Is(err, prime.ErrClosed) {
		t.Errorf("after Close: %v, want ErrClosed", err)
	}
	fence.Signal(t)
	// The duplicate has no START under way, and its window begins after the
	// signal.
	w, err = dup.BeginAccess(t.Context(), prime.Read)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.End(); err != nil {
		t.Error(err)
	}
	dup.Close()
	if n := settled(goroutines); n > goroutines {
		t.Errorf("%d goroutines, %d before", n, goroutines)
	}
	if starts.Load() != ends.Load() || starts.Load() != 3 {
		t.Errorf("%d STARTs and %d ENDs, want 3 of each", starts.Load(), ends.Load())
	}
}

// TestStartBlocksAndComes passes if a START that blocks makes a window when the
// fence is signaled in time, and the buffer is good afterwards.
func TestStartBlocksAndComes(t *testing.T) {
	guard(t)
	d, o, b := vgem(t)
	for _, ctx := range []context.Context{t.Context(), context.Background()} {
		attach := true
		t.Run("", func(t *testing.T) {
			// The window may begin before the signal's own call has returned,
			// and that holds the device's file.
			var signal sync.WaitGroup
			defer signal.Wait()
			beforeStart(t, func() {
				if attach {
					attach = false
					f := drmtest.AttachFence(t, d, o.Handle, true)
					signal.Go(func() {
						time.Sleep(50 * time.Millisecond)
						f.Signal(t)
					})
				}
			})
			for range 2 {
				start := time.Now()
				w, err := b.BeginAccess(ctx, prime.Write)
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("began after %v", time.Since(start))
				if err := w.End(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestStartsAreCapped passes if no more than so many STARTs are left behind,
// further windows are refused at once, and begin again after the signal.
func TestStartsAreCapped(t *testing.T) {
	guard(t)
	d, o, b := vgem(t)
	idle := export(t, d, dumb(t, d).Handle)
	const n = prime.MaxStarts
	var all []*prime.Buffer
	for range n {
		dup, err := b.Dup()
		if err != nil {
			t.Fatal(err)
		}
		defer dup.Close()
		all = append(all, dup)
	}
	goroutines := runtime.NumGoroutine()
	// All have seen the buffer idle before the fence comes.
	var arrived sync.WaitGroup
	arrived.Add(n)
	var fence drmtest.Fence
	attach := sync.OnceFunc(func() { fence = drmtest.AttachFence(t, d, o.Handle, true) })
	starts, ends := beforeStart(t, func() {
		if attach != nil {
			arrived.Done()
			arrived.Wait()
			attach()
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	errs := make(chan error, n)
	for _, dup := range all {
		go func() {
			_, err := dup.BeginAccess(ctx, prime.Write)
			errs <- err
		}()
	}
	arrived.Wait()
	// While none was given up on, the next one waits.
	short, cancelShort := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancelShort()
	if _, err := idle.BeginAccess(short, prime.Read); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, prime.ErrTooManyWaits) {
		t.Errorf("all slots taken: %v, want DeadlineExceeded", err)
	}
	cancel()
	for range n {
		if err := <-errs; !errors.Is(err, prime.ErrFenceBusy) || !errors.Is(err, context.Canceled) {
			t.Errorf("%v, want ErrFenceBusy and Canceled", err)
		}
	}
	attach = nil
	if _, err := idle.BeginAccess(t.Context(), prime.Read); !errors.Is(err, prime.ErrTooManyWaits) {
		t.Errorf("all slots taken for good: %v, want ErrTooManyWaits", err)
	}
	// What waits in place takes no slot.
	w, err := idle.BeginAccess(context.Background(), prime.Read)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.End(); err != nil {
		t.Error(err)
	}
	fence.Signal(t)
	if n := settled(goroutines); n > goroutines {
		t.Errorf("%d goroutines, %d before", n, goroutines)
	}
	w, err = idle.BeginAccess(t.Context(), prime.Read)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.End(); err != nil {
		t.Error(err)
	}
	if starts.Load() != n+2 || ends.Load() != n+2 {
		t.Errorf("%d STARTs and %d ENDs, want %d", starts.Load(), ends.Load(), n+2)
	}
}

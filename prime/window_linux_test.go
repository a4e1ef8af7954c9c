package prime_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/prime"
)

// TestWindow passes if each START has one END with the same access, and the
// kernel sees nothing of a second End.
func TestWindow(t *testing.T) {
	drmtest.CheckLeaks(t)
	e := newExporter(t)
	b := memBuffer(t, 4096, prime.ReadWrite)
	for _, test := range []struct {
		access prime.Access
		want   []uint64
	}{
		{prime.Read, []uint64{1, 5}},
		{prime.Write, []uint64{2, 6}},
		{prime.ReadWrite, []uint64{3, 7}},
	} {
		w, err := b.BeginAccess(t.Context(), test.access)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.End(); err != nil {
			t.Errorf("%v: End: %v", test.access, err)
		}
		// A later window must not be what a stale one ends.
		later, err := b.BeginAccess(t.Context(), prime.Read)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.End(); !errors.Is(err, prime.ErrStale) {
			t.Errorf("%v: second End: %v, want ErrStale", test.access, err)
		}
		if err := later.End(); err != nil {
			t.Errorf("later window: %v", err)
		}
		if got := e.sent(); !slices.Equal(got, append(test.want, 1, 5)) {
			t.Errorf("%v: flags %v were sent, want %v", test.access, got, append(test.want, 1, 5))
		}
	}
	if err := (prime.Window{}).End(); !errors.Is(err, prime.ErrStale) {
		t.Errorf("End of the zero Window: %v, want ErrStale", err)
	}
}

// TestWindowRefused passes if what cannot begin leaves nothing behind, and
// what the buffer or the context forbids does not reach the kernel.
func TestWindowRefused(t *testing.T) {
	drmtest.CheckLeaks(t)
	e := newExporter(t)
	done, cancel := context.WithCancel(t.Context())
	cancel()
	rw, ro := memBuffer(t, 4096, prime.ReadWrite), memBuffer(t, 4096, prime.Read)
	closed := memBuffer(t, 4096, prime.ReadWrite)
	closed.Close()
	for _, test := range []struct {
		name   string
		b      *prime.Buffer
		ctx    context.Context
		access prime.Access
		want   error
	}{
		{"cancelled", rw, done, prime.Read, context.Canceled},
		{"cancelled and closed", closed, done, prime.Write, context.Canceled},
		{"no access", rw, t.Context(), 0, prime.ErrRange},
		{"unknown access", rw, t.Context(), 4 | prime.Read, prime.ErrRange},
		{"write to read-only", ro, t.Context(), prime.Write, prime.ErrAccessMode},
		{"read-write to read-only", ro, t.Context(), prime.ReadWrite, prime.ErrAccessMode},
		{"closed", closed, t.Context(), prime.Read, prime.ErrClosed},
	} {
		if _, err := test.b.BeginAccess(test.ctx, test.access); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
		if got := e.sent(); len(got) > 0 {
			t.Errorf("%s: the kernel was asked: %v", test.name, got)
		}
	}

	e.errno = []syscall.Errno{syscall.EINTR, syscall.EAGAIN, syscall.EIO}
	if _, err := rw.BeginAccess(t.Context(), prime.Read); !errors.Is(err, syscall.EIO) {
		t.Errorf("START fails: %v, want EIO", err)
	}
	if got := e.sent(); !slices.Equal(got, []uint64{1, 1, 1}) {
		t.Errorf("flags %v were sent, want START three times and no END", got)
	}
	w, err := rw.BeginAccess(t.Context(), prime.Read)
	if err != nil {
		t.Fatal(err)
	}
	e.sent()
	e.errno = []syscall.Errno{syscall.EINTR, syscall.EIO}
	if err := w.End(); !errors.Is(err, syscall.EIO) {
		t.Errorf("END fails: %v, want EIO", err)
	}
	if err := w.End(); !errors.Is(err, prime.ErrStale) {
		t.Errorf("End after a failed one: %v, want ErrStale", err)
	}
	if got := e.sent(); !slices.Equal(got, []uint64{5, 5}) {
		t.Errorf("flags %v were sent, want END, once restarted", got)
	}
}

// TestWindowOutlivesClose passes if the descriptor stays open for the END of
// a window that was open at Close, and no longer.
func TestWindowOutlivesClose(t *testing.T) {
	drmtest.CheckLeaks(t)
	e := newExporter(t)
	b := memBuffer(t, 4096, prime.ReadWrite)
	var ws [2]prime.Window
	for i := range ws {
		w, err := b.BeginAccess(t.Context(), prime.Write)
		if err != nil {
			t.Fatal(err)
		}
		ws[i] = w
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if err := b.Close(); !errors.Is(err, prime.ErrClosed) {
		t.Errorf("second Close: %v, want ErrClosed", err)
	}
	if _, err := b.BeginAccess(t.Context(), prime.Read); !errors.Is(err, prime.ErrClosed) {
		t.Errorf("BeginAccess after Close: %v, want ErrClosed", err)
	}
	if _, err := b.File(); !errors.Is(err, prime.ErrClosed) {
		t.Errorf("File after Close: %v, want ErrClosed", err)
	}
	for _, w := range ws {
		if err := w.End(); err != nil {
			t.Error(err)
		}
	}
	if got := e.sent(); !slices.Equal(got, []uint64{2, 2, 6, 6}) {
		t.Errorf("flags %v were sent", got)
	}
}

// TestWindowConcurrentEnd passes if one of many Ends of a window succeeds and
// the kernel sees one END.
func TestWindowConcurrentEnd(t *testing.T) {
	drmtest.CheckLeaks(t)
	e := newExporter(t)
	b := memBuffer(t, 4096, prime.ReadWrite)
	for range 100 {
		w, err := b.BeginAccess(t.Context(), prime.Read)
		if err != nil {
			t.Fatal(err)
		}
		var ended atomic.Int32
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				switch err := w.End(); {
				case err == nil:
					ended.Add(1)
				case !errors.Is(err, prime.ErrStale):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if got := e.sent(); ended.Load() != 1 || !slices.Equal(got, []uint64{1, 5}) {
			t.Fatalf("%d Ends succeeded, flags %v were sent", ended.Load(), got)
		}
	}
}

// TestWait passes if BeginAccess waits for a fence, takes no longer than its
// context, and leaves no descriptor and no goroutine.
func TestWait(t *testing.T) {
	drmtest.CheckLeaks(t)
	e := newExporter(t)
	f := newFence(t)
	e.fence = f
	b := f.buffer(t)
	goroutines := runtime.NumGoroutine()

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := b.BeginAccess(ctx, prime.Read); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("fence never signals: %v, want DeadlineExceeded", err)
	}
	if got := e.sent(); len(got) > 0 {
		t.Errorf("flags %v were sent without a window", got)
	}
	if n := settled(goroutines); n > goroutines {
		t.Errorf("%d goroutines, %d before", n, goroutines)
	}

	type result struct {
		w   prime.Window
		err error
	}
	begun := make(chan result)
	for range 3 {
		go func() {
			w, err := b.BeginAccess(t.Context(), prime.Read)
			begun <- result{w, err}
		}()
	}
	select {
	case r := <-begun:
		t.Fatalf("a window began before the signal: %v", r.err)
	case <-time.After(20 * time.Millisecond):
	}
	f.signal()
	for range 3 {
		r := <-begun
		if r.err != nil {
			t.Fatal(r.err)
		}
		if err := r.w.End(); err != nil {
			t.Error(err)
		}
	}
}

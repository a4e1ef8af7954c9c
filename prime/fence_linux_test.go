package prime_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/prime"
)

// TestFence passes if BeginAccess waits for the fences that matter for its
// access until they are signalled or the context ends, and leaves nothing.
func TestFence(t *testing.T) {
	guard(t)
	d := drmtest.RequireDevice(t, "vgem")
	o := dumb(t, d)
	b := export(t, d, o.Handle)
	goroutines := runtime.NumGoroutine()
	for _, test := range []struct {
		name   string
		writes bool
		access prime.Access
		waits  bool
	}{
		{"read while reading", false, prime.Read, false},
		{"write while reading", false, prime.Write, true},
		{"read while writing", true, prime.Read, true},
		{"write while writing", true, prime.Write, true},
		{"read-write while reading", false, prime.ReadWrite, true},
	} {
		fence := drmtest.AttachFence(t, d, o.Handle, test.writes)
		if !test.waits {
			w, err := b.BeginAccess(t.Context(), test.access)
			if err != nil {
				t.Fatalf("%s: %v", test.name, err)
			}
			if err := w.End(); err != nil {
				t.Error(err)
			}
			fence.Signal(t)
			continue
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if _, err := b.BeginAccess(ctx, test.access); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("%s: %v, want DeadlineExceeded", test.name, err)
		}
		cancel()
		// Several wait, and one of them gives up.
		ctx, cancel = context.WithCancel(t.Context())
		var wg sync.WaitGroup
		var mu sync.Mutex
		var ended []string
		wait := func(name string, ctx context.Context, want error) {
			w, err := b.BeginAccess(ctx, test.access)
			mu.Lock()
			ended = append(ended, name)
			mu.Unlock()
			if !errors.Is(err, want) || (err == nil) != (want == nil) {
				t.Errorf("%s: %v, want %v", test.name, err, want)
			}
			if err == nil {
				if err := w.End(); err != nil {
					t.Error(err)
				}
			}
		}
		wg.Go(func() { wait("patient", t.Context(), nil) })
		wg.Go(func() { wait("patient", t.Context(), nil) })
		wg.Go(func() { wait("cancelled", ctx, context.Canceled) })
		time.Sleep(20 * time.Millisecond)
		cancel()
		for start := time.Now(); time.Since(start) < 2*time.Second; time.Sleep(time.Millisecond) {
			mu.Lock()
			n := len(ended)
			mu.Unlock()
			if n > 0 {
				break
			}
		}
		mu.Lock()
		if !slices.Equal(ended, []string{"cancelled"}) {
			t.Errorf("%s: before the signal ended %q", test.name, ended)
		}
		mu.Unlock()
		start := time.Now()
		fence.Signal(t)
		wg.Wait()
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("%s: woken %v after the signal", test.name, took)
		}
	}
	if n := settled(goroutines); n > goroutines {
		t.Errorf("%d goroutines, %d before", n, goroutines)
	}
}

// TestFenceWaitIsIdle passes if waiting takes no CPU time, also where the
// other direction is ready, which polling the dma-buf itself does not give.
func TestFenceWaitIsIdle(t *testing.T) {
	guard(t)
	d := drmtest.RequireDevice(t, "vgem")
	o := dumb(t, d)
	b := export(t, d, o.Handle)
	fence := drmtest.AttachFence(t, d, o.Handle, false)
	defer fence.Signal(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	before := cpuTime(t)
	if _, err := b.BeginAccess(ctx, prime.Write); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want DeadlineExceeded", err)
	}
	if used := cpuTime(t) - before; used > 300*time.Millisecond {
		t.Errorf("waiting a second took %v of CPU time", used)
	}
}

func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// settled returns the number of goroutines, as soon as it is want or after a
// second: one that has done its last thing may not have ended yet.
func settled(want int) int {
	for range 100 {
		if runtime.NumGoroutine() <= want {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	return runtime.NumGoroutine()
}

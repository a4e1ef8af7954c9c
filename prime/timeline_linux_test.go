package prime_test

import (
	"context"
	"errors"
	"os"
	"runtime"
	"structs"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/drm/ioctl"
	"github.com/gemtool/gemtool/prime"
)

// timelineDevice returns virtio-gpu, the driver of these VMs that has
// timelines, but not before Linux 6.6.
func timelineDevice(t *testing.T) *drm.Device {
	t.Helper()
	if linux61(t) {
		t.Skip("virtio-gpu of this kernel has no sync objects")
	}
	return drmtest.RequireDevice(t, "virtio_gpu")
}

func newTimeline(t *testing.T, d *drm.Device) *prime.Timeline {
	t.Helper()
	tl, err := prime.NewTimeline(d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tl.Close() })
	return tl
}

func wantPoints(t *testing.T, when string, tl *prime.Timeline, signaled, submitted uint64) {
	t.Helper()
	if got, err := tl.Signaled(); err != nil || got != signaled {
		t.Errorf("%s: signaled %d, %v, want %d", when, got, err, signaled)
	}
	if got, err := tl.Submitted(); err != nil || got != submitted {
		t.Errorf("%s: submitted %d, %v, want %d", when, got, err, submitted)
	}
}

// TestTimelineUnsupported passes if a driver without timelines is told so.
//
// Case D27
func TestTimelineUnsupported(t *testing.T) {
	guard(t)
	drivers := []string{"vgem", "vkms"}
	if linux61(t) {
		drivers = append(drivers, "virtio_gpu")
	}
	for _, driver := range drivers {
		if _, err := prime.NewTimeline(drmtest.RequireDevice(t, driver)); !errors.Is(err, prime.ErrNotSupported) {
			t.Errorf("%s: %v, want ErrNotSupported", driver, err)
		}
	}
}

// TestTimeline passes if points are submitted and signaled as their fences are,
// come from and go to sync_files and other timelines, and are one thing for all
// who share the timeline.
//
// Case D28
func TestTimeline(t *testing.T) {
	guard(t)
	dev := timelineDevice(t)
	d, o, b := vgem(t)
	tl := newTimeline(t, dev)
	wantPoints(t, "new", tl, 0, 0)
	if err := tl.Signal(3); err != nil {
		t.Error(err)
	}
	wantPoints(t, "signaled by the CPU", tl, 3, 3)
	if err := tl.Wait(t.Context(), 2); err != nil {
		t.Error(err)
	}

	fence := drmtest.AttachFence(t, d, o.Handle, true)
	if err := tl.ImportSyncFile(exportSync(t, b, prime.Read), 5); err != nil {
		t.Fatal(err)
	}
	wantPoints(t, "with a fence at 5", tl, 3, 5)
	if err := tl.WaitAvailable(t.Context(), 4); err != nil {
		t.Error(err)
	}
	for point, want := range map[uint64]bool{2: true, 4: false, 5: false} {
		s, err := tl.SyncFile(point)
		if err != nil {
			t.Fatal(err)
		}
		wantSignaled(t, "exported", s, want)
		s.Close()
	}
	if _, err := tl.SyncFile(6); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("export of a point without a fence: %v, want EINVAL", err)
	}

	f, err := tl.File()
	if err != nil {
		t.Fatal(err)
	}
	shared, err := prime.TimelineFromFile(drmtest.RequireDevice(t, "virtio_gpu"), f)
	f.Close()
	if err != nil {
		t.Fatal(err)
	}
	defer shared.Close()
	wantPoints(t, "shared", shared, 3, 5)
	other := newTimeline(t, dev)
	if err := other.Transfer(1, tl, 5); err != nil {
		t.Fatal(err)
	}
	wantPoints(t, "transferred", other, 0, 1)
	if err := tl.Transfer(7, tl, 5); err != nil {
		t.Fatal(err)
	}
	if err := other.Transfer(2, shared, 5); !errors.Is(err, prime.ErrRange) {
		t.Errorf("transfer from another file: %v, want ErrRange", err)
	}
	fence.Signal(t)
	for _, tl := range []*prime.Timeline{tl, shared} {
		if err := tl.Wait(t.Context(), 7); err != nil {
			t.Error(err)
		}
		wantPoints(t, "after the signal", tl, 7, 7)
	}
	wantPoints(t, "the other, after the signal", other, 1, 1)
}

// TestTimelineRefused passes if what is no point, no timeline or closed is
// refused.
//
// Case D26
func TestTimelineRefused(t *testing.T) {
	guard(t)
	dev := timelineDevice(t)
	_, _, b := vgem(t)
	s := exportSync(t, b, prime.Read)
	tl := newTimeline(t, dev)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	calls := func(point uint64, ctx context.Context) map[string]error {
		_, exported := tl.SyncFile(point)
		_, eventfd := tl.Eventfd(point, false)
		return map[string]error{
			"Signal": tl.Signal(point), "SyncFile": exported, "Eventfd": eventfd, "ImportSyncFile": tl.ImportSyncFile(s, point),
			"Wait": tl.Wait(ctx, point), "WaitAvailable": tl.WaitAvailable(ctx, point), "Transfer": tl.Transfer(point, tl, 1),
		}
	}
	for name, err := range calls(0, t.Context()) {
		if !errors.Is(err, prime.ErrRange) {
			t.Errorf("%s of point 0: %v, want ErrRange", name, err)
		}
	}
	if err := tl.Wait(ended, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("wait with an ended context: %v", err)
	}
	f, err := b.File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := prime.TimelineFromFile(dev, f); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("a dma-buf as a timeline: %v, want EINVAL", err)
	}
	if err := tl.Close(); err != nil {
		t.Error(err)
	}
	for name, err := range calls(1, t.Context()) {
		if !errors.Is(err, prime.ErrClosed) {
			t.Errorf("%s after Close: %v, want ErrClosed", name, err)
		}
	}
	if err := tl.Close(); !errors.Is(err, prime.ErrClosed) {
		t.Errorf("second Close: %v, want ErrClosed", err)
	}
}

// syncobjEventfd is struct drm_syncobj_eventfd.
type syncobjEventfd struct {
	_      structs.HostLayout
	Handle uint32
	Flags  uint32
	Point  uint64
	FD     int32
	Pad    uint32
}

var opSyncobjEventfd = ioctl.ReadWrite[syncobjEventfd]("SYNCOBJ_EVENTFD", 'd', 0xcf)

// TestTimelineWait passes if many wait for a point that gets its fence later,
// and for its signal; if those whose context ends are back soon; if a Close
// ends the wait; and if nothing is left of it all. With the answer of a kernel
// before 6.6 to the eventfd, it does the same.
//
// Cases D23, D28, D29
func TestTimelineWait(t *testing.T) {
	for name, old := range map[string]bool{"eventfd": false, "as before Linux 6.6": true} {
		t.Run(name, func(t *testing.T) {
			guard(t)
			dev := timelineDevice(t)
			d, o, b := vgem(t)
			tl := newTimeline(t, dev)
			wishes := 0
			drmtest.Intercept(t, func(c drmtest.Call) (syscall.Errno, bool) {
				if c.Request != opSyncobjEventfd.Request() {
					return 0, false
				}
				wishes++
				return syscall.EINVAL, old
			})
			goroutines := runtime.NumGoroutine()
			for range 5 {
				for what, wait := range map[string]func(context.Context, uint64) error{"Wait": tl.Wait, "WaitAvailable": tl.WaitAvailable} {
					ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
					start := time.Now()
					if err := wait(ctx, 1); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 2*time.Second {
						t.Errorf("%s: %v after %v", what, err, time.Since(start))
					}
					cancel()
				}
			}
			if !old && wishes != 1 {
				t.Errorf("the kernel got %d wishes for one point", wishes)
			}
			var available, signaled sync.WaitGroup
			for range 16 {
				available.Go(func() {
					if err := tl.WaitAvailable(t.Context(), 1); err != nil {
						t.Error(err)
					}
				})
				signaled.Go(func() {
					if err := tl.Wait(t.Context(), 1); err != nil {
						t.Error(err)
					}
				})
			}
			time.Sleep(20 * time.Millisecond)
			fence := drmtest.AttachFence(t, d, o.Handle, true)
			if err := tl.ImportSyncFile(exportSync(t, b, prime.Read), 1); err != nil {
				t.Fatal(err)
			}
			available.Wait()
			wantPoints(t, "available", tl, 0, 1)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
			defer cancel()
			if err := tl.Wait(ctx, 1); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Wait with a fence that is not signaled: %v", err)
			}
			fence.Signal(t)
			signaled.Wait()

			ended := make(chan error)
			go func() { ended <- tl.WaitAvailable(t.Context(), 9) }()
			time.Sleep(30 * time.Millisecond)
			if err := tl.Close(); err != nil {
				t.Error(err)
			}
			if err := <-ended; !errors.Is(err, prime.ErrClosed) {
				t.Errorf("wait over a Close: %v, want ErrClosed", err)
			}
			if n := settled(goroutines); n > goroutines {
				t.Errorf("%d goroutines, %d before", n, goroutines)
			}
		})
	}
}

// TestTimelineEventfd passes if an eventfd becomes readable with the fence, or
// with its signal, and at once for a point of the past.
//
// Case D29
func TestTimelineEventfd(t *testing.T) {
	guard(t)
	dev := timelineDevice(t)
	d, o, b := vgem(t)
	tl := newTimeline(t, dev)
	eventfd := func(point uint64, available bool) *os.File {
		t.Helper()
		f, err := tl.Eventfd(point, available)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	fired := func(f *os.File) bool {
		t.Helper()
		if err := f.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		n, err := f.Read(make([]byte, 8))
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
		return n == 8
	}
	available, signaled := eventfd(1, true), eventfd(1, false)
	if fired(available) || fired(signaled) {
		t.Error("fired before there was a fence")
	}
	fence := drmtest.AttachFence(t, d, o.Handle, true)
	if err := tl.ImportSyncFile(exportSync(t, b, prime.Read), 1); err != nil {
		t.Fatal(err)
	}
	if !fired(available) || fired(signaled) {
		t.Error("with a fence: want the one for availability alone to fire")
	}
	fence.Signal(t)
	if !fired(signaled) || !fired(eventfd(1, false)) || !fired(eventfd(1, true)) {
		t.Error("not fired after the signal")
	}
}

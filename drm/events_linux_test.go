package drm_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/drm/internal/uapi"
	"github.com/gemtool/gemtool/drm/kms"
)

// spaceForEvents is how many events a file can have under way and unread.
const spaceForEvents = 4096 / 32

// TestEventTypes passes if a vertical blanking, a page flip and a sequence
// come with what was asked for, and a time that has just passed.
func TestEventTypes(t *testing.T) {
	drmtest.CheckLeaks(t)
	d := lightUp(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	before := drm.Monotonic()
	asked := map[drm.EventType]uint64{}
	n, err := kms.QueueVBlank(d.Device, d.place, kms.VBlankRelative, 1, 0x1111)
	if err != nil {
		t.Fatal(err)
	}
	asked[drm.EventVBlank] = uint64(n)
	if asked[drm.EventCRTCSequence], err = kms.QueueSequence(d.Device, d.crtc, kms.SequenceRelative, 1, 1<<60); err != nil {
		t.Fatal(err)
	}
	if err := kms.PageFlip(d.Device, d.crtc, kms.Flip{FB: d.fb, Flags: kms.FlipEvent, UserData: 1<<63 + 5}); err != nil {
		t.Fatal(err)
	}
	data := map[drm.EventType]uint64{
		drm.EventVBlank: 0x1111, drm.EventCRTCSequence: 1 << 60, drm.EventFlipComplete: 1<<63 + 5,
	}
	for e, err := range d.Events(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		if want, ok := data[e.Type]; !ok || e.UserData != want {
			t.Errorf("%v with user data %#x, want %#x", e.Type, e.UserData, want)
		}
		delete(data, e.Type)
		// A busy machine may be late.
		if want, ok := asked[e.Type]; ok && (e.Sequence < want || e.Sequence > want+600) {
			t.Errorf("%v: sequence %d, asked for %d", e.Type, e.Sequence, want)
		}
		if now := drm.Monotonic(); e.Time < before-time.Second || e.Time > now+time.Second {
			t.Errorf("%v: time %v, asked at %v, now %v", e.Type, e.Time, before, now)
		}
		if e.Type != drm.EventCRTCSequence && kms.CRTCID(e.CRTC) != d.crtc {
			t.Errorf("%v: CRTC %d, want %v", e.Type, e.CRTC, d.crtc)
		}
		if len(data) == 0 {
			break
		}
	}
}

// TestEventsLoad passes if no event is lost and all come in order: first as
// many as the kernel keeps for a file, which says no to one more, and then
// 200 while they are read.
func TestEventsLoad(t *testing.T) {
	drmtest.CheckLeaks(t)
	d := lightUp(t)
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	queue := func(data uint64) error {
		_, err := kms.QueueSequence(d.Device, d.crtc, kms.SequenceRelative, 2, data)
		return err
	}
	data := uint64(0)
	for ; ; data++ {
		if err := queue(data); errors.Is(err, syscall.ENOMEM) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if data != spaceForEvents {
		t.Errorf("the file took %d events, want %d", data, spaceForEvents)
	}
	next, last := uint64(0), drm.Event{}
	check := func(e drm.Event) {
		if e.UserData != next || e.Sequence < last.Sequence || e.Time < last.Time {
			t.Errorf("event %d: %+v after %+v", next, e, last)
		}
		next, last = next+1, e
	}
	for e, err := range d.Events(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		if check(e); next == data {
			break
		}
	}
	total := data + 200
	produced := make(chan error, 1)
	go func() {
		for data < total {
			err := queue(data)
			switch {
			case err == nil:
				data++
			case errors.Is(err, syscall.ENOMEM):
				time.Sleep(time.Millisecond)
			default:
				produced <- err
				cancel()
				return
			}
		}
		produced <- nil
	}()
	for e, err := range d.Events(ctx) {
		if err != nil {
			t.Errorf("after event %d: %v", next, err)
			break
		}
		if check(e); next == total {
			break
		}
	}
	if err := <-produced; err != nil {
		t.Error(err)
	}
}

// TestEventsLeft passes if a caller who leaves the loop, or whose context
// ends, leaves the events that it has not had to the next one.
func TestEventsLeft(t *testing.T) {
	drmtest.CheckLeaks(t)
	d := lightUp(t)
	const count = 5
	for i := range uint64(count) {
		if _, err := kms.QueueSequence(d.Device, d.crtc, kms.SequenceRelative, 1, i); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(200 * time.Millisecond) // so that they are all there at the first read
	next := uint64(0)
	read := func(stop func(cancel func()) bool) (got error) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		for e, err := range d.Events(ctx) {
			if err != nil {
				return err
			}
			if e.UserData != next {
				t.Errorf("event %d, want %d", e.UserData, next)
			}
			next++
			if stop(cancel) {
				break
			}
		}
		return nil
	}
	if err := read(func(func()) bool { return true }); err != nil || next != 1 {
		t.Fatalf("left the loop after %d events, %v", next, err)
	}
	if err := read(func(cancel func()) bool { cancel(); return false }); !errors.Is(err, context.Canceled) || next != 2 {
		t.Errorf("after the context's end: %d events, %v", next, err)
	}
	if err := read(func(func()) bool { return next == count }); err != nil || next != count {
		t.Errorf("%d events of %d, %v", next, count, err)
	}
}

// TestEventsEnd passes if each way to end the reading is told as what it is,
// and leaves no goroutine, no descriptor and no claim on the events behind.
func TestEventsEnd(t *testing.T) {
	drmtest.CheckLeaks(t)
	d := lightUp(t)
	before := runtime.NumGoroutine()
	wait := func(ctx context.Context) (got error) {
		for e, err := range d.Events(ctx) {
			if err == nil {
				t.Errorf("event %+v", e)
			}
			got = err
		}
		return got
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := wait(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("ended context: %v", err)
	}
	for range 20 {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		if err := wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("context that ends: %v", err)
		}
		cancel()
	}

	// A second reader is refused, and does not end the first.
	if _, err := kms.QueueSequence(d.Device, d.crtc, kms.SequenceRelative, 1, 1); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	events, last := 0, error(nil)
	for _, err := range d.Events(ctx) {
		if last = err; err != nil {
			break
		}
		events++
		if err := wait(t.Context()); err == nil || !strings.Contains(err.Error(), "another reader") {
			t.Errorf("second reader: %v", err)
		}
	}
	if events != 1 || !errors.Is(last, context.DeadlineExceeded) {
		t.Errorf("first reader: %d events, %v", events, last)
	}

	other := drmtest.RequireDevice(t, "vkms")
	done := make(chan error)
	go func() {
		var got error
		for _, err := range other.Events(t.Context()) {
			got = err
		}
		done <- got
	}()
	time.Sleep(10 * time.Millisecond)
	other.Close()
	if err := <-done; !errors.Is(err, drm.ErrClosed) {
		t.Errorf("closed device: %v", err)
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines, %d before", after, before)
	}
}

// TestEventsBlocking passes if a file that would block is refused and not
// changed.
func TestEventsBlocking(t *testing.T) {
	drmtest.CheckLeaks(t)
	n, err := unix.Open(drmtest.RequireDevice(t, "vkms").Path(), unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(n), "card")
	defer f.Close()
	d, err := drm.FromFile(f)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for e, err := range d.Events(t.Context()) {
		if !errors.Is(err, drm.ErrNotSupported) || !strings.Contains(err.Error(), "O_NONBLOCK") {
			t.Fatalf("%+v, %v, want ErrNotSupported", e, err)
		}
	}
	if flags, err := unix.FcntlInt(uintptr(n), unix.F_GETFL, 0); err != nil || flags&unix.O_NONBLOCK != 0 {
		t.Errorf("flags %#x, %v", flags, err)
	}
}

// TestEventsGone passes if a reader hears within a few seconds that the device
// is gone, which poll(2) does not tell.
//
// Case M04
func TestEventsGone(t *testing.T) {
	drmtest.CheckLeaks(t)
	d := drmtest.RequireDevice(t, "vkms")
	var gone bool
	drmtest.Intercept(t, func(c drmtest.Call) (syscall.Errno, bool) {
		return syscall.ENODEV, gone && c.Request == uapi.OpVersion.Request()
	})
	gone = true
	expectGone(t, d)
}

// TestEventsUnbound is TestEventsGone on a device that goes.
//
// Case M04
func TestEventsUnbound(t *testing.T) {
	if !drmtest.InVM() {
		t.Skip("it unbinds a driver: in the VM only")
	}
	drmtest.CheckLeaks(t)
	d := drmtest.RequireDevice(t, "bochs-drm")
	unbind(t, d)
	expectGone(t, d)
}

func expectGone(t *testing.T, d *drm.Device) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for e, err := range d.Events(ctx) {
		if !errors.Is(err, drm.ErrGone) {
			t.Errorf("%+v, %v, want ErrGone", e, err)
		}
	}
}

// unbind takes the driver from a device until the test ends.
func unbind(t *testing.T, d *drm.Device) {
	t.Helper()
	driver, name := binding(t, d)
	tell := func(what string) {
		if err := os.WriteFile(filepath.Join(driver, what), []byte(name), 0); err != nil {
			t.Fatal(err)
		}
	}
	tell("unbind")
	t.Cleanup(func() { tell("bind") })
}

// binding finds the driver of a device in sysfs, and what the driver calls it.
func binding(t *testing.T, d *drm.Device) (driver, name string) {
	t.Helper()
	dev := filepath.Join("/sys/class/drm", filepath.Base(d.Path()), "device")
	driver, err := filepath.EvalSymlinks(filepath.Join(dev, "driver"))
	if err != nil {
		t.Fatal(err)
	}
	dev, err = filepath.EvalSymlinks(dev)
	if err != nil {
		t.Fatal(err)
	}
	return driver, filepath.Base(dev)
}

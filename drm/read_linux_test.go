package drm_test

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/drm/ioctl"
	"github.com/gemtool/gemtool/drm/kms"
)

// TestDRMRead is IGT's drm_read: what Events stands on.
//
// Case M12
func TestDRMRead(t *testing.T) {
	const size = 32 // of an event
	// setup opens vkms once more, with events there if count says so.
	setup := func(t *testing.T, d display, flags, count int) (n int) {
		t.Helper()
		n, err := unix.Open(d.Path(), unix.O_RDWR|unix.O_CLOEXEC|flags, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Close(n) })
		queueRaw(t, n, d, count)
		return n
	}
	await := func(t *testing.T, n int) {
		t.Helper()
		fds := []unix.PollFd{{Fd: int32(n), Events: unix.POLLIN}}
		for {
			if ready, err := unix.Poll(fds, 10_000); err == unix.EINTR {
				continue
			} else if ready != 1 || err != nil {
				t.Fatalf("poll: %d, %v", ready, err)
			}
			return
		}
	}
	short := func(t *testing.T, flags int) {
		n := setup(t, lightUp(t), flags, 2)
		await(t, n)
		b := make([]byte, 1024)
		if got, err := unix.Read(n, b[:4]); got != 0 || err != nil {
			t.Errorf("read of 4 bytes: %d, %v, want 0", got, err)
		}
		for range 2 {
			await(t, n)
			if got, err := unix.Read(n, b[:40]); got != size || err != nil {
				t.Errorf("read of 40 bytes: %d, %v, want one event", got, err)
			}
		}
	}

	t.Run("invalid-buffer", func(t *testing.T) {
		drmtest.CheckLeaks(t)
		// With an event: to a kernel of 64 bits the address is none of its
		// own when a program of 32 bits names it, and it would wait.
		n := setup(t, lightUp(t), 0, 1)
		await(t, n)
		_, _, errno := unix.Syscall(unix.SYS_READ, uintptr(n), ^uintptr(0), 4096)
		if errno != unix.EFAULT {
			t.Errorf("read to address -1: %v, want EFAULT", errno)
		}
		if got, err := unix.Read(n, make([]byte, size)); got != size || err != nil {
			t.Errorf("the event after that: %d, %v", got, err)
		}
	})
	t.Run("fault-buffer", func(t *testing.T) {
		drmtest.CheckLeaks(t)
		d := lightUp(t)
		b, err := d.CreateDumb(64, 64, 32)
		if err != nil {
			t.Fatal(err)
		}
		defer d.DestroyDumb(b.Handle)
		offset, err := d.MapDumb(b.Handle)
		if err != nil {
			t.Fatal(err)
		}
		m, err := d.Mmap(offset, b.Size)
		if err != nil {
			t.Fatal(err)
		}
		defer drm.Munmap(m)
		n := setup(t, d, 0, 1)
		await(t, n)
		// The pages come with the copy.
		if got, err := unix.Read(n, m); got != size || err != nil {
			t.Errorf("read into a mapping: %d, %v, want one event", got, err)
		}
	})
	t.Run("empty-block", func(t *testing.T) {
		drmtest.CheckLeaks(t)
		d := lightUp(t)
		n := setup(t, d, 0, 0)
		done := make(chan error)
		go func() {
			_, err := unix.Read(n, make([]byte, size))
			done <- err
		}()
		select {
		case err := <-done:
			t.Fatalf("a read of nothing returned %v", err)
		case <-time.After(200 * time.Millisecond):
		}
		queueRaw(t, n, d, 1)
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Run("empty-nonblock", func(t *testing.T) {
		drmtest.CheckLeaks(t)
		n := setup(t, lightUp(t), unix.O_NONBLOCK, 0)
		if got, err := unix.Read(n, make([]byte, size)); got != -1 || err != unix.EAGAIN {
			t.Errorf("read of nothing: %d, %v, want EAGAIN", got, err)
		}
	})
	t.Run("short-buffer-block", func(t *testing.T) { drmtest.CheckLeaks(t); short(t, 0) })
	t.Run("short-buffer-nonblock", func(t *testing.T) { drmtest.CheckLeaks(t); short(t, unix.O_NONBLOCK) })
	t.Run("short-buffer-wakeup", func(t *testing.T) {
		// Readers whose buffers are too short put the event back, and do
		// not keep it from one with room.
		drmtest.CheckLeaks(t)
		d := lightUp(t)
		n := setup(t, d, 0, 0)
		const readers = 4
		stop := make(chan struct{})
		done := make(chan struct{})
		for range readers {
			go func() {
				defer func() { done <- struct{}{} }()
				for {
					select {
					case <-stop:
						return
					default:
						unix.Read(n, make([]byte, 1))
					}
				}
			}()
		}
		for range 20 {
			queueRaw(t, n, d, 1)
			if got, err := unix.Read(n, make([]byte, size)); got != size || err != nil {
				t.Errorf("read: %d, %v", got, err)
			}
		}
		close(stop)
		queueRaw(t, n, d, 1) // wakes them: none takes it
		for range readers {
			<-done
		}
	})
}

// queueRaw asks for events of the next vertical blankings on a descriptor that
// is no Device.
func queueRaw(t *testing.T, n int, d display, count int) {
	t.Helper()
	dup, err := unix.FcntlInt(uintptr(n), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	raw := drm.NewTestDevice(ioctl.NewFD(dup), d.Path(), drm.NodePrimary)
	defer raw.Close()
	for i := range count {
		if _, err := kms.QueueVBlank(raw, d.place, kms.VBlankRelative, uint32(i+1), uint64(i)); err != nil {
			t.Fatal(err)
		}
	}
}

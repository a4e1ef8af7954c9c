package drm_test

import (
	"errors"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/internal/uapi"
	"github.com/gemtool/gemtool/drm/ioctl"
)

// eventfd is one that does not block.
type eventfd struct {
	*ioctl.FD
	n int
}

func newEventfd(t *testing.T) eventfd {
	t.Helper()
	n, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	fd := ioctl.NewFD(n)
	t.Cleanup(func() { fd.Close() })
	return eventfd{fd, n}
}

// want reads it: what comes may take a while, what must not gets 10 ms to.
func (e eventfd) want(t *testing.T, what string, fired bool) {
	t.Helper()
	patience := 10 * time.Millisecond
	if fired {
		patience = 5 * time.Second
	}
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		var count [8]byte
		_, err := unix.Read(e.n, count[:])
		if err == nil || !errors.Is(err, syscall.EAGAIN) || time.Now().After(end) {
			if (err == nil) != fired {
				t.Errorf("%s: %v, want it fired: %v", what, err, fired)
			}
			return
		}
	}
}

// TestIGTSyncobjEventfd passes if eventfds fire for fences as in IGT's
// syncobj_eventfd.
//
// Case D29
func TestIGTSyncobjEventfd(t *testing.T) {
	runSyncs(t, false, []subtest{
		{"invalid-bad-flags", func(t *testing.T, s *syncs) {
			wantErr(t, "flags", s.SyncobjEventfd(s.set(t, 1).hs[0], 0, newEventfd(t).FD, 0xdeadbeef), syscall.EINVAL)
		}},
		{"invalid-illegal-handle", func(t *testing.T, s *syncs) {
			wantErr(t, "handle", s.SyncobjEventfd(0, 0, newEventfd(t).FD, 0), syscall.ENOENT)
		}},
		{"invalid-illegal-eventfd", func(t *testing.T, s *syncs) {
			wantErr(t, "file", s.SyncobjEventfd(s.set(t, 1).hs[0], 0, s.FD(), 0), syscall.EINVAL)
		}},
		{"invalid-bad-pad", func(t *testing.T, s *syncs) {
			err := uapi.OpSyncobjEventfd.Do(s.FD(), &uapi.SyncobjEventfd{
				Handle: uint32(s.set(t, 1).hs[0]), FD: int32(newEventfd(t).n), Pad: 0xdeadbeef,
			})
			wantErr(t, "pad", err, syscall.EINVAL)
		}},
		{"binary-wait", eventfdFires(0, 1)},
		{"binary-wait-before-signal", eventfdFires(0, 0)},
		{"binary-wait-signaled", eventfdFires(0, 2)},
		{"timeline-wait", eventfdFires(1, 1)},
		{"timeline-wait-before-signal", eventfdFires(1, 0)},
		{"timeline-wait-signaled", eventfdFires(1, 2)},
	})
}

// eventfdFires asks for a fence and for its signal after that many of the two.
func eventfdFires(point uint64, after int) func(*testing.T, *syncs) {
	return func(t *testing.T, s *syncs) {
		h := s.set(t, 1).hs[0]
		signaled, available := newEventfd(t), newEventfd(t)
		ask := func() {
			wantErr(t, "for the signal", s.SyncobjEventfd(h, point, signaled.FD, 0), nil)
			wantErr(t, "for a fence", s.SyncobjEventfd(h, point, available.FD, drm.SyncobjWaitAvailable), nil)
		}
		if after == 0 {
			ask()
			signaled.want(t, "signal, empty", false)
			available.want(t, "fence, empty", false)
		}
		f := s.attach(t, h, point)
		if after == 1 {
			ask()
		}
		if after < 2 {
			signaled.want(t, "signal, submitted", false)
			available.want(t, "fence, submitted", true)
		}
		f.Signal(t)
		if after == 2 {
			ask()
			available.want(t, "fence, signaled", true)
		}
		signaled.want(t, "signal, signaled", true)
	}
}

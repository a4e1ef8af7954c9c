package kms_test

import (
	"errors"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/drm/internal/uapi"
	"github.com/gemtool/gemtool/drm/kms"
)

// TestWaitVBlankRestart passes if a relative wait that signals interrupt goes
// on for the vertical blanking that the kernel has chosen, and does not count
// again from each interruption on.
func TestWaitVBlankRestart(t *testing.T) {
	d := drmtest.RequireDevice(t, "vkms")
	asked := 0
	drmtest.Intercept(t, func(c drmtest.Call) (syscall.Errno, bool) {
		if c.Request != uapi.OpWaitVBlank.Request() {
			return 0, false
		}
		arg := drmtest.Arg[uapi.WaitVBlank](c)
		asked++
		switch {
		case asked == 1 && arg.Type == uapi.VBlankRelative|5<<uapi.VBlankHighCRTCShift && arg.Sequence == 3:
			// As drm_wait_vblank_ioctl does.
			arg.Type &^= uapi.VBlankRelative
			arg.Sequence = 103
			return syscall.EINTR, true
		case asked < 4 && arg.Type == 5<<uapi.VBlankHighCRTCShift && arg.Sequence == 103:
			return syscall.EINTR, true
		case asked == 4 && arg.Type == 5<<uapi.VBlankHighCRTCShift && arg.Sequence == 103:
			arg.Signal, arg.TvalUSec = 7, 8
			return 0, true
		}
		t.Errorf("call %d: %+v", asked, *arg)
		return syscall.EINVAL, true
	})
	v, err := kms.WaitVBlank(d, 5, kms.VBlankRelative, 3)
	if want := (kms.VBlank{Sequence: 103, Time: 7*time.Second + 8*time.Microsecond}); err != nil || v != want || asked != 4 {
		t.Errorf("%+v, %v after %d calls, want %+v", v, err, asked, want)
	}
}

// TestWaitVBlankRange passes if what the kernel's structure cannot say is
// refused here, and a CRTC that does not run does not end in a wait.
func TestWaitVBlankRange(t *testing.T) {
	d := drmtest.RequireDevice(t, "vkms")
	for _, place := range []int{-1, 32} {
		if _, err := kms.WaitVBlank(d, place, 0, 0); !errors.Is(err, drm.ErrRange) {
			t.Errorf("place %d: %v, want ErrRange", place, err)
		}
	}
	if _, err := kms.WaitVBlank(d, 0, kms.VBlankFlags(uapi.VBlankEvent), 0); !errors.Is(err, drm.ErrRange) {
		t.Errorf("the flag for an event: %v, want ErrRange", err)
	}
	if _, err := kms.WaitVBlank(d, 31, kms.VBlankRelative, 0); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("place 31 of one: %v, want EINVAL", err)
	}
	if _, err := kms.GetSequence(d, 4711); !errors.Is(err, syscall.ENOENT) {
		t.Errorf("sequence of no CRTC: %v, want ENOENT", err)
	}
	if _, err := kms.QueueSequence(d, 4711, 0, 0, 0); !errors.Is(err, syscall.ENOENT) {
		t.Errorf("sequence of no CRTC: %v, want ENOENT", err)
	}
	render := drmtest.RequireDevice(t, "vgem")
	if _, err := kms.WaitVBlank(render, 0, kms.VBlankRelative, 0); !errors.Is(err, drm.ErrNotSupported) {
		t.Errorf("vgem: %v, want ErrNotSupported", err)
	}
	if _, err := kms.GetSequence(render, 1); !errors.Is(err, drm.ErrNotSupported) {
		t.Errorf("vgem: %v, want ErrNotSupported", err)
	}
}

// TestWaitVBlankTimeout passes if the kernel's way to say that nothing came is
// told as that.
func TestWaitVBlankTimeout(t *testing.T) {
	d := drmtest.RequireDevice(t, "vkms")
	drmtest.Intercept(t, func(c drmtest.Call) (syscall.Errno, bool) {
		return syscall.EBUSY, c.Request == uapi.OpWaitVBlank.Request()
	})
	_, err := kms.WaitVBlank(d, 0, kms.VBlankRelative, 1)
	if !errors.Is(err, os.ErrDeadlineExceeded) || !errors.Is(err, syscall.EBUSY) {
		t.Errorf("%v, want EBUSY", err)
	}
}

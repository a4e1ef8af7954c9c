package uapi_test

import (
	"errors"
	"fmt"
	"runtime"
	"syscall"
	"testing"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/drm/internal/uapi"
)

const (
	xrgb8888  = 0x34325258
	modXTiled = 1<<56 | 1
)

// TestCompatAddFB2 passes if the kernel reads each modifier where ModeFBCmd2
// has it: one of a plane that is not there is refused, whichever half of it is
// set. On 386 under a 64-bit kernel this is what compat_drm_mode_addfb2 reads;
// with the layout of other architectures the last half would be past its end.
func TestCompatAddFB2(t *testing.T) {
	d := drmtest.RequireDevice(t, "vkms")
	addFB(t, d)
	for i := 1; i < 4; i++ { // for the first plane 6.1 takes any
		for _, bit := range []int{0, 32} {
			arg := framebuffer(t, d)
			arg.Modifier[i] = 1 << bit
			if err := uapi.OpModeAddFB2.Do(d.FD(), &arg); !errors.Is(err, syscall.EINVAL) {
				t.Errorf("modifier %d of %#x: %v, want EINVAL", i, arg.Modifier[i], err)
			}
		}
	}
}

// TestCompatGetFB2 passes if the kernel writes modifiers where ModeFBCmd2 has
// them, but for 386: a 64-bit kernel has no compat code for GETFB2, and writes
// them 4 bytes on, where its own structure has them.
func TestCompatGetFB2(t *testing.T) {
	d := drmtest.RequireDevice(t, "vkms")
	arg := uapi.ModeFBCmd2{FBID: addFB(t, d)}
	for i := range arg.Modifier {
		arg.Modifier[i] = ^uint64(0)
	}
	if err := uapi.OpModeGetFB2.Do(d.FD(), &arg); err != nil {
		t.Fatal(err)
	}
	for _, h := range arg.Handles {
		if h != 0 {
			uapi.OpGEMClose.Do(d.FD(), &uapi.GEMClose{Handle: h})
			break
		}
	}
	want := [4]uint64{}
	if runtime.GOARCH == "386" {
		want[0] = 0xffffffff
	}
	if arg.Modifier != want {
		t.Errorf("modifiers %#x, want %#x", arg.Modifier, want)
	}
}

// TestFirstModifier passes if a modifier is found again where either kernel of
// a 386 program writes it: 4 bytes on, or where the structure has it.
func TestFirstModifier(t *testing.T) {
	for _, m := range []uint64{0, modXTiled, 0x0300000000606014, 1<<63 | 1} {
		var native uapi.ModeFBCmd2
		native.AwaitModifier()
		native.Modifier[0] = m
		if got := native.FirstModifier(); got != m {
			t.Errorf("%#x: read as %#x", m, got)
		}
		if runtime.GOARCH == "386" {
			var compat uapi.ModeFBCmd2
			compat.AwaitModifier()
			compat.Modifier[0] |= m << 32
			compat.Modifier[1] = m >> 32
			if got := compat.FirstModifier(); got != m {
				t.Errorf("%#x, 4 bytes on: read as %#x", m, got)
			}
		}
	}
}

// framebuffer returns the argument for a linear framebuffer on a new buffer.
func framebuffer(t *testing.T, d *drm.Device) uapi.ModeFBCmd2 {
	t.Helper()
	b, err := d.CreateDumb(64, 64, 32)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.CloseHandle(b.Handle); err != nil {
			t.Error(err)
		}
	})
	return uapi.ModeFBCmd2{
		Width: 64, Height: 64, PixelFormat: xrgb8888, Flags: uapi.ModeFBModifiers,
		Handles: [4]uint32{uint32(b.Handle)}, Pitches: [4]uint32{b.Pitch},
	}
}

// addFB returns the id of a linear framebuffer.
func addFB(t *testing.T, d *drm.Device) uint32 {
	t.Helper()
	arg := framebuffer(t, d)
	if err := uapi.OpModeAddFB2.Do(d.FD(), &arg); err != nil {
		t.Fatal(fmt.Errorf("linear framebuffer: %w", err))
	}
	t.Cleanup(func() {
		if err := uapi.OpModeRmFB.Do(d.FD(), &uapi.ModeRmFB{FBID: arg.FBID}); err != nil {
			t.Error(err)
		}
	})
	return arg.FBID
}

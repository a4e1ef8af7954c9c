package prime_test

import (
	"structs"
	"syscall"
	"testing"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/drm/ioctl"
)

// vgemAttach and vgemSignal are struct drm_vgem_fence_attach and _signal, for
// what drmtest.AttachFence does not do: wrong things.
type vgemAttach struct {
	_                      structs.HostLayout
	Handle, Flags, ID, Pad uint32
}

type vgemSignal struct {
	_            structs.HostLayout
	Fence, Flags uint32
}

var (
	opVgemAttach = ioctl.ReadWrite[vgemAttach]("VGEM_FENCE_ATTACH", 'd', 0x41)
	opVgemSignal = ioctl.Write[vgemSignal]("VGEM_FENCE_SIGNAL", 'd', 0x42)
)

func attachRaw(d *drm.Device, arg vgemAttach) (id uint32, err error) {
	err = opVgemAttach.Do(d.FD(), &arg)
	return arg.ID, err
}

// TestVGEMBasic passes if vgem's fences are as IGT's vgem_basic has them: the
// other tests here stand on them.
//
// Cases D05, D07, D08
func TestVGEMBasic(t *testing.T) {
	t.Run("dmabuf-fence", func(t *testing.T) {
		guard(t)
		d, o, b := vgem(t)
		wantIdle(t, "at first", b, true, true)
		f := drmtest.AttachFence(t, d, o.Handle, false)
		wantIdle(t, "while reading", b, true, false)
		f.Signal(t)
		wantIdle(t, "after reading", b, true, true)
		f = drmtest.AttachFence(t, d, o.Handle, true)
		wantIdle(t, "while writing", b, false, false)
		f.Signal(t)
		wantIdle(t, "after writing", b, true, true)
	})
	t.Run("busy-fence", func(t *testing.T) {
		guard(t)
		d, o, _ := vgem(t)
		f := drmtest.AttachFence(t, d, o.Handle, false)
		defer f.Signal(t)
		if _, err := attachRaw(d, vgemAttach{Handle: uint32(o.Handle), Flags: 1}); err != syscall.EBUSY {
			t.Errorf("write over read: %v, want EBUSY", err)
		}
	})
	for name, test := range map[string]struct {
		arg  vgemAttach
		want error
	}{
		"bad-flag":   {vgemAttach{Flags: 0xbadc0de}, syscall.EINVAL},
		"bad-pad":    {vgemAttach{Pad: 1}, syscall.EINVAL},
		"bad-handle": {vgemAttach{Handle: 0xfffffffe}, syscall.ENOENT},
	} {
		t.Run(name, func(t *testing.T) {
			guard(t)
			d, o, _ := vgem(t)
			if test.arg.Handle == 0 {
				test.arg.Handle = uint32(o.Handle)
			}
			if _, err := attachRaw(d, test.arg); err != test.want {
				t.Errorf("%v, want %v", err, test.want)
			}
		})
	}
	t.Run("bad-fence", func(t *testing.T) {
		guard(t)
		d, _, _ := vgem(t)
		if err := opVgemSignal.Do(d.FD(), &vgemSignal{Fence: 0xffffffff}); err != syscall.ENOENT {
			t.Errorf("unknown: %v, want ENOENT", err)
		}
		if err := opVgemSignal.Do(d.FD(), &vgemSignal{Fence: 1, Flags: ^uint32(0)}); err != syscall.EINVAL {
			t.Errorf("flags: %v, want EINVAL", err)
		}
	})
}

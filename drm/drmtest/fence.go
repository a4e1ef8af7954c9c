package drmtest

import (
	"structs"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/ioctl"
)

// The private ioctls of vgem, <drm/vgem_drm.h>.
type vgemFenceAttach struct {
	_        structs.HostLayout
	Handle   uint32
	Flags    uint32
	OutFence uint32
	Pad      uint32
}

type vgemFenceSignal struct {
	_     structs.HostLayout
	Fence uint32
	Flags uint32
}

const vgemFenceWrite = 1

var (
	opVgemAttach = ioctl.ReadWrite[vgemFenceAttach]("VGEM_FENCE_ATTACH", 'd', 0x41)
	opVgemSignal = ioctl.Write[vgemFenceSignal]("VGEM_FENCE_SIGNAL", 'd', 0x42)
)

// Fence is a fence that vgem has put on an object's memory, as if it read or
// wrote it until the signal. The kernel signals it after ten seconds, and when
// the device is closed.
type Fence struct {
	dev *drm.Device
	id  uint32
}

// AttachFence puts a fence on an object of a vgem device: for reading, or for
// writing.
func AttachFence(t TB, dev *drm.Device, h drm.Handle, write bool) Fence {
	t.Helper()
	arg := vgemFenceAttach{Handle: uint32(h)}
	if write {
		arg.Flags = vgemFenceWrite
	}
	if err := opVgemAttach.Do(dev.FD(), &arg); err != nil {
		t.Fatalf("%s: %v", opVgemAttach.Name(), err)
	}
	return Fence{dev, arg.OutFence}
}

// Signal ends the fence, once.
func (f Fence) Signal(t TB) {
	t.Helper()
	if err := opVgemSignal.Do(f.dev.FD(), &vgemFenceSignal{Fence: f.id}); err != nil {
		t.Errorf("%s: %v", opVgemSignal.Name(), err)
	}
}

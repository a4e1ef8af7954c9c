package drm_test

import (
	"errors"
	"os"
	"syscall"
	"testing"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/drmtest"
)

// TestMaster passes if a Device that is merely open does not keep others from
// becoming DRM master, and one that was asked to be master is.
func TestMaster(t *testing.T) {
	for _, driver := range []string{"vkms", "virtio_gpu"} {
		t.Run(driver, func(t *testing.T) {
			drmtest.CheckLeaks(t)
			first := drmtest.RequireDevice(t, driver)
			second, err := drm.Open(first.Path(), drm.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer second.Close()
			if err := second.SetMaster(); err != nil {
				t.Errorf("second opener: %v", err)
			}
			if err := first.SetMaster(); !errors.Is(err, syscall.EBUSY) {
				t.Errorf("SetMaster beside a master: %v, want EBUSY", err)
			}
			if err := second.DropMaster(); err != nil {
				t.Error(err)
			}
			keeper, err := drm.Open(first.Path(), drm.Options{KeepMaster: true})
			if err != nil {
				t.Fatal(err)
			}
			defer keeper.Close()
			if err := first.SetMaster(); !errors.Is(err, syscall.EBUSY) {
				t.Errorf("SetMaster beside a kept master: %v, want EBUSY", err)
			}
		})
	}
}

// TestFromFile passes if a Device made of a file works, leaves the file open
// and usable, and has not changed who is master.
func TestFromFile(t *testing.T) {
	drmtest.CheckLeaks(t)
	path := drmtest.RequireDevice(t, "vkms").Path()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	dev, err := drm.FromFile(f)
	if err != nil {
		t.Fatal(err)
	}
	// Opening made f's description master, and dev shares it.
	if err := dev.DropMaster(); err != nil {
		t.Errorf("the shared master status was touched: %v", err)
	}
	if v, err := dev.Version(); err != nil || v.Name != "vkms" {
		t.Errorf("VERSION: %+v, %v", v, err)
	}
	if err := dev.Close(); err != nil {
		t.Error(err)
	}
	if _, err := f.Stat(); err != nil {
		t.Errorf("the file is not usable after the device's Close: %v", err)
	}
	if _, err := dev.Version(); !errors.Is(err, drm.ErrClosed) {
		t.Errorf("VERSION of a closed device: %v, want ErrClosed", err)
	}
}

// TestCaps passes if caps and client caps are asked for with their own
// ioctls, and an unknown one is EINVAL.
func TestCaps(t *testing.T) {
	drmtest.CheckLeaks(t)
	dev := drmtest.RequireDevice(t, "vkms")
	if v, err := dev.Cap(drm.CapDumbBuffer); err != nil || v != 1 {
		t.Errorf("CapDumbBuffer: %d, %v, want 1", v, err)
	}
	if _, err := dev.Cap(drm.Cap(0x7fff)); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("unknown cap: %v, want EINVAL", err)
	}
	if err := dev.SetClientCap(drm.ClientCapWritebackConnectors, 1); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("writeback before atomic: %v, want EINVAL", err)
	}
	for _, c := range []drm.ClientCap{drm.ClientCapAtomic, drm.ClientCapWritebackConnectors} {
		if err := dev.SetClientCap(c, 1); err != nil {
			t.Error(err)
		}
	}
}

// TestOpenUnprivileged passes if Open works for a user who may not drop a
// master status that he does not have: the kernel answers EACCES where root
// gets EINVAL.
func TestOpenUnprivileged(t *testing.T) {
	path := drmtest.RequireDevice(t, "vkms").Path()
	const dropMaster = 0x641f
	drmtest.Intercept(t, func(c drmtest.Call) (syscall.Errno, bool) {
		return syscall.EACCES, c.Request == dropMaster
	})
	dev, err := drm.Open(path, drm.Options{})
	if err != nil {
		t.Fatal(err)
	}
	dev.Close()
}

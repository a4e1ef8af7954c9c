package drm_test

import (
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/drm/ioctl"
)

// memfd opens a descriptor that is no device of any kind.
func memfd(t *testing.T) *ioctl.FD {
	t.Helper()
	n, err := unix.MemfdCreate("drm", unix.MFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	fd := ioctl.NewFD(n)
	t.Cleanup(func() { fd.Close() })
	return fd
}

// answering makes a device whose ioctls answer answers, all of them.
func answering(t *testing.T, answer func(drmtest.Call) syscall.Errno) *drm.Device {
	t.Helper()
	d := drm.NewTestDevice(memfd(t), "/dev/dri/card9", drm.NodePrimary)
	drmtest.Intercept(t, func(c drmtest.Call) (syscall.Errno, bool) { return answer(c), true })
	return d
}

package drm_test

import (
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/drm/internal/uapi"
	"github.com/gemtool/gemtool/drm/ioctl"
)

// fakeDevice is a device that answers as its fields say, for answers that no
// kernel can be made to give.
type fakeDevice struct {
	*drm.Device
	calls map[string]int

	name   string
	create func(*uapi.ModeCreateDumb) syscall.Errno
	errno  map[uint32]syscall.Errno // by request
}

func newFake(t *testing.T, kind drm.NodeKind) *fakeDevice {
	t.Helper()
	n, err := unix.MemfdCreate("drm", unix.MFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	f := &fakeDevice{calls: map[string]int{}, errno: map[uint32]syscall.Errno{}, name: "fake"}
	f.Device = drm.NewTestDevice(ioctl.NewFD(n), "/dev/dri/card9", kind)
	t.Cleanup(func() { f.Close() })
	drmtest.Intercept(t, f.answer)
	return f
}

func (f *fakeDevice) answer(c drmtest.Call) (syscall.Errno, bool) {
	switch c.Request {
	case uapi.OpVersion.Request():
		f.calls["VERSION"]++
	case uapi.OpModeCreateDumb.Request():
		f.calls["CREATE"]++
	case uapi.OpModeDestroyDumb.Request():
		f.calls["DESTROY"]++
	}
	if errno, ok := f.errno[c.Request]; ok {
		return errno, true
	}
	switch c.Request {
	case uapi.OpVersion.Request():
		v := drmtest.Arg[uapi.Version](c)
		room := v.NameLen
		v.NameLen = uintptr(len(f.name))
		v.DateLen, v.DescLen = 0, 0
		v.Major = 1
		if room < v.NameLen {
			return 0, true
		}
		writeUser(v.Name, f.name)
	case uapi.OpModeCreateDumb.Request():
		return f.create(drmtest.Arg[uapi.ModeCreateDumb](c)), true
	}
	return 0, true
}

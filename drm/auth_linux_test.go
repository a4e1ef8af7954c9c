package drm_test

import (
	"errors"
	"runtime"
	"structs"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/drm/ioctl"
)

// getClient is struct drm_client, of an ioctl that this package leaves out: it
// says nothing of anybody but the caller, and nobody but tests asks it.
type getClient struct {
	_     structs.HostLayout
	Idx   int32
	Auth  int32
	PID   uintptr
	UID   uintptr
	Magic uintptr
	IOCs  uintptr
}

var opGetClient = ioctl.ReadWrite[getClient]("GET_CLIENT", 'd', 0x05)

// authenticated says whether a file is.
func authenticated(t *testing.T, d *drm.Device) bool {
	t.Helper()
	var arg getClient
	if err := opGetClient.Do(d.FD(), &arg); err != nil {
		t.Fatal(err)
	}
	return arg.Auth != 0
}

// openAgain opens the node of d once more.
func openAgain(t *testing.T, d *drm.Device, opt drm.Options) *drm.Device {
	t.Helper()
	other, err := drm.Open(d.Path(), opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { other.Close() })
	return other
}

// openUnprivileged opens the node of d once more without CAP_SYS_ADMIN, whose
// files are authenticated from the start.
func openUnprivileged(t *testing.T, d *drm.Device) *drm.Device {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var caps [2]unix.CapUserData
	if err := unix.Capget(&header, &caps[0]); err != nil {
		t.Fatal(err)
	}
	less := caps
	less[0].Effective &^= 1 << unix.CAP_SYS_ADMIN
	if err := unix.Capset(&header, &less[0]); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := unix.Capset(&header, &caps[0]); err != nil {
			panic(err) // the thread goes back to others
		}
	}()
	return openAgain(t, d, drm.Options{})
}

// TestCoreAuth is IGT's core_auth.
func TestCoreAuth(t *testing.T) {
	t.Run("getclient-simple", func(t *testing.T) {
		drmtest.CheckLeaks(t)
		if !authenticated(t, openAgain(t, drmtest.RequireDevice(t, "vkms"), drm.Options{KeepMaster: true})) {
			t.Error("the master is not authenticated")
		}
	})
	t.Run("getclient-master-drop", func(t *testing.T) {
		drmtest.CheckLeaks(t)
		master := openAgain(t, drmtest.RequireDevice(t, "vkms"), drm.Options{KeepMaster: true})
		client := openUnprivileged(t, master)
		if !authenticated(t, master) || authenticated(t, client) {
			t.Error("the master is not authenticated, or another file is")
		}
		if err := master.DropMaster(); err != nil {
			t.Error(err)
		}
		if !authenticated(t, master) || authenticated(t, client) {
			t.Error("dropping master changed who is authenticated")
		}
	})
	t.Run("basic-auth", func(t *testing.T) {
		drmtest.CheckLeaks(t)
		master := openAgain(t, drmtest.RequireDevice(t, "vkms"), drm.Options{KeepMaster: true})
		client := openUnprivileged(t, master)
		magic, err := client.GetMagic()
		if err != nil {
			t.Fatal(err)
		}
		if again, err := client.GetMagic(); again != magic || err != nil {
			t.Errorf("second look: %v, %v, want %v", again, err, magic)
		}
		if err := client.AuthMagic(magic); !errors.Is(err, drm.ErrPermission) {
			t.Errorf("a client authenticates itself: %v, want ErrPermission", err)
		}
		if authenticated(t, client) {
			t.Error("authenticated before the master did it")
		}
		if err := master.AuthMagic(magic); err != nil {
			t.Error(err)
		}
		if !authenticated(t, client) {
			t.Error("not authenticated")
		}
		for _, wrong := range []drm.Magic{magic, 0, 0xffff} {
			if err := master.AuthMagic(wrong); !errors.Is(err, syscall.EINVAL) {
				t.Errorf("%v, used up or nobody's: %v, want EINVAL", wrong, err)
			}
		}
	})
	t.Run("many-magics", func(t *testing.T) {
		drmtest.CheckLeaks(t)
		master := openAgain(t, drmtest.RequireDevice(t, "vkms"), drm.Options{KeepMaster: true})
		var last drm.Magic
		for range 64 {
			client := openUnprivileged(t, master)
			magic, err := client.GetMagic()
			if err != nil || magic <= last {
				t.Fatalf("%v after %v, %v", magic, last, err)
			}
			last = magic
			if err := master.AuthMagic(magic); err != nil || !authenticated(t, client) {
				t.Fatalf("%v: %v", magic, err)
			}
		}
	})
}

// TestMagicRender passes if a render node, which needs no authentication,
// has no magic.
func TestMagicRender(t *testing.T) {
	d := drmtest.RequireNode(t, "vgem", drm.NodeRender)
	if _, err := d.GetMagic(); !errors.Is(err, unix.EACCES) || !errors.Is(err, drm.ErrPermission) {
		t.Errorf("%v, want EACCES", err)
	}
}

package drm_test

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/drmtest"
)

// nobody is a user without privileges.
const nobody = 65534

// dropSet gives up and takes back the master status.
func dropSet(t *testing.T, d *drm.Device) {
	t.Helper()
	if err := d.DropMaster(); err != nil {
		t.Error(err)
	}
	if is, err := d.IsMaster(); is || err != nil {
		t.Errorf("master after the drop: %v, %v", is, err)
	}
	if err := d.SetMaster(); err != nil {
		t.Error(err)
	}
	if is, err := d.IsMaster(); !is || err != nil {
		t.Errorf("master after the set: %v, %v", is, err)
	}
}

// TestCoreSetmaster is IGT's core_setmaster.
func TestCoreSetmaster(t *testing.T) {
	if os.Getenv("DRM_TEST_CHILD") != "" {
		setmasterChild(t)
		return
	}
	if os.Geteuid() != 0 {
		t.Skip("it takes root to become nobody")
	}
	t.Run("master-drop-set-root", func(t *testing.T) {
		drmtest.CheckLeaks(t)
		dropSet(t, openAgain(t, drmtest.RequireDevice(t, "vkms"), drm.Options{KeepMaster: true}))
	})
	t.Run("master-drop-set-user", func(t *testing.T) {
		drmtest.CheckLeaks(t)
		path := drmtest.RequireDevice(t, "vkms").Path()
		done := make(chan struct{})
		go func() {
			defer close(done)
			// The thread becomes nobody's and ends with the goroutine.
			runtime.LockOSThread()
			d, err := drm.Open(path, drm.Options{KeepMaster: true})
			if err != nil {
				t.Error(err)
				return
			}
			defer d.Close()
			if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, nobody, nobody, nobody); errno != 0 {
				t.Errorf("setresuid: %v", errno)
				return
			}
			dropSet(t, d)
		}()
		<-done
	})
	t.Run("master-drop-set-shared-fd", func(t *testing.T) {
		drmtest.CheckLeaks(t)
		path := drmtest.RequireDevice(t, "vkms").Path()
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		d, err := drm.FromFile(f)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		if is, err := d.IsMaster(); !is || err != nil {
			t.Fatalf("master after the open: %v, %v", is, err)
		}
		cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^TestCoreSetmaster$")
		cmd.Env = append(os.Environ(), "DRM_TEST_CHILD=1")
		cmd.ExtraFiles = []*os.File{f}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		cmd.Dir = "/"
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("child: %v\n%s", err, out)
		}
		if is, err := d.IsMaster(); !is || err != nil {
			t.Errorf("master after the child's attempts: %v, %v", is, err)
		}
	})
}

// setmasterChild is nobody, and has its parent's file.
func setmasterChild(t *testing.T) {
	f := os.NewFile(3, "shared")
	defer f.Close()
	d, err := drm.FromFile(f)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for what, err := range map[string]error{"DropMaster": d.DropMaster(), "SetMaster": d.SetMaster()} {
		if !errors.Is(err, drm.ErrPermission) {
			t.Errorf("%s by another user: %v, want ErrPermission", what, err)
		}
	}
}

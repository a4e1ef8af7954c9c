package kms_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/fourcc"
	"github.com/gemtool/gemtool/drm/internal/uapi"
	"github.com/gemtool/gemtool/drm/ioctl"
	"github.com/gemtool/gemtool/drm/kms"
)

// opModeGetFB is the ioctl before GETFB2. This module does not bind it: it
// cannot say formats, and hides what has more than one plane.
var opModeGetFB = ioctl.ReadWrite[uapi.ModeFBCmd]("MODE_GETFB", 'd', 0xad)

// TestKMSGetFB is IGT's kms_getfb. Every subtest passes on every device if
// the answers are IGT's. Older IGTs have getfb-reject-ccs and
// getfb2-accept-ccs in the place of those with nv12: they need the compressed
// memory of Intel's drivers.
func TestKMSGetFB(t *testing.T) {
	if os.Getenv(fbChildEnv) != "" {
		fbChild(t)
		return
	}
	cards := igtCards(t)
	for _, test := range []struct {
		name string
		run  func(*testing.T, card)
	}{
		{"getfb-handle-zero", func(t *testing.T, c card) { c.getFBErr(t, 0, syscall.ENOENT) }},
		{"getfb-handle-valid", getFBValid},
		{"getfb-handle-closed", func(t *testing.T, c card) { c.getFBErr(t, c.closedFB(t), syscall.ENOENT) }},
		{"getfb-handle-not-fb", func(t *testing.T, c card) { c.getFBErr(t, c.property(t), syscall.ENOENT) }},
		{"getfb-addfb-different-handles", func(t *testing.T, c card) {
			if h := c.getFB(t, tempFB(t, c)); h == uint32(c.bo) {
				t.Errorf("handle %d is that of ADDFB2", h)
			}
		}},
		{"getfb-repeated-different-handles", func(t *testing.T, c card) {
			fb := tempFB(t, c)
			if a, b := c.getFB(t, fb), c.getFB(t, fb); a == b {
				t.Errorf("handle %d twice", a)
			}
		}},
		{"getfb-reject-nv12", func(t *testing.T, c card) { c.getFBErr(t, c.nv12(t), syscall.EINVAL) }},
		{"getfb2-handle-zero", func(t *testing.T, c card) { c.getFB2Err(t, 0) }},
		{"getfb2-handle-closed", func(t *testing.T, c card) { c.getFB2Err(t, c.closedFB(t)) }},
		{"getfb2-handle-not-fb", func(t *testing.T, c card) { c.getFB2Err(t, c.property(t)) }},
		{"getfb2-accept-nv12", getFB2NV12},
		{"getfb2-into-addfb2", getFB2Again},
		{"getfb-handle-protection", func(t *testing.T, c card) { protected(t, c, "getfb") }},
		{"getfb2-handle-protection", func(t *testing.T, c card) { protected(t, c, "getfb2") }},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, c := range cards {
				if !strings.HasSuffix(test.name, "nv12") {
					t.Run(c.driver, func(t *testing.T) { test.run(t, c) })
					continue
				}
				// vkms has it in 7.2, and no other driver of the VM.
				if !c.formats[fourcc.NV12] && old(t) {
					t.Skip("NOT TESTED: no driver of the VM has NV12 on Linux 6.1 and 6.12")
				}
				if c.driver == "vkms" {
					t.Run(c.driver, func(t *testing.T) { test.run(t, c) })
				}
			}
		})
	}
}

// old says whether this is one of the kernels that the VM has besides the
// newest.
func old(t *testing.T) bool {
	t.Helper()
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		t.Fatal(err)
	}
	release := unix.ByteSliceToString(name.Release[:])
	return strings.HasPrefix(release, "6.1.") || strings.HasPrefix(release, "6.12.")
}

func (c card) getFB(t *testing.T, id kms.FBID) (handle uint32) {
	t.Helper()
	arg := uapi.ModeFBCmd{FBID: uint32(id)}
	if err := opModeGetFB.Do(c.FD(), &arg); err != nil {
		t.Fatal(err)
	}
	if arg.Handle == 0 {
		t.Error("no handle")
	}
	t.Cleanup(func() { c.CloseHandle(drm.Handle(arg.Handle)) })
	return arg.Handle
}

func (c card) getFBErr(t *testing.T, id kms.FBID, want error) {
	t.Helper()
	if err := opModeGetFB.Do(c.FD(), &uapi.ModeFBCmd{FBID: uint32(id)}); err != want {
		t.Errorf("%v: %v, want %v", id, err, want)
	}
}

func (c card) getFB2Err(t *testing.T, id kms.FBID) {
	t.Helper()
	if _, err := kms.GetFB2(c.Device, id); !errors.Is(err, syscall.ENOENT) {
		t.Errorf("%v: %v, want ENOENT", id, err)
	}
}

// closedFB is the number of a framebuffer that is no more.
func (c card) closedFB(t *testing.T) kms.FBID {
	t.Helper()
	id, err := kms.AddFB2(c.Device, c.fb(1024, 1024, 4096))
	if err != nil {
		t.Fatal(err)
	}
	if err := kms.RmFB(c.Device, id); err != nil {
		t.Fatal(err)
	}
	return id
}

// property is the number of an object that is no framebuffer.
func (c card) property(t *testing.T) kms.FBID {
	t.Helper()
	r, err := kms.ReadResources(c.Device)
	if err != nil || len(r.Connectors) == 0 {
		t.Fatalf("%+v, %v", r, err)
	}
	props, err := kms.ReadProperties(c.Device, r.Connectors[0].Object())
	if err != nil || props["DPMS"].ID == 0 {
		t.Fatalf("%+v, %v", props, err)
	}
	return kms.FBID(props["DPMS"].ID)
}

func getFBValid(t *testing.T, c card) {
	arg := uapi.ModeFBCmd{FBID: uint32(tempFB(t, c))}
	if err := opModeGetFB.Do(c.FD(), &arg); err != nil {
		t.Fatal(err)
	}
	handle := arg.Handle
	arg.FBID, arg.Handle = 0, 0
	if want := (uapi.ModeFBCmd{Width: 1024, Height: 1024, Pitch: 4096, BPP: 32, Depth: 24}); arg != want || handle == 0 {
		t.Errorf("%+v, handle %d, want %+v", arg, handle, want)
	}
	if err := c.CloseHandle(drm.Handle(handle)); err != nil {
		t.Error(err)
	}
}

// nv12FB is a framebuffer of two planes in one buffer.
func (c card) nv12FB() kms.FB {
	return kms.FB{Width: 512, Height: 512, Format: fourcc.NV12, Modifier: fourcc.ModLinear, Planes: []kms.FBPlane{
		{Handle: c.bo, Pitch: 512}, {Handle: c.bo, Pitch: 512, Offset: 512 * 512},
	}}
}

func (c card) nv12(t *testing.T) kms.FBID {
	t.Helper()
	id, err := kms.AddFB2(c.Device, c.nv12FB())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kms.RmFB(c.Device, id) })
	return id
}

func getFB2NV12(t *testing.T, c card) {
	got, err := kms.GetFB2(c.Device, c.nv12(t))
	if err != nil {
		t.Fatal(err)
	}
	h := got.Planes[0].Handle
	if h == 0 || h == c.bo {
		t.Errorf("%v, where ADDFB2 got %v", h, c.bo)
	}
	want := c.nv12FB()
	for i := range want.Planes {
		want.Planes[i].Handle = h // one object, one handle
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if err := c.CloseHandle(h); err != nil {
		t.Error(err)
	}
}

func getFB2Again(t *testing.T, c card) {
	fb, err := kms.GetFB2(c.Device, tempFB(t, c))
	if err != nil {
		t.Fatal(err)
	}
	if fb.Planes[0].Handle == 0 {
		t.Error("no handle")
	}
	c.adds(t, fb)
	if err := c.CloseHandle(fb.Planes[0].Handle); err != nil {
		t.Error(err)
	}
}

// fbChildEnv tells a child of the tests what to ask.
const fbChildEnv = "KMS_TEST_GETFB"

// protected passes if a client that is neither the master nor privileged is
// told everything of its own framebuffer but a handle.
func protected(t *testing.T, c card, call string) {
	f, err := os.OpenFile(c.Path(), os.O_RDWR, 0) // beside the master, so it is none
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	d, err := drm.FromFile(f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	b, err := d.CreateDumb(1024, 1024, 32)
	if err != nil {
		t.Fatal(err)
	}
	c.Device, c.bo = d, b.Handle
	fb := tempFB(t, c)
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^TestKMSGetFB$")
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d", fbChildEnv, call, fb))
	cmd.ExtraFiles = []*os.File{f}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 1000, Gid: 1000}}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("child: %v\n%s", err, out)
	}
}

func fbChild(t *testing.T) {
	var call string
	var id kms.FBID
	if _, err := fmt.Sscan(os.Getenv(fbChildEnv), &call, (*uint32)(&id)); err != nil {
		t.Fatal(err)
	}
	d, err := drm.FromFile(os.NewFile(3, "the parent's"))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if os.Getuid() != 1000 {
		t.Errorf("user %d", os.Getuid())
	}
	if call == "getfb" {
		arg := uapi.ModeFBCmd{FBID: uint32(id)}
		if err := opModeGetFB.Do(d.FD(), &arg); err != nil || arg.Handle != 0 || arg.Width != 1024 {
			t.Errorf("%+v, %v", arg, err)
		}
		return
	}
	fb, err := kms.GetFB2(d, id)
	if err != nil || fb.Width != 1024 || len(fb.Planes) != 1 || fb.Planes[0].Handle != 0 || fb.Planes[0].Pitch != 4096 {
		t.Errorf("%+v, %v", fb, err)
	}
}

package kms_test

import (
	"errors"
	"syscall"
	"testing"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/drm/fourcc"
	"github.com/gemtool/gemtool/drm/kms"
)

// calls are all calls of this package, about objects that do not exist.
var calls = []struct {
	name    string
	master  bool  // only for the master
	unknown error // for a number that nothing has, nil: it has no number
	call    func(*drm.Device) error
}{
	{"ReadResources", false, nil, func(d *drm.Device) error { _, err := kms.ReadResources(d); return err }},
	{"ReadPlanes", false, nil, func(d *drm.Device) error { _, err := kms.ReadPlanes(d); return err }},
	{"ReadPlane", false, syscall.ENOENT, func(d *drm.Device) error { _, err := kms.ReadPlane(d, none); return err }},
	{"ReadCRTC", false, syscall.ENOENT, func(d *drm.Device) error { _, err := kms.ReadCRTC(d, none); return err }},
	{"ReadConnector", false, syscall.ENOENT, func(d *drm.Device) error { _, err := kms.ReadConnector(d, none); return err }},
	{"ProbeConnector", false, syscall.ENOENT, func(d *drm.Device) error { _, err := kms.ProbeConnector(d, none); return err }},
	{"ReadEncoder", false, syscall.ENOENT, func(d *drm.Device) error { _, err := kms.ReadEncoder(d, none); return err }},
	{"ReadProperty", false, syscall.ENOENT, func(d *drm.Device) error { _, err := kms.ReadProperty(d, none); return err }},
	{"ReadProperties", false, syscall.ENOENT, func(d *drm.Device) error {
		_, err := kms.ReadProperties(d, kms.AnyObject(none))
		return err
	}},
	{"SetProperty", true, syscall.ENOENT, func(d *drm.Device) error { return kms.SetProperty(d, kms.AnyObject(none), 1, 0) }},
	{"ReadBlob", false, syscall.ENOENT, func(d *drm.Device) error { _, err := kms.ReadBlob(d, none); return err }},
	{"CreateBlob", false, syscall.EINVAL, func(d *drm.Device) error { _, err := kms.CreateBlob(d, nil); return err }},
	{"DestroyBlob", false, syscall.ENOENT, func(d *drm.Device) error { return kms.DestroyBlob(d, none) }},
	{"AddFB", false, syscall.EINVAL, func(d *drm.Device) error { _, err := kms.AddFB(d, kms.LegacyFB{}); return err }},
	{"AddFB2", false, syscall.EINVAL, func(d *drm.Device) error {
		_, err := kms.AddFB2(d, kms.FB{Format: fourcc.XRGB8888, Planes: make([]kms.FBPlane, 1)})
		return err
	}},
	{"RmFB", false, syscall.ENOENT, func(d *drm.Device) error { return kms.RmFB(d, none) }},
	{"CloseFB", false, syscall.ENOENT, func(d *drm.Device) error { return kms.CloseFB(d, none) }},
	{"DirtyFB", true, syscall.ENOENT, func(d *drm.Device) error { return kms.DirtyFB(d, none) }},
	{"SetCRTC", true, syscall.ENOENT, func(d *drm.Device) error { return kms.SetCRTC(d, none, kms.CRTCSetup{}) }},
	{"PageFlip", true, syscall.ENOENT, func(d *drm.Device) error { return kms.PageFlip(d, none, kms.Flip{}) }},
	{"SetPlane", true, syscall.ENOENT, func(d *drm.Device) error { return kms.SetPlane(d, none, kms.PlaneSetup{}) }},
	{"SetCursor", true, syscall.ENOENT, func(d *drm.Device) error { return kms.SetCursor(d, none, kms.Cursor{}) }},
	{"MoveCursor", true, syscall.ENOENT, func(d *drm.Device) error { return kms.MoveCursor(d, none, 0, 0) }},
	{"ReadGamma", false, syscall.ENOENT, func(d *drm.Device) error { _, err := kms.ReadGamma(d, none, 0); return err }},
	{"SetGamma", true, syscall.ENOENT, func(d *drm.Device) error { return kms.SetGamma(d, none, kms.Gamma{}) }},
	{"Commit", true, syscall.ENOENT, func(d *drm.Device) error {
		if err := d.SetClientCap(drm.ClientCapAtomic, 1); err != nil && !errors.Is(err, drm.ErrNotSupported) {
			return err
		}
		var r kms.Request
		r.Set(kms.AnyObject(none), 1, 1)
		return r.Commit(d, kms.CommitTestOnly)
	}},
	{"CreateLease", true, syscall.ENOENT, func(d *drm.Device) error {
		_, _, err := kms.CreateLease(d, []kms.Object{kms.AnyObject(none)})
		return err
	}},
	{"ListLessees", true, nil, func(d *drm.Device) error { _, err := kms.ListLessees(d); return err }},
	{"GetLease", true, nil, func(d *drm.Device) error { _, err := kms.GetLease(d); return err }},
	{"RevokeLease", true, syscall.ENOENT, func(d *drm.Device) error { return kms.RevokeLease(d, none) }},
}

// none is a number that no object of the VM has.
const none = 0xffff

// TestCallsRefused passes if every call answers as its doc comment says on a
// device without modesetting, to a client that is not the master, and for an
// object that does not exist.
func TestCallsRefused(t *testing.T) {
	drmtest.GuardKernelLog(t)
	drmtest.CheckLeaks(t)
	open := func(driver string, opt drm.Options) *drm.Device {
		d, err := drm.Open(drmtest.RequireDevice(t, driver).Path(), opt)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { d.Close() })
		return d
	}
	master := drm.Options{KeepMaster: true}
	vgem, vkms, guest := open("vgem", master), open("vkms", master), open("vkms", drm.Options{})
	for _, c := range calls {
		if err := c.call(vgem); !errors.Is(err, drm.ErrNotSupported) {
			t.Errorf("%s without modesetting: %v", c.name, err)
		}
		if err := c.call(vkms); !errors.Is(err, c.unknown) {
			t.Errorf("%s of nothing: %v, want %v", c.name, err, c.unknown)
		}
		want := c.unknown
		if c.master {
			want = syscall.EACCES
		}
		if err := c.call(guest); !errors.Is(err, want) {
			t.Errorf("%s without being master: %v, want %v", c.name, err, want)
		}
	}
	if _, err := kms.GetFB2(vgem, none); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("GetFB2 without modesetting: %v, want EINVAL", err)
	}
}

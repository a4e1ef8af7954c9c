package kms_test

import (
	"context"
	"errors"
	"image"
	"math"
	"strings"
	"syscall"
	"testing"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/drm/internal/uapi"
	"github.com/gemtool/gemtool/drm/kms"
)

// TestReadBackRefused passes if ReadBack says why a device cannot do it, and
// changes nothing.
func TestReadBackRefused(t *testing.T) {
	for driver, want := range map[string]error{
		"bochs-drm":  kms.ErrNoWriteback,
		"virtio_gpu": kms.ErrNoWriteback,
		"vgem":       drm.ErrNotSupported,
	} {
		t.Run(driver, func(t *testing.T) {
			drmtest.CheckLeaks(t)
			d := drmtest.RequireDevice(t, driver)
			if err := kms.ReadBack(t.Context(), d, 1, 1, 64, 64); !errors.Is(err, want) {
				t.Errorf("%v, want %v", err, want)
			}
			if is, _ := d.IsMaster(); is {
				t.Error("master after a refusal")
			}
		})
	}
	t.Run("size", func(t *testing.T) {
		d := drmtest.RequireDevice(t, "vkms")
		for _, size := range [][2]int{{0, 64}, {64, -1}, {9, 64}, {8193, 64}, {64, math.MaxInt}, {64, math.MaxInt32}} {
			if err := kms.ReadBack(t.Context(), d, 1, 1, size[0], size[1]); !errors.Is(err, drm.ErrRange) {
				t.Errorf("%v: %v, want ErrRange", size, err)
			}
		}
	})
	t.Run("framebuffer", func(t *testing.T) {
		drmtest.CheckLeaks(t)
		d := drmtest.RequireDevice(t, "vkms")
		size := image.Pt(64, 64)
		p := newPicture(t, d, size)
		before := state(t, d.Path())
		if err := kms.ReadBack(t.Context(), d, 0xffff, p.fb, size.X, size.Y); !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.ENOENT) {
			t.Errorf("an unknown framebuffer: %v", err)
		}
		if err := kms.ReadBack(t.Context(), d, p.fb, p.fb, 65, 64); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("a mode larger than the framebuffer: %v, want ENOSPC", err)
		}
		compareState(t, before, state(t, d.Path()))
	})
}

// TestReadBackBusy passes if ReadBack takes nothing from a display server,
// whether it is the master or has only left its picture on the screen.
func TestReadBackBusy(t *testing.T) {
	drmtest.CheckLeaks(t)
	size := image.Pt(64, 64)
	d := drmtest.RequireDevice(t, "vkms")
	in, out := newPicture(t, d, size), newPicture(t, d, size)
	server, err := drm.Open(d.Path(), drm.Options{KeepMaster: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	if err := kms.ReadBack(t.Context(), d, in.fb, out.fb, size.X, size.Y); !errors.Is(err, kms.ErrBusy) || !errors.Is(err, syscall.EBUSY) {
		t.Errorf("beside a master: %v, want ErrBusy", err)
	}
	shown := newPicture(t, server, size)
	hide := show(t, server, shown.fb, size)
	// Where the kernel has no console of its own, a CRTC stays on without a
	// picture.
	t.Cleanup(func() {
		if err := errors.Join(server.SetMaster(), hide()); err != nil {
			t.Error(err)
		}
	})
	if err := server.DropMaster(); err != nil {
		t.Fatal(err)
	}
	before := state(t, d.Path())
	if err := kms.ReadBack(t.Context(), d, in.fb, out.fb, size.X, size.Y); !errors.Is(err, kms.ErrBusy) {
		t.Errorf("beside a picture: %v, want ErrBusy", err)
	}
	compareState(t, before, state(t, d.Path()))
}

// show has a vkms show a framebuffer as a display server does, with what this
// package exports. It returns what switches all of it off.
func show(t *testing.T, d *drm.Device, fb kms.FBID, size image.Point) (hide func() error) {
	t.Helper()
	if err := d.SetClientCap(drm.ClientCapAtomic, 1); err != nil {
		t.Fatal(err)
	}
	r, err := kms.ReadResources(d)
	if err != nil {
		t.Fatal(err)
	}
	planes, err := kms.ReadPlanes(d)
	if err != nil {
		t.Fatal(err)
	}
	mode, err := kms.CreateBlob(d, kms.ModeBlob(size.X, size.Y))
	if err != nil {
		t.Fatal(err)
	}
	crtc, plane, connector := r.CRTCs[0], planes[0].ID, r.Connectors[0]
	var req, off kms.Request
	set := func(o kms.Object, values map[string]uint64) {
		props, err := kms.ReadProperties(d, o)
		if err != nil {
			t.Fatal(err)
		}
		for name, v := range values {
			req.Set(o, props[name].ID, v)
			off.Set(o, props[name].ID, 0)
		}
	}
	w, h := uint64(size.X), uint64(size.Y)
	set(connector.Object(), map[string]uint64{"CRTC_ID": uint64(crtc)})
	set(crtc.Object(), map[string]uint64{"ACTIVE": 1, "MODE_ID": uint64(mode)})
	set(plane.Object(), map[string]uint64{
		"FB_ID": uint64(fb), "CRTC_ID": uint64(crtc),
		// A plane that is off keeps the place that it had.
		"CRTC_X": 0, "CRTC_Y": 0, "CRTC_W": w, "CRTC_H": h,
		"SRC_X": 0, "SRC_Y": 0, "SRC_W": w << 16, "SRC_H": h << 16,
	})
	if err := req.Commit(d, kms.CommitTestOnly|kms.CommitAllowModeset); err != nil {
		t.Fatal(err)
	}
	if err := req.Commit(d, kms.CommitAllowModeset); err != nil {
		t.Fatal(err)
	}
	return func() error { return off.Commit(d, kms.CommitAllowModeset) }
}

// TestReadBackCancelled passes if the end of the context ends ReadBack before
// the commit and during the wait, with all as it was and nothing left open.
func TestReadBackCancelled(t *testing.T) {
	drmtest.GuardKernelLog(t)
	drmtest.CheckLeaks(t)
	size := image.Pt(64, 64)
	d := drmtest.RequireDevice(t, "vkms")
	in, out := newPicture(t, d, size), newPicture(t, d, size)
	before := state(t, d.Path())
	var cancel func()
	commits := 0
	var when int // to cancel: before which commit
	drmtest.Intercept(t, func(c drmtest.Call) (syscall.Errno, bool) {
		switch c.Request {
		case uapi.OpModeAtomic.Request():
			commits++
		case uapi.OpModeCreatePropBlob.Request():
			if when == 0 {
				cancel()
			}
		}
		if commits == 1 && when == 1 {
			cancel()
		}
		return 0, false
	})
	for when = range 2 {
		var ctx context.Context
		ctx, cancel = context.WithCancel(t.Context())
		commits = 0
		err := kms.ReadBack(ctx, d, in.fb, out.fb, size.X, size.Y)
		cancel()
		if !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled in step %d: %v", when, err)
		}
		if want := 2 * when; commits != want {
			t.Errorf("cancelled in step %d: %d commits, want %d", when, commits, want)
		}
		if is, _ := d.IsMaster(); is {
			t.Errorf("cancelled in step %d: still master", when)
		}
	}
	compareState(t, before, state(t, d.Path()))
}

// TestReadBackNoWayBack passes if everything is switched off where what was
// shown cannot be shown again.
func TestReadBackNoWayBack(t *testing.T) {
	drmtest.CheckLeaks(t)
	size := image.Pt(64, 64)
	d := drmtest.RequireDevice(t, "vkms")
	in, out := newPicture(t, d, size), newPicture(t, d, size)
	commits := 0
	drmtest.Intercept(t, func(c drmtest.Call) (syscall.Errno, bool) {
		if c.Request == uapi.OpModeAtomic.Request() {
			if commits++; commits == 2 {
				return syscall.ENOENT, true
			}
		}
		return 0, false
	})
	err := kms.ReadBack(t.Context(), d, in.fb, out.fb, size.X, size.Y)
	if !errors.Is(err, syscall.ENOENT) || commits != 3 {
		t.Errorf("%v, %d commits, want ENOENT and 3", err, commits)
	}
	for name, v := range state(t, d.Path()) {
		switch name[strings.LastIndexByte(name, ' ')+1:] {
		case "FB_ID", "CRTC_ID", "MODE_ID", "ACTIVE":
			if v != 0 {
				t.Errorf("%s is %d", name, v)
			}
		}
	}
}

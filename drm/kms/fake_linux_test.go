package kms_test

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/drm/fourcc"
	"github.com/gemtool/gemtool/drm/internal/uapi"
	"github.com/gemtool/gemtool/drm/kms"
)

// TestCloseFB passes if a kernel without the call is asked for RmFB, and
// every other refusal is passed on.
func TestCloseFB(t *testing.T) {
	d := drmtest.RequireDevice(t, "vkms")
	for _, test := range []struct {
		errno   syscall.Errno
		removed bool
	}{{0, false}, {syscall.EINVAL, true}, {syscall.ENOENT, false}} {
		t.Run(test.errno.Error(), func(t *testing.T) {
			removed := uint32(0)
			drmtest.Intercept(t, func(c drmtest.Call) (syscall.Errno, bool) {
				switch c.Request {
				case uapi.OpModeCloseFB.Request():
					return test.errno, true
				case uapi.OpModeRmFB.Request():
					removed = drmtest.Arg[uapi.ModeRmFB](c).FBID
					return 0, true
				}
				return 0, false
			})
			err := kms.CloseFB(d, 7)
			if test.removed || test.errno == 0 {
				if err != nil {
					t.Error(err)
				}
			} else if !errors.Is(err, test.errno) || !strings.Contains(err.Error(), "framebuffer 7") {
				t.Errorf("%v, want %v", err, test.errno)
			}
			if got := removed == 7; got != test.removed {
				t.Errorf("removed: %v, want %v", got, test.removed)
			}
		})
	}
}

// TestAddFB2 passes if the modifier is sent only where there is one, and a
// wrong number of planes is refused here.
func TestAddFB2(t *testing.T) {
	d := drmtest.RequireDevice(t, "vkms")
	var sent uapi.ModeFBCmd2
	drmtest.Intercept(t, func(c drmtest.Call) (syscall.Errno, bool) {
		if c.Request != uapi.OpModeAddFB2.Request() {
			return 0, false
		}
		arg := drmtest.Arg[uapi.ModeFBCmd2](c)
		sent = *arg
		arg.FBID = 9
		return 0, true
	})
	fb := kms.FB{Width: 3, Height: 4, Format: fourcc.NV12, Planes: []kms.FBPlane{{1, 2, 3}, {4, 5, 6}}}
	for mod, flags := range map[fourcc.Modifier]uint32{fourcc.ModInvalid: 0, 5: uapi.ModeFBModifiers} {
		fb.Modifier = mod
		id, err := kms.AddFB2(d, fb)
		want := uapi.ModeFBCmd2{
			Width: 3, Height: 4, PixelFormat: uint32(fourcc.NV12), Flags: flags,
			Handles: [4]uint32{1, 4}, Pitches: [4]uint32{2, 5}, Offsets: [4]uint32{3, 6},
		}
		if flags != 0 {
			want.Modifier = [4]uint64{5, 5}
		}
		if id != 9 || err != nil || sent != want {
			t.Errorf("modifier %v: %v, %v, sent %+v", mod, id, err, sent)
		}
	}
	for _, n := range []int{0, 5} {
		fb.Planes = make([]kms.FBPlane, n)
		if _, err := kms.AddFB2(d, fb); !errors.Is(err, drm.ErrRange) {
			t.Errorf("%d planes: %v, want ErrRange", n, err)
		}
	}
}

// TestListsGrow passes if a list that is longer at the second look is asked
// for again, and a length that no kernel has is refused.
func TestListsGrow(t *testing.T) {
	d := drmtest.RequireDevice(t, "vkms")
	for _, test := range []struct {
		counts []uint32
		want   int
		err    error
	}{
		{[]uint32{0}, 0, nil},
		{[]uint32{3, 3}, 3, nil},
		{[]uint32{3, 5, 5}, 5, nil},
		{[]uint32{3, 2}, 2, nil},
		{[]uint32{1<<32 - 1}, 0, drm.ErrRange},
	} {
		asked := 0
		t.Run("", func(t *testing.T) {
			drmtest.Intercept(t, func(c drmtest.Call) (syscall.Errno, bool) {
				if c.Request != uapi.OpModeGetResources.Request() {
					return 0, false
				}
				drmtest.Arg[uapi.ModeCardRes](c).CountCRTCs = test.counts[min(asked, len(test.counts)-1)]
				asked++
				return 0, true
			})
			r, err := kms.ReadResources(d)
			if !errors.Is(err, test.err) || len(r.CRTCs) != test.want || asked != len(test.counts) {
				t.Errorf("%v: %d CRTCs, %v, asked %d times", test.counts, len(r.CRTCs), err, asked)
			}
		})
	}
}

// TestKeepsMaster passes if ReadBack leaves a master what it is.
func TestKeepsMaster(t *testing.T) {
	path := drmtest.RequireDevice(t, "vkms").Path()
	d, err := drm.Open(path, drm.Options{KeepMaster: true})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := kms.ReadBack(t.Context(), d, 0xffff, 0xffff, 64, 64); err == nil || errors.Is(err, os.ErrPermission) {
		t.Errorf("ReadBack of nothing: %v", err)
	}
	if is, err := d.IsMaster(); !is || err != nil {
		t.Errorf("master: %v, %v", is, err)
	}
}

// TestCreateBlobCap passes if the kernel is never asked for a blob larger
// than MaxBlob, and for one of that size it is.
//
// Case J13
func TestCreateBlobCap(t *testing.T) {
	d := drmtest.RequireDevice(t, "vkms")
	asked := 0
	drmtest.Intercept(t, func(c drmtest.Call) (syscall.Errno, bool) {
		if c.Request != uapi.OpModeCreatePropBlob.Request() {
			return 0, false
		}
		asked++
		if n := drmtest.Arg[uapi.ModeCreateBlob](c).Length; n != kms.MaxBlob {
			t.Errorf("asked for %d bytes", n)
		}
		drmtest.Arg[uapi.ModeCreateBlob](c).BlobID = 5
		return 0, true
	})
	if id, err := kms.CreateBlob(d, make([]byte, kms.MaxBlob)); id != 5 || err != nil {
		t.Errorf("%v, %v", id, err)
	}
	if _, err := kms.CreateBlob(d, make([]byte, kms.MaxBlob+1)); !errors.Is(err, drm.ErrRange) || !strings.Contains(err.Error(), "1048577 bytes") {
		t.Errorf("%v, want ErrRange", err)
	}
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
}

// TestBlob passes if a blob comes back as it was given, and is gone after it
// was destroyed.
func TestBlob(t *testing.T) {
	drmtest.CheckLeaks(t)
	d := drmtest.RequireDevice(t, "vkms")
	for _, want := range []string{"x", strings.Repeat("gamma", 1000), strings.Repeat("m", kms.MaxBlob)} {
		id, err := kms.CreateBlob(d, []byte(want))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := kms.ReadBlob(d, id); err != nil || string(got) != want {
			t.Errorf("%d bytes, %v, want %d", len(got), err, len(want))
		}
		other, err := drm.Open(d.Path(), drm.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(kms.DestroyBlob(other, id), other.Close()); !errors.Is(err, syscall.EPERM) {
			t.Errorf("destroyed by another: %v, want EPERM", err)
		}
		if err := kms.DestroyBlob(d, id); err != nil {
			t.Error(err)
		}
		if _, err := kms.ReadBlob(d, id); !errors.Is(err, syscall.ENOENT) {
			t.Errorf("after its end: %v, want ENOENT", err)
		}
	}
}

// TestReadBlobChanges passes if the number of a blob that becomes another's
// while it is read gives that other blob, and not what fits of neither.
func TestReadBlobChanges(t *testing.T) {
	d := drmtest.RequireDevice(t, "vkms")
	lengths := []uint32{100, 50, 50}
	drmtest.Intercept(t, func(c drmtest.Call) (syscall.Errno, bool) {
		if c.Request != uapi.OpModeGetPropBlob.Request() {
			return 0, false
		}
		arg := drmtest.Arg[uapi.ModeGetBlob](c)
		has := lengths[0]
		lengths = lengths[1:]
		// As drm_mode_getblob_ioctl does.
		if arg.Length == has {
			writeUser(t, arg.Data, bytes.Repeat([]byte{7}, int(has)))
		}
		arg.Length = has
		return 0, true
	})
	got, err := kms.ReadBlob(d, 3)
	if err != nil || !bytes.Equal(got, bytes.Repeat([]byte{7}, 50)) || len(lengths) != 0 {
		t.Errorf("%v, %v, %d answers left", got, err, len(lengths))
	}
}

// TestAddFB2Modifier passes if who sends a modifier to a driver that takes none
// is told so, and no one else.
func TestAddFB2Modifier(t *testing.T) {
	for driver, hint := range map[string]bool{"virtio_gpu": true, "vkms": false} {
		d := drmtest.RequireDevice(t, driver)
		_, err := kms.AddFB2(d, kms.FB{
			Width: 64, Height: 64, Format: fourcc.XRGB8888, Modifier: 5, Planes: []kms.FBPlane{{Pitch: 256}},
		})
		var e *drm.Error
		if !errors.As(err, &e) || e.Err != syscall.EINVAL || (e.Hint != "") != hint {
			t.Errorf("%s: %v, hint wanted: %v", driver, err, hint)
		}
	}
}

// TestLeaseDescriptor passes if a descriptor that cannot be is an error.
func TestLeaseDescriptor(t *testing.T) {
	d := drmtest.RequireDevice(t, "vkms")
	drmtest.Intercept(t, func(c drmtest.Call) (syscall.Errno, bool) {
		if c.Request != uapi.OpModeCreateLease.Request() {
			return 0, false
		}
		if flags := drmtest.Arg[uapi.ModeCreateLease](c).Flags; flags&syscall.O_CLOEXEC == 0 {
			t.Errorf("flags %#x", flags)
		}
		drmtest.Arg[uapi.ModeCreateLease](c).FD = 1<<32 - 1
		return 0, true
	})
	if lease, _, err := kms.CreateLease(d, nil); err == nil || lease != nil {
		t.Errorf("%v, %v", lease, err)
	}
}

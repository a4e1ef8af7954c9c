package kms_test

import (
	"errors"
	"slices"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/drm/internal/uapi"
	"github.com/gemtool/gemtool/drm/kms"
)

// TestCommitSends passes if the kernel gets the changes object by object, in
// their order within one, and with the user data.
func TestCommitSends(t *testing.T) {
	d := drmtest.RequireDevice(t, "vkms")
	var sent uapi.ModeAtomic
	var objects, counts, props []uint32
	var values []uint64
	drmtest.Intercept(t, func(c drmtest.Call) (syscall.Errno, bool) {
		if c.Request != uapi.OpModeAtomic.Request() {
			return 0, false
		}
		sent = *drmtest.Arg[uapi.ModeAtomic](c)
		n := int(sent.CountObjs)
		objects, counts = readUser[uint32](t, sent.ObjsPtr, n), readUser[uint32](t, sent.CountPropsPtr, n)
		total := 0
		for _, n := range counts {
			total += int(n)
		}
		props, values = readUser[uint32](t, sent.PropsPtr, total), readUser[uint64](t, sent.PropValuesPtr, total)
		return 0, true
	})
	var r kms.Request
	for range 2 {
		r.UserData = 99
		r.Set(kms.PlaneID(9).Object(), 1, 10)
		r.Set(kms.CRTCID(3).Object(), 2, 20)
		r.Set(kms.PlaneID(9).Object(), 5, ^uint64(0))
		r.Set(kms.PlaneID(9).Object(), 1, 11)
		if err := r.Commit(d, kms.CommitEvent|kms.CommitNonblock); err != nil {
			t.Fatal(err)
		}
		if sent.Flags != 0x201 || sent.UserData != 99 ||
			!slices.Equal(objects, []uint32{3, 9}) || !slices.Equal(counts, []uint32{1, 3}) ||
			!slices.Equal(props, []uint32{2, 1, 5, 1}) || !slices.Equal(values, []uint64{20, 10, ^uint64(0), 11}) {
			t.Errorf("sent %+v: objects %v, counts %v, properties %v, values %v", sent, objects, counts, props, values)
		}
		r.Reset()
		if err := r.Commit(d, 0); err != nil || sent.CountObjs != 0 || sent.UserData != 0 {
			t.Errorf("after Reset: %+v, %v", sent, err)
		}
	}
}

// TestCommitSharedFence passes if no two fences go to one place: the kernel is
// not asked. The same wish twice is one.
func TestCommitSharedFence(t *testing.T) {
	d := drmtest.RequireDevice(t, "vkms")
	asked := 0
	drmtest.Intercept(t, func(c drmtest.Call) (syscall.Errno, bool) {
		if c.Request == uapi.OpModeAtomic.Request() {
			asked++
			return 0, true
		}
		return 0, false
	})
	var shared, other kms.OutFence
	crtc := kms.CRTCID(3).Object()
	for name, test := range map[string]struct {
		object   kms.Object
		property kms.PropertyID
		fence    *kms.OutFence
		want     error
	}{
		"another CRTC":     {kms.CRTCID(4).Object(), 2, &shared, drm.ErrRange},
		"another property": {crtc, 9, &shared, drm.ErrRange},
		"the same":         {crtc, 2, &shared, nil},
		"two fences":       {kms.CRTCID(4).Object(), 2, &other, nil},
	} {
		asked = 0
		var r kms.Request
		r.SetOutFence(crtc, 2, &shared)
		r.SetOutFence(test.object, test.property, test.fence)
		if err := r.Commit(d, 0); !errors.Is(err, test.want) || asked != 0 != (test.want == nil) {
			t.Errorf("%s: %v, kernel asked %d times, want %v", name, err, asked, test.want)
		}
	}
}

// atomicFlip is a vkms with a picture, and a request that flips to another.
func atomicFlip(t *testing.T) (d *drm.Device, crtc kms.Object, props kms.Properties, r *kms.Request) {
	t.Helper()
	s := showLegacy(t, "vkms")
	if err := s.SetClientCap(drm.ClientCapAtomic, 1); err != nil {
		t.Fatal(err)
	}
	planes, err := kms.ReadPlanes(s.Device)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(planes, func(p kms.Plane) bool { return p.CRTC == s.crtc })
	if i < 0 {
		t.Fatalf("no plane on the CRTC: %+v", planes)
	}
	plane := planes[i].ID.Object()
	planeProps, err := kms.ReadProperties(s.Device, plane)
	if err != nil {
		t.Fatal(err)
	}
	if props, err = kms.ReadProperties(s.Device, s.crtc.Object()); err != nil {
		t.Fatal(err)
	}
	r = new(kms.Request)
	r.Set(plane, planeProps["FB_ID"].ID, uint64(tempFB(t, s.card)))
	r.Set(plane, planeProps["IN_FENCE_FD"].ID, ^uint64(0)) // -1: none
	return s.Device, s.crtc.Object(), props, r
}

// TestCommitEvent passes if a commit's event brings its user data back, and
// its fence is a descriptor that is signaled with it.
func TestCommitEvent(t *testing.T) {
	d, crtc, props, r := atomicFlip(t)
	const data = 0xfedcba9876543210
	var fence kms.OutFence
	r.UserData = data
	r.SetOutFence(crtc, props["OUT_FENCE_PTR"].ID, &fence)
	for range 3 {
		if err := r.Commit(d, kms.CommitEvent|kms.CommitNonblock); err != nil {
			t.Fatal(err)
		}
		if typ, got := event(t, d); typ != flipComplete || got != data {
			t.Errorf("event %d, user data %#x", typ, got)
		}
	}
	// The first two fences are closed by now: see CheckLeaks.
	fd := fence.Take()
	if fd == nil || fence.Take() != nil {
		t.Fatal("not just one fence")
	}
	defer fd.Close()
	if err := fd.Use(func(n int) error {
		fds := []unix.PollFd{{Fd: int32(n), Events: unix.POLLIN}}
		if ready, err := unix.Poll(fds, 10_000); ready != 1 || err != nil {
			t.Errorf("fence: %d ready, %v", ready, err)
		}
		if flags, err := unix.FcntlInt(uintptr(n), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
			t.Errorf("fence: flags %#x, %v", flags, err)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	if err := r.Commit(d, kms.CommitTestOnly); err != nil || fence.Take() != nil {
		t.Errorf("a test: %v, with a fence", err)
	}
	for name, flags := range map[string]kms.CommitFlags{
		"unknown flag": 1 << 20, "event of a test": kms.CommitEvent | kms.CommitTestOnly, "at once": kms.CommitAsync,
	} {
		if err := r.Commit(d, flags); !errors.Is(err, syscall.EINVAL) || fence.Take() != nil {
			t.Errorf("%s: %v, want EINVAL", name, err)
		}
	}
}

// TestCommitInFence passes if a commit waits for the fence of a sync_file
// that it was given inside of Use.
func TestCommitInFence(t *testing.T) {
	d, crtc, props, r := atomicFlip(t)
	var fence kms.OutFence
	r.SetOutFence(crtc, props["OUT_FENCE_PTR"].ID, &fence)
	if err := r.Commit(d, 0); err != nil {
		t.Fatal(err)
	}
	done := fence.Take()
	defer done.Close()
	planes, err := kms.ReadPlanes(d)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(planes, func(p kms.Plane) bool { return p.CRTC != 0 })
	planeProps, err := kms.ReadProperties(d, planes[i].ID.Object())
	if err != nil {
		t.Fatal(err)
	}
	var next kms.Request
	next.Set(planes[i].ID.Object(), planeProps["FB_ID"].ID, planeProps["FB_ID"].Value)
	if err := done.Use(func(n int) error {
		next.Set(planes[i].ID.Object(), planeProps["IN_FENCE_FD"].ID, uint64(n))
		return next.Commit(d, 0)
	}); err != nil {
		t.Error(err)
	}
	if err := next.Commit(d, 0); err == nil && done.Close() == nil {
		if err := next.Commit(d, 0); !errors.Is(err, syscall.EINVAL) {
			t.Errorf("a descriptor that is closed: %v, want EINVAL", err)
		}
	} else {
		t.Errorf("again: %v", err)
	}
}

// TestCommitAllocs passes if neither a commit of a request that was filled
// again allocates, nor a flip nor what goes with it.
func TestCommitAllocs(t *testing.T) {
	d, crtc, props, r := atomicFlip(t)
	var fence kms.OutFence
	refill := new(kms.Request)
	for name, f := range map[string]func() error{
		"Commit": func() error { return r.Commit(d, kms.CommitTestOnly) },
		"refilled": func() error {
			refill.Reset()
			refill.Set(crtc, props["ACTIVE"].ID, 1)
			refill.SetOutFence(crtc, props["OUT_FENCE_PTR"].ID, &fence)
			return refill.Commit(d, kms.CommitTestOnly)
		},
		"MoveCursor": func() error { return kms.MoveCursor(d, kms.CRTCID(crtc.ID()), 1, 1) },
	} {
		if n := testing.AllocsPerRun(20, func() {
			if err := f(); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

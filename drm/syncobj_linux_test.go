package drm_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/drm/internal/uapi"
	"github.com/gemtool/gemtool/drm/ioctl"
)

// requireSyncobj opens a virtio-gpu render node, the driver with sync objects
// that a VM can have. Linux 6.1's has none.
func requireSyncobj(t *testing.T) *drm.Device {
	t.Helper()
	d := drmtest.RequireNode(t, "virtio_gpu", drm.NodeRender)
	has, err := d.Cap(drm.CapSyncobjTimeline)
	if err != nil {
		t.Fatal(err)
	}
	if has == 0 {
		missing(t, "virtio_gpu has no sync objects", "6.1.")
	}
	return d
}

// missing skips the test on a kernel that cannot have what it needs, and fails
// it on others in the VM.
func missing(t *testing.T, what string, kernels ...string) {
	t.Helper()
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		t.Fatal(err)
	}
	release := unix.ByteSliceToString(u.Release[:])
	old := func(prefix string) bool { return strings.HasPrefix(release, prefix) }
	if drmtest.InVM() && !slices.ContainsFunc(kernels, old) {
		t.Fatalf("%s, on Linux %s", what, release)
	}
	t.Skipf("%s, on Linux %s", what, release)
}

func newSyncobj(t *testing.T, d *drm.Device, flags drm.SyncobjFlags) drm.SyncobjHandle {
	t.Helper()
	h, err := d.CreateSyncobj(flags)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// signaled says whether the fence of a binary sync object is signaled.
func signaled(t *testing.T, d *drm.Device, h drm.SyncobjHandle) bool {
	t.Helper()
	_, err := d.WaitSyncobjs([]drm.SyncobjHandle{h}, drm.SyncobjWait{Flags: drm.SyncobjWaitForSubmit})
	if err != nil && !errors.Is(err, syscall.ETIME) {
		t.Fatal(err)
	}
	return err == nil
}

// TestSyncobjBinary passes if a binary sync object goes through all its
// states, by itself and by descriptor.
//
// Case D26
func TestSyncobjBinary(t *testing.T) {
	drmtest.CheckLeaks(t)
	d := requireSyncobj(t)
	a, b := newSyncobj(t, d, 0), newSyncobj(t, d, drm.SyncobjSignaled)
	both := []drm.SyncobjHandle{a, b}
	if signaled(t, d, a) || !signaled(t, d, b) {
		t.Error("a new sync object is signaled, or one made so is not")
	}
	if first, err := d.WaitSyncobjs(both, drm.SyncobjWait{Flags: drm.SyncobjWaitForSubmit}); first != 1 || err != nil {
		t.Errorf("wait for the first of two: %d, %v, want 1", first, err)
	}
	start := drm.Monotonic()
	until := start + 100*time.Millisecond
	_, err := d.WaitSyncobjs(both, drm.SyncobjWait{
		Flags: drm.SyncobjWaitForSubmit | drm.SyncobjWaitAll, Until: until, Deadline: until,
	})
	if !errors.Is(err, syscall.ETIME) || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("wait for both: %v, want ETIME", err)
	}
	// The kernel counts ticks, and may be one or two early.
	if now := drm.Monotonic(); now < until-50*time.Millisecond {
		t.Errorf("gave up after %v", now-start)
	}
	if _, err := d.WaitSyncobjs([]drm.SyncobjHandle{a}, drm.SyncobjWait{}); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("wait without a fence: %v, want EINVAL", err)
	}
	if err := d.SignalSyncobjs([]drm.SyncobjHandle{a}); err != nil {
		t.Error(err)
	}
	if first, err := d.WaitSyncobjs(both, drm.SyncobjWait{Flags: drm.SyncobjWaitAll}); first != -1 || err != nil {
		t.Errorf("wait for all: %d, %v, want -1", first, err)
	}

	file, err := d.SyncobjToSyncFile(a, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := d.ResetSyncobjs(both); err != nil {
		t.Error(err)
	}
	if signaled(t, d, a) || signaled(t, d, b) {
		t.Error("signaled after a reset")
	}
	if _, err := d.SyncobjToSyncFile(a, 0); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("export of no fence: %v, want EINVAL", err)
	}
	if err := d.SyncFileToSyncobj(file, b, 0); err != nil {
		t.Error(err)
	}
	if signaled(t, d, a) || !signaled(t, d, b) {
		t.Error("the fence of the sync_file is not where it was put")
	}

	// The object itself, by descriptor: a handle of its own, one state.
	object, err := d.SyncobjToFD(a)
	if err != nil {
		t.Fatal(err)
	}
	defer object.Close()
	same, err := d.FDToSyncobj(object)
	if err != nil || same == a || same == 0 {
		t.Fatalf("import of handle %d: %d, %v", a, same, err)
	}
	if err := d.DestroySyncobj(a); err != nil {
		t.Error(err)
	}
	if err := d.SignalSyncobjs([]drm.SyncobjHandle{same}); err != nil {
		t.Error(err)
	}
	if !signaled(t, d, same) {
		t.Error("signaled by another handle in vain")
	}
	for _, h := range []drm.SyncobjHandle{b, same} {
		if err := d.DestroySyncobj(h); err != nil {
			t.Error(err)
		}
	}
}

// TestSyncobjRefused passes if what a careless client does is refused, with
// the kernel's errno, and changes nothing.
//
// Case D26
func TestSyncobjRefused(t *testing.T) {
	drmtest.CheckLeaks(t)
	d := requireSyncobj(t)
	good := newSyncobj(t, d, 0)
	defer d.DestroySyncobj(good)
	n, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	other := ioctl.NewFD(n)
	defer other.Close()
	const bad = drm.SyncobjHandle(4711)
	mixed := []drm.SyncobjHandle{good, bad}
	first := func(_ any, err error) error { return err }
	for _, test := range []struct {
		name string
		err  error
		want error
	}{
		{"bad-create-flags", first(d.CreateSyncobj(0xdead)), syscall.EINVAL},
		{"bad-destroy", d.DestroySyncobj(bad), syscall.EINVAL},
		{"bad-handle-to-fd", first(d.SyncobjToFD(bad)), syscall.EINVAL},
		{"bad-handle-to-sync-file", first(d.SyncobjToSyncFile(bad, 0)), syscall.ENOENT},
		{"bad-handle-to-sync-file-point", first(d.SyncobjToSyncFile(bad, 3)), syscall.ENOENT},
		{"illegal-fd-to-handle", first(d.FDToSyncobj(other)), syscall.EINVAL},
		{"illegal-sync-file", d.SyncFileToSyncobj(other, good, 0), syscall.EINVAL},
		{"illegal-sync-file-point", d.SyncFileToSyncobj(other, good, 3), syscall.EINVAL},
		{"wait-bad-handle", first(d.WaitSyncobjs(mixed, drm.SyncobjWait{})), syscall.ENOENT},
		{"wait-bad-flags", first(d.WaitSyncobjs(mixed, drm.SyncobjWait{Flags: 0x100})), syscall.EINVAL},
		{"signal-bad-handle", d.SignalSyncobjs(mixed), syscall.ENOENT},
		{"signal-none", d.SignalSyncobjs(nil), syscall.EINVAL},
		{"reset-bad-handle", d.ResetSyncobjs(mixed), syscall.ENOENT},
		{"reset-none", d.ResetSyncobjs(nil), syscall.EINVAL},
		{"points-missing", d.SignalTimelines(mixed, []uint64{1}), drm.ErrRange},
		{"query-points-missing", d.QueryTimelines(mixed, nil, 0), drm.ErrRange},
		{"wait-points-missing", first(d.WaitTimelines(mixed, nil, drm.SyncobjWait{})), drm.ErrRange},
		{"query-bad-flags", d.QueryTimelines([]drm.SyncobjHandle{good}, make([]uint64, 1), 0x100), syscall.EINVAL},
		{"timeline-signal-bad-handle", d.SignalTimelines(mixed, []uint64{1, 1}), syscall.ENOENT},
		{"transfer-bad-source", d.TransferSyncobj(good, 1, bad, 0, 0), syscall.ENOENT},
		{"transfer-bad-destination", d.TransferSyncobj(bad, 1, good, 0, 0), syscall.ENOENT},
		{"transfer-no-fence", d.TransferSyncobj(good, 1, good, 0, 0), syscall.EINVAL},
		{"eventfd-bad-handle", d.SyncobjEventfd(bad, 0, other, 0), syscall.ENOENT},
		{"eventfd-bad-file", d.SyncobjEventfd(good, 0, other, 0), syscall.EINVAL},
		{"eventfd-bad-flags", d.SyncobjEventfd(good, 0, other, 0x100), syscall.EINVAL},
	} {
		if !errors.Is(test.err, test.want) {
			t.Errorf("%s: %v, want %v", test.name, test.err, test.want)
		}
		if errors.Is(test.err, drm.ErrNotSupported) {
			t.Errorf("%s: %v, although the kernel has the call", test.name, test.err)
		}
	}
	if signaled(t, d, good) {
		t.Error("a refused call has signaled a sync object")
	}
}

// TestSyncobjTimeline passes if the points of a timeline are signaled in
// order, wherever their fences come from, all ways to ask agree, and the
// kernel does not complain: 7.2 does of a chain that is put into a chain.
func TestSyncobjTimeline(t *testing.T) {
	drmtest.GuardKernelLog(t)
	drmtest.CheckLeaks(t)
	d := requireSyncobj(t)
	line, bin := newSyncobj(t, d, 0), newSyncobj(t, d, drm.SyncobjSignaled)
	hs := []drm.SyncobjHandle{line}
	query := func(flags drm.SyncobjQueryFlags, want uint64) {
		t.Helper()
		point := []uint64{^uint64(0)}
		if err := d.QueryTimelines(hs, point, flags); err != nil || point[0] != want {
			t.Errorf("query: %d, %v, want %d", point[0], err, want)
		}
	}
	wait := func(point uint64, flags drm.SyncobjWaitFlags, want error) {
		t.Helper()
		_, err := d.WaitTimelines(hs, []uint64{point}, drm.SyncobjWait{Flags: flags, Deadline: drm.Monotonic()})
		if !errors.Is(err, want) {
			t.Errorf("wait for %d: %v, want %v", point, err, want)
		}
	}
	query(0, 0)
	if err := d.SignalTimelines(hs, []uint64{5}); err != nil {
		t.Error(err)
	}
	query(0, 5)
	query(drm.SyncobjLastSubmitted, 5)
	wait(5, 0, nil)
	wait(3, 0, nil)
	wait(6, 0, syscall.EINVAL)
	wait(6, drm.SyncobjWaitForSubmit, syscall.ETIME)
	wait(6, drm.SyncobjWaitAvailable, syscall.ETIME)
	if err := d.TransferSyncobj(line, 6, bin, 0, 0); err != nil {
		t.Error(err)
	}
	query(0, 6)

	// By sync_file, whose fence is a chain.
	file, err := d.SyncobjToSyncFile(line, 6)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := d.SyncFileToSyncobj(file, line, 9); err != nil {
		t.Error(err)
	}
	query(0, 9)
	if _, err := d.SyncobjToSyncFile(line, 10); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("export of a point without a fence: %v, want EINVAL", err)
	}

	// And back to a binary one.
	if err := d.ResetSyncobjs([]drm.SyncobjHandle{bin}); err != nil {
		t.Error(err)
	}
	if err := d.TransferSyncobj(bin, 0, line, 9, drm.SyncobjWaitForSubmit); err != nil || !signaled(t, d, bin) {
		t.Errorf("transfer to a binary sync object: %v", err)
	}
	point := []uint64{9}
	if n := testing.AllocsPerRun(20, func() {
		_, waitErr := d.WaitTimelines(hs, point, drm.SyncobjWait{})
		if err := d.QueryTimelines(hs, point, 0); waitErr != nil || err != nil || point[0] != 9 {
			t.Errorf("%v, %v, point %d", waitErr, err, point[0])
		}
	}); n != 0 {
		t.Errorf("a wait and a query allocate %v times", n)
	}
	for _, h := range []drm.SyncobjHandle{line, bin} {
		if err := d.DestroySyncobj(h); err != nil {
			t.Error(err)
		}
	}
}

// TestSyncobjDetour passes if a kernel that refuses to export a timeline's
// point as a sync_file, as those before 7.2 do, is asked for a transfer, and
// no temporary sync object stays.
func TestSyncobjDetour(t *testing.T) {
	d := requireSyncobj(t)
	made, ended := 0, 0
	drmtest.Intercept(t, func(c drmtest.Call) (syscall.Errno, bool) {
		switch c.Request {
		case uapi.OpSyncobjCreate.Request():
			made++
		case uapi.OpSyncobjDestroy.Request():
			ended++
		case uapi.OpSyncobjFDToHandle.Request():
			if drmtest.Arg[uapi.SyncobjHandle](c).Flags&uapi.SyncobjFDToHandleTimeline != 0 {
				t.Error("the direct way into a timeline was gone")
			}
		case uapi.OpSyncobjHandleToFD.Request():
			if drmtest.Arg[uapi.SyncobjHandle](c).Flags&uapi.SyncobjHandleToFDTimeline != 0 {
				return syscall.EINVAL, true
			}
		}
		return 0, false
	})
	line := newSyncobj(t, d, 0)
	hs := []drm.SyncobjHandle{line}
	if err := d.SignalTimelines(hs, []uint64{4}); err != nil {
		t.Fatal(err)
	}
	file, err := d.SyncobjToSyncFile(line, 4)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := d.SyncFileToSyncobj(file, line, 7); err != nil {
		t.Error(err)
	}
	if _, err := d.SyncobjToSyncFile(line, 8); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("export of a point without a fence: %v, want EINVAL", err)
	}
	point := []uint64{0}
	if err := d.QueryTimelines(hs, point, 0); err != nil || point[0] != 7 {
		t.Errorf("query: %d, %v, want 7", point[0], err)
	}
	if err := d.DestroySyncobj(line); err != nil || made != 4 || ended != 4 {
		t.Errorf("%d sync objects made, %d destroyed, %v, want 4", made, ended, err)
	}
}

// TestSyncobjDeadline passes if a kernel that does not know the hint, as 6.1,
// is asked to wait without it.
func TestSyncobjDeadline(t *testing.T) {
	hs := []drm.SyncobjHandle{7}
	for name, test := range map[string]struct {
		refuse uint32 // flags that are EINVAL
		want   error
		hint   uint64
	}{
		"new":     {0, nil, 5},
		"old":     {uapi.SyncobjWaitDeadline, nil, 0},
		"refused": {uapi.SyncobjWaitAll, syscall.EINVAL, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var until int64
			var hint uint64
			d := answering(t, func(c drmtest.Call) syscall.Errno {
				var flags uint32
				switch c.Request {
				case uapi.OpSyncobjWait.Request():
					arg := drmtest.Arg[uapi.SyncobjWait](c)
					flags, until, hint = arg.Flags, arg.TimeoutNSec, arg.DeadlineNSec
				case uapi.OpSyncobjTimelineWait.Request():
					arg := drmtest.Arg[uapi.SyncobjTimelineWait](c)
					flags, until, hint = arg.Flags, arg.TimeoutNSec, arg.DeadlineNSec
				}
				if flags&uapi.SyncobjWaitDeadline == 0 {
					hint = 0
				}
				if flags&test.refuse != 0 {
					return syscall.EINVAL
				}
				return 0
			})
			w := drm.SyncobjWait{Flags: drm.SyncobjWaitAll, Until: 9, Deadline: 5}
			check := func(name string, err error) {
				if !errors.Is(err, test.want) || until != 9 || hint != test.hint {
					t.Errorf("%s: %v until %d with hint %d, want %v, 9, %d", name, err, until, hint, test.want, test.hint)
				}
				until, hint = 0, 0
			}
			_, err := d.WaitSyncobjs(hs, w)
			check("WaitSyncobjs", err)
			_, err = d.WaitTimelines(hs, []uint64{1}, w)
			check("WaitTimelines", err)
		})
	}
}

// TestSyncobjEventfdOld passes if the EINVAL of a kernel without the call is
// told apart from that of a bad argument.
//
// Case D29
func TestSyncobjEventfdOld(t *testing.T) {
	event := memfd(t)
	for name, test := range map[string]struct {
		known syscall.Errno // the answer for handle 0
		old   bool
	}{"old": {syscall.EINVAL, true}, "new": {syscall.ENOENT, false}} {
		t.Run(name, func(t *testing.T) {
			d := answering(t, func(c drmtest.Call) syscall.Errno {
				if drmtest.Arg[uapi.SyncobjEventfd](c).Handle == 0 {
					return test.known
				}
				return syscall.EINVAL
			})
			err := d.SyncobjEventfd(3, 1, event, 0)
			if !errors.Is(err, syscall.EINVAL) || errors.Is(err, drm.ErrNotSupported) != test.old {
				t.Errorf("%v, want ErrNotSupported: %v", err, test.old)
			}
		})
	}
}

// TestSyncobjEventfd passes if an eventfd fires for a point that is signaled
// later, and at once for one that already is.
//
// Case D29
func TestSyncobjEventfd(t *testing.T) {
	drmtest.CheckLeaks(t)
	d := requireSyncobj(t)
	line := newSyncobj(t, d, 0)
	defer d.DestroySyncobj(line)
	n, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	event := ioctl.NewFD(n)
	defer event.Close()
	fired := func() bool {
		var count [8]byte
		_, err := unix.Read(n, count[:])
		return err == nil
	}
	for point, flags := range map[uint64]drm.SyncobjWaitFlags{1: 0, 2: drm.SyncobjWaitAvailable} {
		if err := d.SyncobjEventfd(line, 2, event, flags); err != nil {
			t.Fatal(err)
		}
		if fired() {
			t.Errorf("fired before point %d was signaled", point)
		}
		if err := d.SignalTimelines([]drm.SyncobjHandle{line}, []uint64{2}); err != nil {
			t.Error(err)
		}
		if !fired() {
			t.Error("did not fire")
		}
		if err := d.SyncobjEventfd(line, 2, event, flags); err != nil || !fired() {
			t.Errorf("did not fire for what is signaled: %v", err)
		}
		if err := d.ResetSyncobjs([]drm.SyncobjHandle{line}); err != nil {
			t.Error(err)
		}
	}
}

// TestSyncobjNone passes if a driver without sync objects is told from one
// that refuses an argument.
//
// Case D27
func TestSyncobjNone(t *testing.T) {
	drmtest.CheckLeaks(t)
	file := memfd(t)
	first := func(_ any, err error) error { return err }
	for _, driver := range []string{"vkms", "vgem", "bochs-drm"} {
		t.Run(driver, func(t *testing.T) {
			d := drmtest.RequireDevice(t, driver)
			for _, c := range []drm.Cap{drm.CapSyncobj, drm.CapSyncobjTimeline} {
				if has, err := d.Cap(c); has != 0 || err != nil {
					t.Errorf("cap %v: %d, %v", c, has, err)
				}
			}
			hs, points := []drm.SyncobjHandle{1}, []uint64{1}
			for i, err := range []error{
				first(d.CreateSyncobj(0)), d.DestroySyncobj(1),
				first(d.SyncobjToFD(1)), first(d.FDToSyncobj(file)),
				first(d.SyncobjToSyncFile(1, 1)), d.SyncFileToSyncobj(file, 1, 1),
				first(d.WaitSyncobjs(hs, drm.SyncobjWait{})), first(d.WaitTimelines(hs, points, drm.SyncobjWait{})),
				d.ResetSyncobjs(hs), d.SignalSyncobjs(hs), d.SignalTimelines(hs, points),
				d.QueryTimelines(hs, points, 0), d.TransferSyncobj(1, 1, 1, 1, 0), d.SyncobjEventfd(1, 1, file, 0),
			} {
				if !errors.Is(err, drm.ErrNotSupported) {
					t.Errorf("call %d: %v, want ErrNotSupported", i, err)
				}
			}
		})
	}
}

package drm_test

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"structs"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/drm/ioctl"
)

// syncs is what the tests that follow IGT have: a device with sync objects,
// and vgem for real fences to put into them, where IGT takes sw_sync, which of
// our kernels 7.2 has alone.
type syncs struct {
	*drm.Device
	vgem     *drm.Device
	timeline bool // waits are for a point of each sync object
}

func newSyncs(t *testing.T, timeline bool) *syncs {
	t.Helper()
	drmtest.GuardKernelLog(t)
	drmtest.CheckLeaks(t)
	return &syncs{requireSyncobj(t), drmtest.RequireDevice(t, "vgem"), timeline}
}

// syncSet is sync objects and what to wait for of each: 0 is all of a binary
// one.
type syncSet struct {
	hs     []drm.SyncobjHandle
	points []uint64
}

// set makes n empty sync objects, which the test destroys.
func (s *syncs) set(t *testing.T, n int) syncSet {
	t.Helper()
	set := syncSet{make([]drm.SyncobjHandle, n), make([]uint64, n)}
	for i := range set.hs {
		h := newSyncobj(t, s.Device, 0)
		t.Cleanup(func() { wantErr(t, "destroy", s.DestroySyncobj(h), nil) })
		set.hs[i] = h
		if s.timeline {
			set.points[i] = 1
		}
	}
	return set
}

// wait waits with the call that belongs to the kind of sync objects.
func (s *syncs) wait(set syncSet, flags drm.SyncobjWaitFlags, until time.Duration) (first int, err error) {
	w := drm.SyncobjWait{Flags: flags, Until: until}
	if s.timeline {
		return s.WaitTimelines(set.hs, set.points, w)
	}
	return s.WaitSyncobjs(set.hs, w)
}

// look is a wait that does not.
func (s *syncs) look(set syncSet, flags drm.SyncobjWaitFlags) error {
	_, err := s.wait(set, flags, 0)
	return err
}

type exportSyncFile struct {
	_     structs.HostLayout
	Flags uint32
	FD    int32
}

var opExportSyncFile = ioctl.ReadWrite[exportSyncFile]("DMA_BUF_EXPORT_SYNC_FILE", 'b', 2)

// fence makes a fence of its own timeline, which lasts ten seconds if nobody
// signals it, and a sync_file of it.
func (s *syncs) fence(t *testing.T) (drmtest.Fence, *ioctl.FD) {
	t.Helper()
	o, err := s.vgem.CreateDumb(32, 32, 32)
	if err != nil {
		t.Fatal(err)
	}
	defer s.vgem.DestroyDumb(o.Handle)
	f := drmtest.AttachFence(t, s.vgem, o.Handle, true)
	buf, err := s.vgem.HandleToFD(o.Handle)
	if err != nil {
		t.Fatal(err)
	}
	defer buf.Close()
	arg := exportSyncFile{Flags: 1 /* DMA_BUF_SYNC_READ: whom the writer is in the way of */}
	if err := opExportSyncFile.Do(buf, &arg); err != nil {
		t.Fatal(err)
	}
	return f, ioctl.NewFD(int(arg.FD))
}

// attach puts a fence into a sync object: it is "submitted".
func (s *syncs) attach(t *testing.T, h drm.SyncobjHandle, point uint64) drmtest.Fence {
	t.Helper()
	f, file := s.fence(t)
	defer file.Close()
	wantErr(t, "import", s.SyncFileToSyncobj(file, h, point), nil)
	return f
}

// trigger puts a signaled fence into a sync object.
func (s *syncs) trigger(t *testing.T, h drm.SyncobjHandle, point uint64) {
	t.Helper()
	s.attach(t, h, point).Signal(t)
}

// query wants the last signaled point of a timeline.
func (s *syncs) query(t *testing.T, h drm.SyncobjHandle, want uint64) {
	t.Helper()
	got := []uint64{0}
	err := s.QueryTimelines([]drm.SyncobjHandle{h}, got, 0)
	if err != nil || got[0] != want {
		t.Errorf("query: %d, %v, want %d", got[0], err, want)
	}
}

// waiting is a wait on a thread of its own.
type waiting struct {
	tid   int
	begun time.Duration
	done  chan struct{}
	first int
	err   error
}

// begin begins a wait, and returns when it is in the kernel. It gives up
// before a fence that nobody signals ends by itself.
func (s *syncs) begin(t *testing.T, set syncSet, flags drm.SyncobjWaitFlags, patience time.Duration) *waiting {
	t.Helper()
	w := &waiting{begun: drm.Monotonic(), done: make(chan struct{})}
	tids := make(chan int)
	go func() {
		defer close(w.done)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		tids <- unix.Gettid()
		w.first, w.err = s.wait(set, flags, w.begun+patience)
	}()
	w.tid = <-tids
	for {
		where, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/wchan", w.tid))
		if err == nil && strings.HasPrefix(string(where), "drm_syncobj") {
			return w
		}
		select {
		case <-w.done:
			t.Fatalf("the wait did not block: %d, %v", w.first, w.err)
		case <-time.After(time.Millisecond):
		}
	}
}

// end wants the wait to end well, for one of the set or for all.
func (w *waiting) end(t *testing.T, first int) {
	t.Helper()
	<-w.done
	if w.err != nil || w.first != first {
		t.Errorf("after %v the wait gave %d, %v, want %d", drm.Monotonic()-w.begun, w.first, w.err, first)
	}
}

func wantErr(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

// subtest is one of IGT, by its name.
type subtest struct {
	name string
	run  func(t *testing.T, s *syncs)
}

// runSyncs runs each with files of its own.
func runSyncs(t *testing.T, timeline bool, tests ...[]subtest) {
	for _, test := range slices.Concat(tests...) {
		t.Run(test.name, func(t *testing.T) { test.run(t, newSyncs(t, timeline)) })
	}
}

// refused is a subtest of calls that the kernel refuses.
func refused(name string, want syscall.Errno, call func(d *drm.Device) error) subtest {
	return subtest{name, func(t *testing.T, s *syncs) { wantErr(t, name, call(s.Device), want) }}
}

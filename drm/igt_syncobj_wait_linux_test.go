package drm_test

import (
	"errors"
	"syscall"
	"testing"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/internal/uapi"
)

const (
	unknown = drm.SyncobjHandle(0xdeadbeef)

	all       = drm.SyncobjWaitAll
	forSubmit = drm.SyncobjWaitForSubmit
)

// someUnknown calls f with sync objects that exist but for one.
func someUnknown(d *drm.Device, f func(hs []drm.SyncobjHandle) error) error {
	var hs []drm.SyncobjHandle
	for range 3 {
		h, err := d.CreateSyncobj(0)
		if err != nil {
			return err
		}
		hs = append(hs, h)
	}
	err := f([]drm.SyncobjHandle{hs[0], hs[1], unknown, hs[2]})
	for _, h := range hs {
		err = errors.Join(err, d.DestroySyncobj(h))
	}
	return err
}

// TestIGTSyncobjWait passes if binary sync objects are waited for, reset and
// signaled as in IGT's syncobj_wait.
//
// Cases D28, K07
func TestIGTSyncobjWait(t *testing.T) {
	runSyncs(t, false, []subtest{
		refused("invalid-wait-bad-flags", syscall.EINVAL, func(d *drm.Device) error {
			_, err := d.WaitSyncobjs([]drm.SyncobjHandle{unknown}, drm.SyncobjWait{Flags: 0xdeadbeef})
			return err
		}),
		{"wait-zero-handles", func(t *testing.T, s *syncs) { wantErr(t, "none", s.look(syncSet{}, 0), nil) }},
		refused("invalid-wait-illegal-handle", syscall.ENOENT, func(d *drm.Device) error {
			_, err := d.WaitSyncobjs([]drm.SyncobjHandle{unknown}, drm.SyncobjWait{})
			return err
		}),
		refused("invalid-reset-zero-handles", syscall.EINVAL, func(d *drm.Device) error {
			return d.ResetSyncobjs(nil)
		}),
		refused("invalid-reset-illegal-handle", syscall.ENOENT, func(d *drm.Device) error {
			return d.ResetSyncobjs([]drm.SyncobjHandle{unknown})
		}),
		refused("invalid-reset-one-illegal-handle", syscall.ENOENT, func(d *drm.Device) error {
			return someUnknown(d, d.ResetSyncobjs)
		}),
		refused("invalid-reset-bad-pad", syscall.EINVAL, func(d *drm.Device) error {
			return uapi.OpSyncobjReset.Do(d.FD(), &uapi.SyncobjArray{CountHandles: 1, Pad: 0xdeadbeef})
		}),
		refused("invalid-signal-zero-handles", syscall.EINVAL, func(d *drm.Device) error {
			return d.SignalSyncobjs(nil)
		}),
		refused("invalid-signal-illegal-handle", syscall.ENOENT, func(d *drm.Device) error {
			return d.SignalSyncobjs([]drm.SyncobjHandle{unknown})
		}),
		refused("invalid-signal-one-illegal-handle", syscall.ENOENT, func(d *drm.Device) error {
			return someUnknown(d, d.SignalSyncobjs)
		}),
		refused("invalid-signal-bad-pad", syscall.EINVAL, func(d *drm.Device) error {
			return uapi.OpSyncobjSignal.Do(d.FD(), &uapi.SyncobjArray{CountHandles: 1, Pad: 0xdeadbeef})
		}),
		{"signal", signalSyncobj},
	}, sharedSyncobj(), matrixSyncobj("single-wait", false), matrixSyncobj("multi-wait", false))
}

// TestIGTSyncobjTimeline passes if points of timelines are waited for, reset,
// signaled, queried and transferred as in IGT's syncobj_timeline.
//
// Cases D28, K07
func TestIGTSyncobjTimeline(t *testing.T) {
	illegal, point := []drm.SyncobjHandle{unknown}, []uint64{1}
	points := []uint64{1, 1, 1, 1}
	runSyncs(t, true, []subtest{
		refused("invalid-wait-bad-flags", syscall.EINVAL, func(d *drm.Device) error {
			_, err := d.WaitTimelines(illegal, point, drm.SyncobjWait{Flags: 0xdeadbeef})
			return err
		}),
		{"wait-zero-handles", func(t *testing.T, s *syncs) { wantErr(t, "none", s.look(syncSet{}, 0), nil) }},
		refused("invalid-wait-illegal-handle", syscall.ENOENT, func(d *drm.Device) error {
			_, err := d.WaitTimelines(illegal, point, drm.SyncobjWait{})
			return err
		}),
		refused("invalid-query-zero-handles", syscall.EINVAL, func(d *drm.Device) error {
			return d.QueryTimelines(nil, nil, 0)
		}),
		refused("invalid-query-illegal-handle", syscall.ENOENT, func(d *drm.Device) error {
			return d.QueryTimelines(illegal, point, 0)
		}),
		refused("invalid-query-one-illegal-handle", syscall.ENOENT, func(d *drm.Device) error {
			return someUnknown(d, func(hs []drm.SyncobjHandle) error { return d.QueryTimelines(hs, points, 0) })
		}),
		refused("invalid-query-bad-pad", syscall.EINVAL, func(d *drm.Device) error {
			return d.QueryTimelines(illegal, point, 0xdeadbeef)
		}),
		refused("invalid-signal-zero-handles", syscall.EINVAL, func(d *drm.Device) error {
			return d.SignalTimelines(nil, nil)
		}),
		refused("invalid-signal-illegal-handle", syscall.ENOENT, func(d *drm.Device) error {
			return d.SignalTimelines(illegal, point)
		}),
		refused("invalid-signal-illegal-point", syscall.ENOENT, func(d *drm.Device) error {
			return d.SignalTimelines(illegal, []uint64{0})
		}),
		refused("invalid-signal-one-illegal-handle", syscall.ENOENT, func(d *drm.Device) error {
			return someUnknown(d, func(hs []drm.SyncobjHandle) error { return d.SignalTimelines(hs, points) })
		}),
		refused("invalid-signal-bad-pad", syscall.EINVAL, func(d *drm.Device) error {
			return uapi.OpSyncobjTimelineSignal.Do(d.FD(), &uapi.SyncobjTimelineArray{CountHandles: 1, Flags: 0xdeadbeef})
		}),
		refused("invalid-transfer-illegal-handle", syscall.ENOENT, func(d *drm.Device) error {
			return d.TransferSyncobj(unknown, 0, unknown, 1, 0)
		}),
		refused("invalid-transfer-bad-pad", syscall.EINVAL, func(d *drm.Device) error {
			return uapi.OpSyncobjTransfer.Do(d.FD(), &uapi.SyncobjTransfer{Pad: 0xdeadbeef})
		}),
		{"invalid-transfer-non-existent-point", transferFuture},
		{"transfer-timeline-point", transferPoint},
		{"signal", signalSyncobj},
		{"signal-array", signalArray},
		{"signal-point-0", signalPointZero},
		{"host-signal-points", hostSignal},
		{"device-signal-unordered", deviceSignalUnordered},
		{"device-submit-unordered", deviceSubmitUnordered},
		{"host-signal-ordered", hostSignalOrdered},
		{"32bits-limit", limit32},
	}, sharedSyncobj(), matrixSyncobj("single-wait", true), matrixSyncobj("multi-wait", true))
}

// sharedSyncobj is what both programs of IGT do with their waits.
func sharedSyncobj() []subtest {
	return []subtest{
		{"wait-delayed-signal", delayed(0)},
		{"wait-for-submit-delayed-submit", delayed(forSubmit)},
		{"wait-all-delayed-signal", delayed(all)},
		{"wait-all-for-submit-delayed-submit", delayed(all | forSubmit)},
		{"reset-unsignaled", resetUnsignaled},
		{"reset-signaled", resetSignaled(1)},
		{"reset-multiple-signaled", resetSignaled(3)},
		{"reset-during-wait-for-submit", resetInWait},
		{"wait-any-snapshot", snapshot(0)},
		{"wait-all-snapshot", snapshot(all)},
		{"wait-for-submit-snapshot", snapshot(forSubmit)},
		{"wait-all-for-submit-snapshot", snapshot(all | forSubmit)},
		{"wait-any-complex", shuffled(0)},
		{"wait-all-complex", shuffled(all)},
		{"wait-for-submit-complex", shuffled(forSubmit)},
		{"wait-all-for-submit-complex", shuffled(all | forSubmit)},
		{"wait-any-interrupted", interrupted(0)},
		{"wait-all-interrupted", interrupted(all)},
	}
}

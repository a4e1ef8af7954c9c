package drm_test

import (
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/drmtest"
)

// transferFuture takes the last point, which has a fence, further on.
func transferFuture(t *testing.T, s *syncs) {
	set := s.set(t, 1)
	h := set.hs[0]
	wantErr(t, "signal", s.SignalTimelines(set.hs, []uint64{63}), nil)
	wantErr(t, "transfer", s.TransferSyncobj(h, 74, h, 63, 0), nil)
	wantErr(t, "transfer of what is not there", s.TransferSyncobj(h, 80, h, 75, 0), syscall.EINVAL)
	s.query(t, h, 74)
}

func transferPoint(t *testing.T, s *syncs) {
	set := s.set(t, 1)
	h := set.hs[0]
	f := s.attach(t, h, 1)
	s.query(t, h, 0)
	wantErr(t, "point 1", s.look(set, all), syscall.ETIME)
	f.Signal(t)
	s.query(t, h, 1)
	wantErr(t, "point 1", s.look(set, all), nil)
	wantErr(t, "signal", s.SignalTimelines(set.hs, []uint64{2}), nil)
	wantErr(t, "transfer", s.TransferSyncobj(h, 3, h, 2, 0), nil)
	s.query(t, h, 3)
}

func signalArray(t *testing.T, s *syncs) {
	set := s.set(t, 4)
	set.points[3] = 0
	wantErr(t, "signal", s.SignalTimelines(set.hs, set.points), nil)
	wantErr(t, "timelines", s.look(syncSet{set.hs[:3], set.points[:3]}, 0), nil)
	_, err := s.WaitSyncobjs(set.hs[3:], drm.SyncobjWait{})
	wantErr(t, "the binary one", err, nil)
}

func signalPointZero(t *testing.T, s *syncs) {
	set := s.set(t, 1)
	set.points[0] = 0
	wantErr(t, "signal", s.SignalTimelines(set.hs, set.points), nil)
	wantErr(t, "as a timeline", s.look(set, 0), nil)
	_, err := s.WaitSyncobjs(set.hs, drm.SyncobjWait{Flags: forSubmit})
	wantErr(t, "as a binary one", err, nil)
}

// reached wants the value of a timeline, and no wait for it or what was before.
func (s *syncs) reached(t *testing.T, set syncSet, want uint64) {
	t.Helper()
	s.query(t, set.hs[0], want)
	for _, point := range []uint64{want, max(want, 1) - 1} {
		for _, flags := range []drm.SyncobjWaitFlags{forSubmit, all | forSubmit} {
			if point != 0 {
				wantErr(t, "wait for what was reached", s.look(syncSet{set.hs, []uint64{point}}, flags), nil)
			}
		}
	}
}

func hostSignal(t *testing.T, s *syncs) {
	set := s.set(t, 1)
	var value uint64
	for range 100 {
		value += uint64(rand.Uint32N(1<<31-1)) + 1
		wantErr(t, "signal", s.SignalTimelines(set.hs, []uint64{value}), nil)
		s.reached(t, set, value)
	}
}

// line puts a fence at each of the points.
func (s *syncs) line(t *testing.T, h drm.SyncobjHandle, points ...uint64) []drmtest.Fence {
	t.Helper()
	var fences []drmtest.Fence
	for _, point := range points {
		fences = append(fences, s.attach(t, h, point))
	}
	return fences
}

// deviceSignalUnordered signals fences in another order than their points have:
// the timeline is as far as all before are.
func deviceSignalUnordered(t *testing.T, s *syncs) {
	set := s.set(t, 1)
	fences := s.line(t, set.hs[0], 1, 2, 3, 4, 5)
	for i, step := range []struct {
		fence int
		want  uint64
	}{{0, 1}, {2, 1}, {1, 3}, {4, 3}, {3, 5}} {
		fences[step.fence].Signal(t)
		t.Logf("step %d: fence %d", i, step.fence+1)
		s.reached(t, set, step.want)
	}
}

// deviceSubmitUnordered submits point 3 after point 5. The kernel makes the
// best of it.
func deviceSubmitUnordered(t *testing.T, s *syncs) {
	set := s.set(t, 1)
	fences := s.line(t, set.hs[0], 1, 5, 3, 6, 7)
	for _, f := range fences[:3] {
		f.Signal(t)
	}
	s.reached(t, set, 5)
	for _, f := range fences[3:] {
		f.Signal(t)
	}
	s.reached(t, set, 7)
}

// hostSignalOrdered signals a point behind others that are not: it counts when
// they are.
func hostSignalOrdered(t *testing.T, s *syncs) {
	set := s.set(t, 1)
	fences := s.line(t, set.hs[0], 1, 2, 3, 4, 5)
	for _, f := range fences[:3] {
		f.Signal(t)
	}
	s.query(t, set.hs[0], 3)
	wantErr(t, "signal", s.SignalTimelines(set.hs, []uint64{8}), nil)
	s.query(t, set.hs[0], 3)
	for _, f := range fences[3:] {
		f.Signal(t)
	}
	s.query(t, set.hs[0], 8)
}

// limit32 goes over points whose differences do not fit 32 bits with a sign.
func limit32(t *testing.T, s *syncs) {
	set := s.set(t, 1)
	const most = 1<<31 - 1
	points := []uint64{1, 5, most + 5, most + 6, 2 * most, 1 << 40}
	fences := s.line(t, set.hs[0], points...)
	stop := make(chan struct{})
	var watcher sync.WaitGroup
	watcher.Go(func() {
		for last, got := uint64(0), []uint64{0}; ; last = got[0] {
			select {
			case <-stop:
				return
			default:
			}
			if err := s.QueryTimelines(set.hs, got, 0); err != nil || got[0] < last {
				t.Errorf("query: %d after %d, %v", got[0], last, err)
				return
			}
		}
	})
	for i, f := range fences {
		f.Signal(t)
		s.query(t, set.hs[0], points[i])
	}
	close(stop)
	watcher.Wait()
}

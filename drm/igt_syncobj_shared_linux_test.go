package drm_test

import (
	"os"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/drmtest"
)

// firstOf is what a wait for any or for all returns when it ends with one.
func firstOf(flags drm.SyncobjWaitFlags, first int) int {
	if flags&all != 0 {
		return -1
	}
	return first
}

// delayed signals, or submits and signals, what is waited for.
func delayed(flags drm.SyncobjWaitFlags) func(*testing.T, *syncs) {
	return func(t *testing.T, s *syncs) {
		set := s.set(t, 1)
		var f drmtest.Fence
		if flags&forSubmit == 0 {
			f = s.attach(t, set.hs[0], set.points[0])
		}
		w := s.begin(t, set, flags, 5*time.Second)
		if flags&forSubmit != 0 {
			f = s.attach(t, set.hs[0], set.points[0])
		}
		f.Signal(t)
		w.end(t, firstOf(flags, 0))
	}
}

func signalSyncobj(t *testing.T, s *syncs) {
	set := s.set(t, 1)
	wantErr(t, "empty", s.look(set, 0), syscall.EINVAL)
	wantErr(t, "empty, for submit", s.look(set, forSubmit), syscall.ETIME)
	if s.timeline {
		wantErr(t, "signal", s.SignalTimelines(set.hs, set.points), nil)
	} else {
		wantErr(t, "signal", s.SignalSyncobjs(set.hs), nil)
	}
	wantErr(t, "signaled", s.look(set, 0), nil)
	wantErr(t, "signaled, for submit", s.look(set, forSubmit), nil)
}

func resetUnsignaled(t *testing.T, s *syncs) {
	set := s.set(t, 1)
	wantErr(t, "empty", s.look(set, 0), syscall.EINVAL)
	wantErr(t, "reset", s.ResetSyncobjs(set.hs), nil)
	wantErr(t, "after the reset", s.look(set, 0), syscall.EINVAL)
}

func resetSignaled(n int) func(*testing.T, *syncs) {
	return func(t *testing.T, s *syncs) {
		set := s.set(t, n)
		for i, h := range set.hs {
			s.trigger(t, h, set.points[i])
		}
		for range 2 {
			wantErr(t, "signaled", s.look(set, 0), nil)
		}
		wantErr(t, "reset", s.ResetSyncobjs(set.hs), nil)
		for i := range set.hs {
			wantErr(t, "after the reset", s.look(syncSet{set.hs[i : i+1], set.points[i : i+1]}, 0), syscall.EINVAL)
		}
	}
}

// resetInWait resets what has no fence: that is nothing to who waits for one.
func resetInWait(t *testing.T, s *syncs) {
	set := s.set(t, 1)
	w := s.begin(t, set, forSubmit, 5*time.Second)
	wantErr(t, "reset", s.ResetSyncobjs(set.hs), nil)
	s.trigger(t, set.hs[0], set.points[0])
	w.end(t, 0)
}

// snapshot resets and reuses one of two sync objects under a wait, which is for
// the fence that it saw first.
func snapshot(flags drm.SyncobjWaitFlags) func(*testing.T, *syncs) {
	return func(t *testing.T, s *syncs) {
		set := s.set(t, 2)
		var fences [2]drmtest.Fence
		if flags&forSubmit == 0 {
			for i := range fences {
				fences[i] = s.attach(t, set.hs[i], set.points[i])
			}
		}
		w := s.begin(t, set, flags, 5*time.Second)
		if flags&forSubmit != 0 {
			fences[0] = s.attach(t, set.hs[0], set.points[0])
		}
		if flags&all != 0 {
			fences[0].Signal(t)
		}
		wantErr(t, "reset", s.ResetSyncobjs(set.hs[:1]), nil)
		s.attach(t, set.hs[0], set.points[0]) // which nobody signals
		if flags&forSubmit != 0 {
			fences[1] = s.attach(t, set.hs[1], set.points[1])
		}
		fences[1].Signal(t)
		w.end(t, firstOf(flags, 1))
	}
}

// shuffled takes eight sync objects from stage to stage, each at its own time:
// submitted, signaled, reset, submitted anew.
func shuffled(flags drm.SyncobjWaitFlags) func(*testing.T, *syncs) {
	return func(t *testing.T, s *syncs) {
		set := s.set(t, 8)
		var stages [8]int
		var fences [8]drmtest.Fence
		attach := func(i int) { fences[i] = s.attach(t, set.hs[i], set.points[i]) }
		if flags&forSubmit == 0 {
			for i := range fences {
				attach(i)
			}
		}
		w := s.begin(t, set, flags, 5*time.Second)
		count, first := 0, 0
		for _, i := range []int{
			2, 0, 6, 1, 1, 4, 5, 2, 0, 7, 1, 7, 6, 3, 4, 5,
			0, 2, 7, 3, 5, 4, 0, 6, 7, 3, 2, 5, 6, 1, 4, 3,
		} {
			switch stages[i]++; stages[i] {
			case 1:
				if flags&forSubmit != 0 {
					attach(i)
				}
			case 2:
				fences[i].Signal(t)
				if count++; count == 1 {
					first = i
				}
			case 3:
				wantErr(t, "reset", s.ResetSyncobjs(set.hs[i:i+1]), nil)
			case 4:
				attach(i) // which nobody signals
			}
			if count == len(set.hs) || count == 1 && flags&all == 0 {
				break
			}
		}
		w.end(t, firstOf(flags, first))
	}
}

// interrupted sends a signal to the waiting thread again and again. The wait
// ends at its time all the same: it is an absolute one, so that to begin anew
// does not make it longer.
func interrupted(flags drm.SyncobjWaitFlags) func(*testing.T, *syncs) {
	return func(t *testing.T, s *syncs) {
		set := s.set(t, 1)
		defer s.attach(t, set.hs[0], set.points[0]).Signal(t)
		const patience = 200 * time.Millisecond
		w := s.begin(t, set, flags, patience)
		sent := 0
		for done := false; !done; sent++ {
			_ = unix.Tgkill(os.Getpid(), w.tid, unix.SIGURG) // which may have ended
			select {
			case <-w.done:
				done = true
			case <-time.After(time.Millisecond):
			}
			if sent > 5000 {
				t.Fatal("the wait does not end while signals come")
			}
		}
		took := drm.Monotonic() - w.begun
		wantErr(t, "wait", w.err, syscall.ETIME)
		// The kernel counts ticks, which a machine under load has too many of
		// at once: a wait of 20 ms was seen to end 16 ms early.
		if sent < 5 || took < patience/2 {
			t.Errorf("%d signals in %v, want half the time and some signals at least", sent, took)
		}
		t.Logf("%d signals, %v for a wait of %v", sent, took, patience)
	}
}

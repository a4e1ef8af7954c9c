package prime_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"

	"github.com/gemtool/gemtool/drm/ioctl"
	"github.com/gemtool/gemtool/prime"
)

// TestSWSync passes if fences of the kernel's software timelines do what IGT's
// sw_sync wants of them, waited for and merged through this package.
//
// Case D30
func TestSWSync(t *testing.T) {
	merge := func(t *testing.T, a, b *prime.SyncFile) *prime.SyncFile {
		t.Helper()
		m, err := a.Merge("merged", b)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { m.Close() })
		return m
	}
	count := func(t *testing.T, s *prime.SyncFile, want int) {
		t.Helper()
		if info, err := s.Info(); err != nil || len(info.Fences) != want {
			t.Errorf("%+v, %v: want %d fences", info, err, want)
		}
	}
	for _, test := range []struct {
		name string
		run  func(t *testing.T)
	}{
		{"alloc_timeline", func(t *testing.T) { newSWTimeline(t) }},
		{"alloc_fence", func(t *testing.T) {
			s := newSWTimeline(t).fence(t, 0)
			wantSignaled(t, "at the timeline's beginning", s, true)
		}},
		{"alloc_fence_invalid_timeline", func(t *testing.T) {
			newSWTimeline(t)
			null := ioctl.NewFD(newFence(t).r) // a pipe
			if err := opSWSyncCreateFence.Do(null, &swSyncCreateFence{}); err != syscall.ENOTTY {
				t.Errorf("%v, want ENOTTY", err)
			}
		}},
		{"alloc_merge_fence", func(t *testing.T) {
			a, b := newSWTimeline(t), newSWTimeline(t)
			count(t, merge(t, a.fence(t, 1), b.fence(t, 1)), 2)
		}},
		{"sync_busy", func(t *testing.T) {
			tl := newSWTimeline(t)
			s := tl.fence(t, 5)
			for _, by := range []uint32{0, 1, 3} {
				tl.inc(t, by)
				wantSignaled(t, fmt.Sprintf("%d more", by), s, false)
			}
			tl.inc(t, 1)
			wantSignaled(t, "the last", s, true)
			wantSignaled(t, "a fence of the past", tl.fence(t, 5), true)
		}},
		{"sync_merge_invalid", func(t *testing.T) {
			s := newSWTimeline(t).fence(t, 1)
			closed := newSWTimeline(t).fence(t, 1)
			closed.Close()
			if _, err := s.Merge("", closed); !errors.Is(err, prime.ErrClosed) {
				t.Errorf("with a closed one: %v", err)
			}
		}},
		{"sync_merge", func(t *testing.T) {
			tl := newSWTimeline(t)
			a, b, c := tl.fence(t, 1), tl.fence(t, 2), tl.fence(t, 3)
			m := merge(t, merge(t, a, b), c)
			count(t, m, 1) // of one timeline the last is enough
			for i := range 3 {
				wantSignaled(t, fmt.Sprintf("at %d", i), m, false)
				tl.inc(t, 1)
			}
			wantSignaled(t, "at 3", m, true)
		}},
		{"sync_merge_same", func(t *testing.T) {
			tl := newSWTimeline(t)
			s := tl.fence(t, 1)
			m := merge(t, s, s)
			count(t, m, 1)
			tl.inc(t, 1)
			wantSignaled(t, "after", m, true)
		}},
		{"sync_multi_timeline_wait", func(t *testing.T) {
			a, b, c := newSWTimeline(t), newSWTimeline(t), newSWTimeline(t)
			m := merge(t, merge(t, a.fence(t, 5), b.fence(t, 5)), c.fence(t, 5))
			count(t, m, 3)
			a.inc(t, 5)
			b.inc(t, 5)
			wantSignaled(t, "two of three", m, false)
			done := make(chan error)
			go func() { done <- m.Wait(t.Context()) }()
			c.inc(t, 5)
			if err := <-done; err != nil {
				t.Error(err)
			}
		}},
		{"sync_multi_consumer", func(t *testing.T) {
			tl := newSWTimeline(t)
			var wg sync.WaitGroup
			for i := range uint32(16) {
				s := tl.fence(t, i+1)
				wg.Go(func() {
					if err := s.Wait(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
			for range 16 {
				tl.inc(t, 1)
			}
			wg.Wait()
		}},
		{"sync_multi_consumer_producer", func(t *testing.T) {
			const rounds, parties = 16, 4
			tl := newSWTimeline(t)
			var wg sync.WaitGroup
			for p := range uint32(parties) {
				var mine []*prime.SyncFile
				for r := range uint32(rounds) {
					mine = append(mine, tl.fence(t, r*parties+p))
				}
				wg.Go(func() {
					for _, s := range mine {
						if err := s.Wait(t.Context()); err != nil {
							t.Error(err)
						}
						tl.inc(t, 1)
					}
				})
			}
			wg.Wait()
		}},
		{"sync_multi_producer_single_consumer", func(t *testing.T) {
			var all []swTimeline
			var m *prime.SyncFile
			for range 8 {
				tl := newSWTimeline(t)
				all = append(all, tl)
				if s := tl.fence(t, 1); m == nil {
					m = s
				} else {
					m = merge(t, m, s)
				}
			}
			for _, tl := range all {
				wantSignaled(t, "before the last", m, false)
				go tl.inc(t, 1)
			}
			if err := m.Wait(t.Context()); err != nil {
				t.Error(err)
			}
		}},
		{"sync_random_merge", func(t *testing.T) {
			const timelines, merges = 32, 256
			var all []swTimeline
			var last [timelines]uint32
			for range timelines {
				all = append(all, newSWTimeline(t))
			}
			m := all[0].fence(t, 0)
			for range merges {
				i, value := rand.IntN(timelines), rand.Uint32N(100)+1
				last[i] = max(last[i], value)
				s := all[i].fence(t, value)
				next, err := m.Merge("", s)
				if err != nil {
					t.Fatal(err)
				}
				m.Close()
				s.Close()
				m = next
			}
			defer m.Close()
			for i, tl := range all {
				if last[i] > 0 {
					wantSignaled(t, "before the last", m, false)
					tl.inc(t, last[i])
				}
			}
			wantSignaled(t, "after all", m, true)
		}},
		{"sync_expired_merge", func(t *testing.T) {
			tl := newSWTimeline(t)
			a := tl.fence(t, 1)
			tl.inc(t, 1)
			m := merge(t, a, a)
			wantSignaled(t, "merge of the past", m, true)
			if info, err := m.Info(); err != nil || info.Status != prime.FenceSignaled {
				t.Errorf("%+v, %v", info, err)
			}
		}},
		{"timeline_closed", func(t *testing.T) {
			tl := newSWTimeline(t)
			s := tl.fence(t, 1)
			tl.fd.Close()
			if err := s.Wait(t.Context()); err != nil {
				t.Error(err)
			}
			info, err := s.Info()
			if err != nil || !errors.Is(info.Status.Err(), syscall.ENOENT) || !errors.Is(info.Fences[0].Status.Err(), syscall.ENOENT) {
				t.Errorf("%+v, %v: want a fence that failed with ENOENT", info, err)
			}
		}},
		{"timeline_closed_signaled", func(t *testing.T) {
			tl := newSWTimeline(t)
			s := tl.fence(t, 1)
			tl.inc(t, 1)
			tl.fd.Close()
			if info, err := s.Info(); err != nil || info.Status != prime.FenceSignaled {
				t.Errorf("%+v, %v", info, err)
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			guard(t)
			test.run(t)
		})
	}
}

package gem_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gemtool/gemtool/prime"
)

// TestPoolRace passes if many goroutines never have a buffer at the same time,
// nor get one that another still holds, while the shrinker runs and contexts
// end, and if nothing is left in the end.
func TestPoolRace(t *testing.T) {
	p := newPoolTest(t, 6, false)
	var owners, holds sync.Map // by object: who has it, how many holds
	stop := make(chan struct{})
	var shrinker sync.WaitGroup
	shrinker.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				p.store.Shrink(poolPage)
			}
		}
	})
	var users sync.WaitGroup
	for me := range 8 {
		users.Go(func() {
			var releases []func()
			for range 400 {
				ctx, cancel := context.WithCancel(t.Context())
				if rand.IntN(4) == 0 {
					go cancel()
				}
				k := poolKinds[rand.IntN(len(poolKinds))]
				o, err := p.Get(ctx, k.width, k.height, k.format)
				cancel()
				if errors.Is(err, context.Canceled) {
					continue
				}
				if err != nil {
					t.Error(err)
					break
				}
				if other, has := owners.LoadOrStore(o, me); has {
					t.Errorf("%d got the buffer of %v", me, other)
				}
				count, _ := holds.LoadOrStore(o, new(atomic.Int32))
				if n := count.(*atomic.Int32).Load(); n > 0 {
					t.Errorf("got a buffer with %d holds", n)
				}
				m, err := o.VMap(t.Context(), prime.ReadWrite)
				if err != nil {
					t.Error(err)
					break
				}
				if m.Bytes()[100] != 0 {
					t.Error("the buffer is not clear")
				}
				m.Bytes()[100] = byte(1 + me)
				if m.Bytes()[100] != byte(1+me) {
					t.Error("another writes to the buffer")
				}
				if err := m.VUnmap(); err != nil {
					t.Error(err)
				}
				if rand.IntN(2) == 0 { // a display shows it for a while
					release, err := o.Hold()
					if err != nil {
						t.Error(err)
					}
					count.(*atomic.Int32).Add(1)
					releases = append(releases, func() {
						count.(*atomic.Int32).Add(-1)
						release()
					})
				}
				if rand.IntN(8) == 0 {
					b, err := o.Export()
					if err != nil {
						t.Error(err)
					} else if err := b.Close(); err != nil {
						t.Error(err)
					}
				}
				owners.Delete(o)
				if rand.IntN(16) == 0 {
					err = o.Close()
				} else {
					err = p.Put(o)
				}
				if err != nil {
					t.Error(err)
				}
				if len(releases) > 2 {
					releases[0]()
					releases = releases[1:]
				}
			}
			for _, release := range releases {
				release()
			}
		})
	}
	users.Wait()
	close(stop)
	shrinker.Wait()
}

package gem_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/gem"
	"github.com/gemtool/gemtool/prime"
	"github.com/gemtool/gemtool/prime/resv"
)

// linearOp is an operation of a history, and linearResult its outcome.
type linearOp string

type linearResult struct {
	err      error // nil or a sentinel
	retained bool  // of madvise
	count    uint32
}

// linearState is the object to a client who sees one operation at a time.
type linearState struct {
	pins, maps, holds uint32
	madv              gem.Advice
	purged            bool
}

// step is the sequential model.
func (s linearState) step(op linearOp) (linearResult, linearState) {
	var r linearResult
	switch op {
	case "pin", "map", "hold":
		if s.purged {
			r.err = gem.ErrPurged
			break
		}
		s.pins += uint32(btoi(op == "pin"))
		s.maps += uint32(btoi(op == "map"))
		s.holds += uint32(btoi(op == "hold"))
	case "unpin":
		if s.pins == 0 {
			r.err = gem.ErrUnderflow
			break
		}
		s.pins--
	case "unmap":
		s.maps--
	case "release":
		s.holds--
	case "need", "needless":
		if s.madv >= 0 {
			s.madv = gem.Advice(btoi(op == "needless"))
		}
		r.retained = s.madv >= 0
	case "purge":
		if s.purged || s.madv <= 0 || s.pins+s.maps+s.holds > 0 {
			r.err = gem.ErrNotPurgeable
			break
		}
		s.purged, s.madv = true, -1
	case "pins?":
		r.count = s.pins + min(1, s.maps)
	case "maps?":
		r.count = s.maps
	}
	return r, s
}

var linearModel = porcupine.Model{
	Init: func() any { return linearState{} },
	Step: func(state, input, output any) (bool, any) {
		want, next := state.(linearState).step(input.(linearOp))
		return want == output.(linearResult), next
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%s: %+v", input, output) },
}

// linearClient takes operations on an object, one after the other.
type linearClient struct {
	o     *gem.Object
	maps  []gem.Map
	holds []func()
}

var linearSentinels = []error{gem.ErrPurged, gem.ErrUnderflow, gem.ErrNotPurgeable}

func (c *linearClient) do(t *testing.T, op linearOp) linearResult {
	ctx := t.Context()
	var r linearResult
	var err error
	switch op {
	case "pin":
		err = c.o.Pin(ctx)
	case "unpin":
		err = c.o.Unpin()
	case "map":
		var m gem.Map
		if m, err = c.o.VMap(ctx, prime.Read); err == nil {
			c.maps = append(c.maps, m)
		}
	case "unmap":
		last := len(c.maps) - 1
		err = c.maps[last].VUnmap()
		c.maps = c.maps[:last]
	case "hold":
		var release func()
		if release, err = c.o.Hold(); err == nil {
			c.holds = append(c.holds, release)
		}
	case "release":
		last := len(c.holds) - 1
		c.holds[last]()
		c.holds = c.holds[:last]
	case "need":
		r.retained, err = c.o.Madvise(ctx, gem.WillNeed)
	case "needless":
		r.retained, err = c.o.Madvise(ctx, gem.DontNeed)
	case "purge":
		err = c.o.Purge(ctx)
	case "pins?", "maps?":
		var st gem.Stats
		st, _, err = c.o.Stats(ctx)
		r.count = st.VMapUse
		if op == "pins?" {
			r.count = st.PagesPin
		}
	case "lock":
		var held resv.Held
		if held, err = c.o.Reservation().Lock(ctx); err == nil {
			yield()
			err = held.Unlock()
		}
	}
	r.err = err
	for _, sentinel := range linearSentinels {
		if errors.Is(err, sentinel) {
			r.err = sentinel
		}
	}
	return r
}

// yield lets the others go on.
func yield() {
	for range rand.IntN(8) {
		runtime.Gosched()
	}
}

// next chooses what the client can do.
func (c *linearClient) next(ops []linearOp) linearOp {
	for {
		op := ops[rand.IntN(len(ops))]
		if op == "unmap" && len(c.maps) == 0 || op == "release" && len(c.holds) == 0 {
			continue
		}
		return op
	}
}

// linearHistory has clients do things to one new object at the same time. They
// begin each step together, or most would be done before the next one starts.
func linearHistory(t *testing.T, s *gem.Store, steps int, ops []linearOp) []porcupine.Operation {
	o, err := s.Create(32, 32, 32)
	if err != nil {
		t.Fatal(err)
	}
	var clients [4]linearClient
	var histories [len(clients)][]porcupine.Operation
	var clock, ready atomic.Int64
	var wg sync.WaitGroup
	for id := range clients {
		wg.Go(func() {
			c := &clients[id]
			c.o = o
			for step := range steps {
				op := c.next(ops)
				for ready.Add(1); ready.Load() < int64(len(clients)*(step+1)); {
					runtime.Gosched()
				}
				call := clock.Add(1)
				r := c.do(t, op)
				histories[id] = append(histories[id], porcupine.Operation{
					ClientId: id, Input: op, Call: call, Output: r, Return: clock.Add(1),
				})
			}
		})
	}
	wg.Wait()
	for _, c := range clients {
		for _, m := range c.maps {
			if err := m.VUnmap(); err != nil {
				t.Error(err)
			}
		}
		for _, release := range c.holds {
			release()
		}
	}
	for o.Unpin() == nil {
	}
	st, _, err := o.Stats(t.Context())
	st.Madv = 0
	if err != nil || st != (gem.Stats{}) {
		t.Errorf("at rest: %+v, %v", st, err)
	}
	if err := o.Close(); err != nil {
		t.Error(err)
	}
	return slices.Concat(histories[:]...)
}

// TestLinearizableSoak passes if what clients of one object see at the same
// time can be put into an order in which one after the other would have seen
// it, and nothing is left when they rest. Steps that hold the reservation, or
// make the kernel slow, let the others meet them.
//
// Pins and maps are never looked at in one history: what was given back while
// somebody held the reservation counts until he ends, and a Pin needs no
// reservation, so both together need not have an order.
//
// Cases H04, H12
func TestLinearizableSoak(t *testing.T) {
	f, s, _, _ := fakeStores(t)
	for _, call := range []string{drmtest.FakeMmap, drmtest.FakeMunmap, "GEM_CLOSE"} {
		f.On(call, func(drmtest.Call) syscall.Errno { yield(); return 0 })
	}
	for name, ops := range map[string][]linearOp{
		"pin":   {"pin", "unpin", "unpin", "pins?", "lock"},
		"map":   {"map", "unmap", "unmap", "pin", "unpin", "maps?", "lock"},
		"purge": {"needless", "needless", "need", "purge", "purge", "pin", "unpin", "map", "unmap", "hold", "release", "maps?", "lock"},
	} {
		t.Run(name, func(t *testing.T) {
			rounds, overlaps := times(300, 10_000), 0
			for range rounds {
				history := linearHistory(t, s, 6, ops)
				for _, op := range history {
					overlaps += btoi(op.Return > op.Call+1)
				}
				result := porcupine.CheckOperationsTimeout(linearModel, history, 30*time.Second)
				if result == porcupine.Ok {
					continue
				}
				t.Errorf("history is %s", result)
				for _, op := range history {
					t.Logf("%d: %3d to %3d %s", op.ClientId, op.Call, op.Return, linearModel.DescribeOperation(op.Input, op.Output))
				}
				return
			}
			t.Logf("%d operations, %d met another", rounds*4*6, overlaps)
			if overlaps < rounds {
				t.Error("too few met: this has tested nothing")
			}
		})
	}
	if got := f.Count(); got.Handles+got.Mappings != 0 {
		t.Errorf("left: %+v", got)
	}
}

package gem_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"pgregory.net/rapid"

	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/gem"
	"github.com/gemtool/gemtool/prime"
	"github.com/gemtool/gemtool/prime/primetest"
	"github.com/gemtool/gemtool/prime/resv"
)

// sim takes steps with the library on a fake kernel and with the reference
// model, and compares them after each. Three stores are on two cards: the
// first two are open files of one.
type sim struct {
	t    *rapid.T // of the step
	fake *drmtest.Fake
	seen map[string]int // steps and how they went, for all sims together

	stores   [3]*gem.Store
	sources  []*refSource // of other processes
	nodes    []*refNode   // that are used in any way
	objects  []*refObject
	maps     []*refMap
	locals   []*refMap
	buffers  []*refBuffer
	windows  []*refWindow
	holds    []*refHold
	idle     []*refObject // marked DontNeed, the oldest mark first
	holding  []*refNode   // whose reservations the model has
	set      *resv.Set    // that has them, nil for a single one
	stale    []resv.Held
	warned   atomic.Int64
	warnings int64 // to be seen in warned
}

// cards of the stores.
var cards = [3]int{0, 0, 1}

type refBuffer struct {
	*prime.Buffer
	src  *refSource
	node *refNode // that it keeps
}

type refWindow struct {
	gem.Window
	shared, ended bool
}

type refHold struct {
	release func()
	obj     *refObject
}

func newSim(t *rapid.T, seen map[string]int) *sim {
	drmtest.CheckLeaks(t)
	s := &sim{t: t, seen: seen, fake: primetest.NewFake(t)}
	one, two := s.fake.NewCard("one"), s.fake.NewCard("two")
	for i, card := range []*drmtest.FakeCard{one, one, two} {
		s.stores[i] = gem.StoreOf(card.Open())
	}
	for _, readOnly := range []bool{false, true} {
		b, err := prime.New(s.fake.NewBuffer(4096, readOnly))
		if err != nil {
			t.Fatal(err)
		}
		s.sources = append(s.sources, &refSource{card: -1, size: 4096, readOnly: readOnly, foreign: b})
	}
	t.Cleanup(gem.OnWarn(func(gem.Warning) { s.warned.Add(1) }))
	t.Cleanup(s.abandon)
	return s
}

// abandon closes what a failed test has left, so that the many tries to shrink
// it find descriptors.
func (s *sim) abandon() {
	for _, m := range slices.Concat(s.maps, s.locals) {
		m.end()
	}
	for _, n := range s.holding {
		n.held.Unlock()
	}
	for _, o := range s.objects {
		for o.Unpin() == nil {
		}
		o.Object.Close()
	}
	for _, h := range s.holds {
		h.release()
	}
	for _, w := range s.windows {
		w.Window.End()
	}
	for _, b := range s.buffers {
		b.Close()
	}
	for _, src := range s.sources {
		src.foreign.Close()
	}
}

// want compares an outcome with the model's, which is nil, a sentinel or an
// errno.
func (s *sim) want(step string, got, want error) {
	s.seen[step+": "+outcomeNames[want]]++
	if !errors.Is(got, want) {
		s.t.Fatalf("%s: %v, want %v", step, got, want)
	}
}

// number draws one below n, which shrinks to 0. rapid prefers small numbers,
// which here nobody should.
func (s *sim) number(n int, what string) int {
	return rapid.IntRange(0, 1<<16-1).Draw(s.t, what) % n
}

var outcomeNames = map[error]string{
	nil: "ok", context.DeadlineExceeded: "waits", errOwn: "its function's",
	gem.ErrClosed: "ErrClosed", gem.ErrPurged: "ErrPurged", gem.ErrImported: "ErrImported",
	gem.ErrNotLocked: "ErrNotLocked", gem.ErrStale: "ErrStale", gem.ErrUnderflow: "ErrUnderflow",
	gem.ErrLocalMapsLive: "ErrLocalMapsLive", gem.ErrNotPurgeable: "ErrNotPurgeable",
	prime.ErrRange: "ErrRange", prime.ErrAccessMode: "ErrAccessMode",
	syscall.ENOMEM: "ENOMEM", syscall.EIO: "EIO", syscall.ENOSPC: "ENOSPC", syscall.EMFILE: "EMFILE",
}

// errOwn is what a function inside of Local fails with.
var errOwn = errors.New("of the function")

func choose[E any](s *sim, what string, from []E) E { return from[s.number(len(from), what)] }

// chance is true in one of n cases, and shrinks to false.
func (s *sim) chance(n int, what string) bool { return s.number(n, what) == n-1 }

func (s *sim) access() prime.Access {
	if s.chance(16, "no access") {
		return 0
	}
	return choose(s, "access", []prime.Access{prime.ReadWrite, prime.Read, prime.Write})
}

// fail makes the next call of a name fail in some of the cases, until the
// returned function takes that back.
func (s *sim) fail(name string, errno syscall.Errno) (failing bool, restore func()) {
	if !s.chance(5, name+" fails") {
		return false, func() {}
	}
	s.fake.Fail(name, errno)
	return true, func() { s.fake.On(name, nil) }
}

// wants is what the model says of a call, in the order of the library's looking.
type wants struct {
	before error // without a look at the reservation
	fast   bool  // without need of it
	err    error // under it
}

// call does something that needs n's reservation, by taking it, by showing the
// Held, or by showing a wrong one. It says whether it was done.
func (s *sim) call(n *refNode, step string, w wants, taking func(context.Context) error, showing func(resv.Held) error) bool {
	want := w.before
	if want == nil {
		want = w.err
	}
	way := s.number(10, "way")
	switch {
	case way == 9:
		step, want = step+"Locked", gem.ErrNotLocked
		h := s.wrongHeld(n)
		s.want(step, showing(h), want)
	case n.lock == lockHeld && way > 1:
		step += "Locked"
		s.want(step, showing(n.held), want)
	default:
		if w.before == nil && !w.fast && n.lock != lockFree {
			want = context.DeadlineExceeded
		}
		var err error
		s.waiting(want, func(ctx context.Context) { err = taking(ctx) })
		s.want(step, err, want)
	}
	return want == nil
}

// wrongHeld returns what is no Held of n.
func (s *sim) wrongHeld(n *refNode) resv.Held {
	others := append([]resv.Held{{}}, s.stale...)
	for _, o := range s.holding {
		if o != n {
			others = append(others, o.held)
		}
	}
	return choose(s, "wrong Held", others)
}

// waiting calls f with a context that ends soon if that is what the model
// wants.
func (s *sim) waiting(want error, f func(context.Context)) {
	ctx := context.Background()
	if want == context.DeadlineExceeded {
		short, cancel := context.WithTimeout(ctx, 20*time.Microsecond)
		defer cancel()
		ctx = short
	}
	s.apart(func() { f(ctx) })
}

// settled calls f, again while a window that was given up before is still being
// begun: the fake kernel never blocks there, and a machine that is busy can leave
// the goroutine waiting for longer than the library does.
func settled(f func() error) (err error) {
	for range 1000 {
		err = f()
		if !errors.Is(err, prime.ErrFenceBusy) || errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		time.Sleep(time.Millisecond)
	}
	return err
}

// apart calls f on a goroutine that holds nothing: whoever holds a reservation
// may not take another.
func (s *sim) apart(f func()) {
	if len(s.holding) == 0 {
		f()
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	<-done
}

// check compares what is there with the model.
func (s *sim) check(*rapid.T) {
	for _, o := range s.objects {
		n := o.node
		var got gem.Stats
		var ok bool
		var err error
		switch n.lock {
		case lockOver:
			continue // nobody can look
		case lockHeld:
			got, ok, err = o.StatsLocked(n.held)
		case lockFree:
			s.apart(func() { got, ok, err = o.Stats(context.Background()) })
		}
		want := n.stats()
		if o.imported {
			want = gem.Stats{}
		}
		if err != nil || ok == o.imported || got != want {
			s.t.Fatalf("counters %+v, %v, %v, want %+v, %v", got, ok, err, want, !o.imported)
		}
		if got.VMapUse > 0 && got.PagesPin == 0 || got.PagesPin > 0 && got.PagesUse == 0 {
			s.t.Fatalf("invariant broken: %+v", got)
		}
		if o.purged != (o.Handle() == 0) || o.Imported() != o.imported {
			s.t.Fatalf("handle %v, imported %v", o.Handle(), o.Imported())
		}
	}
	var want drmtest.FakeCount
	for _, n := range s.nodes {
		want.Mappings += btoi(n.mapped())
	}
	for _, src := range s.allSources() {
		for _, h := range src.handles {
			want.Handles += btoi(h.refs > 0 || h.leaked)
		}
	}
	for _, w := range s.windows {
		want.Windows += btoi(w.shared && !w.ended)
	}
	if got := s.fake.Count(); got != want {
		s.t.Fatalf("the fake kernel has %+v, want %+v", got, want)
	}
	if misuse := s.fake.Misuse(); len(misuse) > 0 {
		s.t.Fatalf("misuse: %q", misuse)
	}
	if got := s.warned.Load(); got != s.warnings {
		for _, n := range s.nodes {
			s.t.Logf("%+v %+v", *n, *n.src)
		}
		s.t.Fatalf("%d warnings, want %d", got, s.warnings)
	}
	for _, m := range slices.Concat(s.maps, s.locals) {
		if b := m.bytes(); (b == nil) != m.ended || b != nil && (len(b) != m.node.src.size || b[0] != m.node.src.content) {
			s.t.Fatalf("ended %v: %d bytes", m.ended, len(b))
		}
	}
}

// allSources are those of the model's nodes, each once.
func (s *sim) allSources() []*refSource {
	all := slices.Clone(s.sources)
	for _, n := range s.nodes {
		if !n.foreign() {
			all = append(all, n.src)
		}
	}
	return all
}

// touch writes through a new map where that is allowed.
func (s *sim) touch(n *refNode, b []byte, a prime.Access) {
	if len(b) != n.src.size || b[0] != n.src.content {
		s.t.Errorf("a map of %d bytes of another memory", len(b))
		return
	}
	if a&prime.Write != 0 {
		n.src.content++
		b[0]++
	}
}

// end gives everything back, and checks that nothing is left.
func (s *sim) end(t *rapid.T) {
	s.t = t
	for len(s.holding) > 0 {
		s.Unlock()
	}
	for _, l := range slices.Clone(s.locals) {
		s.unmapLocal(l)
	}
	for _, m := range slices.Clone(s.maps) {
		s.vunmap(m)
	}
	for _, n := range s.nodes {
		for n.pins > 0 && !n.going {
			s.unpin(n.native)
		}
	}
	for _, w := range s.windows {
		s.endWindow(w)
	}
	for _, o := range s.objects {
		s.close(o, false)
	}
	for _, h := range s.holds {
		s.release(h, false)
	}
	for _, b := range s.buffers {
		s.closeBuffer(b)
	}
	for _, src := range s.sources {
		s.want("Buffer.Close", src.foreign.Close(), nil)
	}
	s.check(t)
	for _, n := range s.nodes {
		if n.mapped() || n.lock != lockFree || n.refs != 0 {
			t.Fatalf("the model has lost count: %+v", n)
		}
	}
}

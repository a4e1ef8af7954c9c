package gem_test

import (
	"context"
	"errors"
	"slices"
	"syscall"

	"github.com/gemtool/gemtool/gem"
	"github.com/gemtool/gemtool/prime"
	"github.com/gemtool/gemtool/prime/resv"
)

func (s *sim) Madvise() {
	o := s.object()
	n := o.node
	a := choose(s, "advice", []gem.Advice{gem.DontNeed, gem.WillNeed, gem.DontNeed, -1})
	if a < 0 && !s.chance(4, "lost") {
		a = gem.DontNeed
	}
	w := wants{err: o.native()}
	if w.err == gem.ErrPurged {
		w.err = nil // an answer, not an error
	}
	var retained bool
	if !s.call(n, "Madvise", w,
		func(ctx context.Context) (err error) { retained, err = o.Object.Madvise(ctx, a); return err },
		func(h resv.Held) (err error) { retained, err = o.MadviseLocked(h, a); return err }) {
		return
	}
	if n.madv >= 0 {
		n.madv = a
		s.idle = without(s.idle, o)
		if a > 0 {
			s.idle = append(s.idle, o)
		}
	}
	if retained != (n.madv >= 0) {
		s.t.Fatalf("Madvise says retained %v, madv is %d", retained, n.madv)
	}
}

// marked is object, and mostly one that may be purgeable.
func (s *sim) marked() *refObject {
	if len(s.idle) == 0 || s.chance(3, "not marked") {
		return s.object()
	}
	for _, o := range s.idle {
		if o.node.lock == lockHeld {
			return o
		}
	}
	return choose(s, "marked object", s.idle)
}

func (s *sim) IsPurgeable() {
	o := s.marked()
	var w wants
	if o.state == gem.ErrClosed {
		w.err = gem.ErrClosed
	}
	var got bool
	if s.call(o.node, "IsPurgeable", w,
		func(ctx context.Context) (err error) { got, err = o.Object.IsPurgeable(ctx); return err },
		func(h resv.Held) (err error) { got, err = o.IsPurgeableLocked(h); return err }) {
		if got != o.purgeable() {
			s.t.Fatalf("IsPurgeable says %v, want %v", got, o.purgeable())
		}
	}
}

func (s *sim) Purge() {
	o := s.marked()
	var w wants
	switch {
	case o.state == gem.ErrClosed:
		w.err = gem.ErrClosed
	case !o.purgeable():
		w.err = gem.ErrNotPurgeable
	default:
		failing, restore := s.fail("GEM_CLOSE", syscall.EIO)
		defer restore()
		if failing {
			w.err = syscall.EIO
		}
	}
	if s.call(o.node, "Purge", w, o.Object.Purge, o.PurgeLocked) {
		s.purged(o)
	}
}

func (s *sim) purged(o *refObject) {
	o.handle().put()
	o.state, o.purged = gem.ErrPurged, true
	o.node.madv = -1
	s.idle = without(s.idle, o)
}

func (s *sim) Shrink() {
	store := choose(s, "store", []int{0, 1, 2})
	bytes := s.number(5*4096, "bytes")
	var want uint64
	for _, o := range slices.Clone(s.idle) {
		switch {
		case want >= uint64(bytes) || o.store != store || !o.purgeable():
		case o.node.lock != lockFree:
			s.seen["Shrink: passes over a held one"]++
		default:
			want += uint64(o.node.src.size)
			s.purged(o)
		}
	}
	var got uint64
	s.apart(func() { got = s.stores[store].Shrink(uint64(bytes)) })
	if got != want {
		s.t.Fatalf("Shrink of %d has freed %d, want %d", bytes, got, want)
	}
	s.want("Shrink", nil, nil)
	if want > 0 {
		s.seen["Shrink: frees"]++
	}
}

func (s *sim) Export() {
	o := s.object()
	src := o.node.src
	want := o.state
	if want == nil && !src.exported && !o.node.foreign() {
		failing, restore := s.fail("PRIME_HANDLE_TO_FD", syscall.EMFILE)
		defer restore()
		if failing {
			want = syscall.EMFILE
		}
	}
	b, err := o.Object.Export()
	s.want("Export", err, want)
	if want == nil {
		src.exported = true
		o.node.refs++
		s.buffers = append(s.buffers, &refBuffer{b, src, o.node})
	}
}

func (s *sim) CloseBuffer() {
	b := choose(s, "buffer", s.buffers)
	s.closeBuffer(b)
	s.buffers = without(s.buffers, b)
	if err := b.Close(); !errors.Is(err, prime.ErrClosed) {
		s.t.Fatal(err)
	}
}

func (s *sim) closeBuffer(b *refBuffer) {
	s.want("Buffer.Close", b.Close(), nil)
	b.node.unref()
}

// Import imports an export of this process, on its own card or another.
func (s *sim) Import() {
	b := choose(s, "buffer", s.buffers)
	s.importOn(b.Buffer, b.src)
}

// ImportForeign imports what another process has sent.
func (s *sim) ImportForeign() {
	src := choose(s, "source", s.sources)
	s.importOn(src.foreign, src)
}

func (s *sim) importOn(b *prime.Buffer, src *refSource) {
	store := choose(s, "store", []int{0, 1, 2})
	step := "Import of " + map[bool]string{true: "an own", false: "another's"}[src.card == cards[store]]
	failing, restore := s.fail("PRIME_FD_TO_HANDLE", syscall.ENOMEM)
	defer restore()
	o, err := s.stores[store].Import(b)
	if failing {
		s.want(step, err, syscall.ENOMEM)
		return
	}
	s.want(step, err, nil)
	s.add(&refObject{Object: o, node: s.nodeOf(src), store: store, imported: src.card != cards[store]})
}

func (s *sim) Hold() {
	o := s.object()
	release, err := o.Object.Hold()
	s.want("Hold", err, o.state)
	if o.state == nil {
		o.handle().refs++
		o.node.refs++
		s.holds = append(s.holds, &refHold{release: release, obj: o})
	}
}

func (s *sim) Release() {
	h := choose(s, "hold", s.holds)
	s.release(h, true)
	h.release() // does nothing
	s.holds = without(s.holds, h)
}

func (s *sim) release(h *refHold, mayFail bool) {
	handle := h.obj.handle()
	if handle.put() && mayFail {
		failing, restore := s.fail("GEM_CLOSE", syscall.EIO)
		defer restore()
		if handle.leaked = failing; failing {
			s.warnings++ // nobody else is there to hear of it
		}
	}
	h.obj.node.unref()
	h.release()
	s.want("release of Hold", nil, nil)
}

func (s *sim) BeginAccess() {
	o, a := s.object(), s.access()
	n := o.node
	shared := n.foreign() || n.src.exported
	want := o.state
	if want == nil {
		want = n.src.allows(a)
	}
	var w gem.Window
	var err error
	s.apart(func() {
		err = settled(func() (err error) { w, err = o.Object.BeginAccess(context.Background(), a); return err })
	})
	s.want("BeginAccess", err, want)
	if want == nil {
		s.windows = append(s.windows, &refWindow{Window: w, shared: shared})
	}
}

func (s *sim) End() {
	w := choose(s, "window", s.windows)
	s.endWindow(w)
	s.windows = without(s.windows, w)
	s.want("Window.End", w.Window.End(), gem.ErrStale)
}

func (s *sim) endWindow(w *refWindow) {
	w.ended = true
	var err error
	s.apart(func() { err = w.Window.End() })
	s.want("Window.End", err, nil)
}

// Scoped is Local, and LocalAll with several uses.
func (s *sim) Scoped() {
	objs := make([]*refObject, s.number(3, "objects")+1)
	uses := make([]gem.Use, len(objs))
	var before, inside, blocked error
	var nodes []*refNode
	for i := range objs {
		objs[i] = s.object()
		uses[i] = gem.Use{Object: objs[i].Object, Access: s.access()}
		o, n := objs[i], objs[i].node
		if before == nil {
			before = o.state
		}
		if before == nil {
			before = n.src.allows(uses[i].Access)
		}
		if n.lock != lockFree {
			blocked = context.DeadlineExceeded
		}
		if !n.mapped() && !slices.Contains(nodes, n) {
			nodes = append(nodes, n)
		}
	}
	if len(nodes) > 0 {
		restore, err := s.firstPages(false)
		defer restore()
		inside = err
	}
	if inside == nil && s.chance(3, "function fails") {
		inside = errOwn
	}
	want := before
	if want == nil {
		want = blocked
	}
	if want == nil {
		want = inside
	}
	before2 := s.fake.Count().Mappings
	look := func(views []gem.View) error {
		if got := s.fake.Count().Mappings; got != before2+len(nodes) {
			s.t.Errorf("%d mappings inside, want %d", got, before2+len(nodes))
		}
		for i, v := range views {
			s.touch(objs[i].node, v.Bytes(), uses[i].Access)
		}
		if inside == errOwn {
			return errOwn
		}
		return nil
	}
	var err error
	s.waiting(want, func(ctx context.Context) {
		err = settled(func() error {
			if len(uses) > 1 {
				return gem.LocalAll(ctx, look, uses...)
			}
			return objs[0].Object.Local(ctx, uses[0].Access, func(v gem.View) error { return look([]gem.View{v}) })
		})
	})
	s.want([]string{"Local", "LocalAll"}[btoi(len(uses) > 1)], err, want)
}

package gem_test

import (
	"context"
	"slices"
	"syscall"

	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/gem"
	"github.com/gemtool/gemtool/prime"
	"github.com/gemtool/gemtool/prime/resv"
)

// maxOpen bounds what is open of a kind, so that steps meet each other.
const maxOpen = 5

func (o *refObject) isOpen() bool { return o.state != gem.ErrClosed }

func (o *refObject) isOpenAndHeld() bool { return o.isOpen() && o.node.lock != lockFree }

// open is how many objects are open.
func (s *sim) open() (n int) {
	for _, o := range s.objects {
		n += btoi(o.isOpen())
	}
	return n
}

// those are the objects that are so.
func (s *sim) those(are func(*refObject) bool) (found []*refObject) {
	for _, o := range s.objects {
		if are(o) {
			found = append(found, o)
		}
	}
	return found
}

// object chooses one, often of memory that somebody holds and rarely one that
// is closed.
func (s *sim) object() *refObject {
	if s.chance(10, "any object") {
		return choose(s, "object", s.objects)
	}
	if s.chance(2, "held") {
		if held := s.those((*refObject).isOpenAndHeld); len(held) > 0 {
			return choose(s, "object of held memory", held)
		}
	}
	return choose(s, "open object", s.those((*refObject).isOpen))
}

// add begins to look after an object, and forgets one that was closed.
func (s *sim) add(o *refObject) {
	s.objects = append(s.objects, o)
	o.node.refs++
	o.node.objects++
	o.node.resv = o.Reservation()
	o.handle().refs++
	o.handle().leaked = false
	if !o.imported {
		o.node.native = o
	}
	if i := slices.IndexFunc(s.objects, func(o *refObject) bool { return o.state == gem.ErrClosed }); i >= 0 && len(s.objects) > maxOpen {
		s.objects = slices.Delete(s.objects, i, i+1)
	}
}

// nodeOf is the node that an import of src gets.
func (s *sim) nodeOf(src *refSource) *refNode {
	if src.node == nil {
		src.node = &refNode{src: src}
		s.nodes = append(s.nodes, src.node)
	}
	return src.node
}

// later is a release that needs the reservation.
func (s *sim) later(step string, n *refNode, f func()) {
	if n.lock != lockFree {
		s.seen[step+": queued"]++
	}
	n.later(f)
}

func (s *sim) Create() {
	store := choose(s, "store", []int{0, 1, 2})
	pages := s.number(3, "pages") + 1
	call, errno := "MODE_CREATE_DUMB", syscall.ENOSPC
	if s.chance(2, "call") {
		call, errno = "MODE_MAP_DUMB", syscall.ENOMEM
	}
	failing, restore := s.fail(call, errno)
	defer restore()
	o, err := s.stores[store].Create(1024, pages, 32)
	if failing {
		s.want("Create", err, errno)
		return
	}
	s.want("Create", err, nil)
	src := &refSource{card: cards[store], size: pages * 4096}
	s.add(&refObject{Object: o, node: s.nodeOf(src), store: store})
}

func (s *sim) Close() { s.close(s.object(), true) }

func (s *sim) close(o *refObject, mayFail bool) {
	n, h := o.node, o.handle()
	if o.state == gem.ErrClosed {
		s.want("Close", o.Object.Close(), gem.ErrClosed)
		return
	}
	var want error
	if o.state == nil && h.put() && mayFail {
		failing, restore := s.fail("GEM_CLOSE", syscall.EIO)
		defer restore()
		if h.leaked = failing; failing {
			want = syscall.EIO
		}
	}
	o.state = gem.ErrClosed
	s.idle = without(s.idle, o)
	if n.objects--; n.objects == 0 {
		s.later("Close", n, func() { s.warnings += int64(btoi(n.use() > 0 && n.objects == 0 && !n.foreign())) })
	}
	n.unref()
	s.want("Close", o.Object.Close(), want)
}

// firstPages says whether taking the pages fails, if nobody has them.
func (s *sim) firstPages(mapped bool) (restore func(), err error) {
	if mapped {
		return func() {}, nil
	}
	failing, restore := s.fail(drmtest.FakeMmap, syscall.ENOMEM)
	if failing {
		err = syscall.ENOMEM
	}
	return restore, err
}

func (s *sim) Pin() {
	o := s.object()
	n := o.node
	restore, err := s.firstPages(n.mapped())
	defer restore()
	if s.call(n, "Pin", wants{before: o.native(), fast: n.pin() > 0, err: err}, o.Object.Pin, o.PinLocked) {
		if n.going {
			s.seen["Pin: in place of the last one"]++
		}
		n.reap()
		n.pins++
	}
}

func (s *sim) Unpin() { s.unpin(s.object()) }

func (s *sim) unpin(o *refObject) {
	n := o.node
	switch {
	case o.imported:
		s.want("Unpin", o.Object.Unpin(), gem.ErrImported)
		return
	case n.pins == 0 || n.going:
		s.want("Unpin", o.Object.Unpin(), gem.ErrUnderflow)
		s.warnings++
		return
	case n.pin() > 1:
		n.pins--
	default:
		n.going = true
		s.later("Unpin", n, n.reap)
	}
	s.want("Unpin", o.Object.Unpin(), nil)
}

func (s *sim) VMap() {
	o, a := s.object(), s.access()
	n := o.node
	w, restore := s.mapping(o, a)
	defer restore()
	var m gem.Map
	if !s.call(n, "VMap", w,
		func(ctx context.Context) (err error) { m, err = o.Object.VMap(ctx, a); return err },
		func(h resv.Held) (err error) { m, err = o.VMapLocked(h, a); return err }) {
		return
	}
	if n.vmaps == 0 {
		if n.going {
			s.seen["VMap: in place of the last pin"]++
		}
		n.reap()
	}
	n.vmaps++
	n.refs++
	s.maps = append(s.maps, &refMap{node: n, bytes: m.Bytes, end: m.VUnmap})
	s.touch(n, m.Bytes(), a)
}

// mapping is what the model says of a map.
func (s *sim) mapping(o *refObject, a prime.Access) (w wants, restore func()) {
	restore, w.err = s.firstPages(o.node.mapped())
	if err := o.node.src.allows(a); err != nil {
		w.err = err
	}
	if o.state != nil {
		w.err = o.state
	}
	return w, restore
}

func (s *sim) VUnmap() { s.vunmap(choose(s, "map", s.maps)) }

func (s *sim) vunmap(m *refMap) {
	n := m.node
	if m.ended {
		s.want("VUnmap", m.end(), gem.ErrStale)
		s.maps = without(s.maps, m)
		return
	}
	m.ended = true
	s.later("VUnmap", n, func() {
		n.vmaps--
		n.unref()
	})
	s.want("VUnmap", m.end(), nil)
}

func (s *sim) LocalMap() {
	o, a := s.object(), s.access()
	n := o.node
	w, restore := s.mapping(o, a)
	defer restore()
	var l gem.Local
	want, h := w.err, n.held
	if n.lock != lockHeld || s.chance(10, "wrong") {
		want, h = gem.ErrNotLocked, s.wrongHeld(n)
		if n.lock == lockOver && s.chance(2, "ended") {
			h = n.held
		}
	}
	l, err := o.LocalLocked(h, a)
	s.want("LocalLocked", err, want)
	if want != nil {
		return
	}
	n.locals++
	n.refs++
	s.locals = append(s.locals, &refMap{node: n, bytes: l.Bytes, end: l.Unmap})
	s.touch(n, l.Bytes(), a)
}

func (s *sim) LocalUnmap() { s.unmapLocal(choose(s, "local map", s.locals)) }

func (s *sim) unmapLocal(l *refMap) {
	n := l.node
	if l.ended {
		s.want("Local.Unmap", l.end(), gem.ErrStale)
		s.locals = without(s.locals, l)
		return
	}
	l.ended = true
	if n.locals--; n.locals == 0 && n.lock == lockOver {
		s.seen["Local.Unmap: releases the reservation"]++
		n.free()
	}
	n.unref()
	s.want("Local.Unmap", l.end(), nil)
}

// Lock takes one reservation, or several by a set, if the model has none.
func (s *sim) Lock() {
	objs := make([]*refObject, s.number(3, "objects")+1)
	var nodes []*refNode
	var real []*gem.Object
	var want error
	for i := range objs {
		objs[i] = s.object()
		real = append(real, objs[i].Object)
		n := objs[i].node
		if n.lock != lockFree {
			want = context.DeadlineExceeded
		}
		if !slices.Contains(nodes, n) {
			nodes = append(nodes, n)
		}
	}
	r := objs[0].Reservation()
	switch {
	case len(objs) > 1:
		var set resv.Set
		var err error
		s.waiting(want, func(ctx context.Context) { err = gem.LockAll(ctx, &set, real...) })
		s.want("LockAll", err, want)
		if want != nil {
			return
		}
		s.set = &set
		for _, n := range nodes {
			n.held, _ = set.Held(n.resv)
		}
	case s.chance(2, "try"):
		h, ok := r.TryLock()
		if ok != (want == nil) {
			s.t.Fatalf("TryLock says %v, want %v", ok, want)
		}
		s.want("TryLock", want, want)
		nodes[0].held = h
	default:
		var h resv.Held
		var err error
		s.waiting(want, func(ctx context.Context) { h, err = r.Lock(ctx) })
		s.want("Lock", err, want)
		nodes[0].held = h
	}
	if want != nil {
		return
	}
	s.holding = nodes
	for _, n := range nodes {
		n.lock = lockHeld
		if !n.held.Holds(n.resv) {
			s.t.Fatal("a Held that does not hold")
		}
	}
}

func (s *sim) Unlock() {
	var want error
	for _, n := range slices.Backward(s.holding) {
		s.stale = append(s.stale, n.held)
		if n.unlock() {
			want = gem.ErrLocalMapsLive
		}
	}
	s.stale = s.stale[max(0, len(s.stale)-maxOpen):]
	nodes := s.holding
	s.holding = nil
	if s.set != nil {
		s.want("Set.Unlock", s.set.Unlock(), want)
		s.set = nil
		return
	}
	s.want("Unlock", nodes[0].held.Unlock(), want)
}

func (s *sim) UnlockStale() {
	s.want("Unlock again", choose(s, "stale Held", s.stale).Unlock(), gem.ErrStale)
}

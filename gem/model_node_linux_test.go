package gem_test

import (
	"slices"

	"github.com/gemtool/gemtool/gem"
	"github.com/gemtool/gemtool/prime"
	"github.com/gemtool/gemtool/prime/resv"
)

// refNode is the reference model of one memory: the counters of Linux 7.2 as
// SEMANTICS.md 1.2 has them, local maps, and who holds the reservation.
type refNode struct {
	src    *refSource
	resv   *resv.Reservation
	native *refObject // one that is no import, closed or not
	pins   int        // of Pin
	going  bool       // the only pin was given back while somebody held the reservation
	vmaps  int
	locals int
	madv   gem.Advice

	lock lockState
	held resv.Held // of the last hold
	todo []func()  // what waits for the reservation to be free

	refs    int // whoever keeps the node: objects, exports, maps, holds
	objects int // that are open
}

type lockState int

const (
	lockFree lockState = iota
	lockHeld           // by the model
	lockOver           // the model's hold has ended, local maps have not
)

// pin is pages_pin_count: all maps together have one.
func (n *refNode) pin() int { return n.pins + btoi(n.vmaps > 0) }

// use is pages_use_count.
func (n *refNode) use() int { return btoi(n.pin() > 0) + btoi(n.locals > 0) }

// foreign memory is its dma-buf's, and not counted.
func (n *refNode) foreign() bool { return n.src.card < 0 }

func (n *refNode) mapped() bool {
	if n.foreign() {
		return n.vmaps+n.locals > 0
	}
	return n.use() > 0
}

func (n *refNode) stats() gem.Stats {
	return gem.Stats{
		PagesPin: uint32(n.pin()), PagesUse: uint32(n.use()), VMapUse: uint32(n.vmaps),
		Mapped: n.vmaps > 0, Madv: n.madv,
	}
}

// later does f now, or when the reservation is free.
func (n *refNode) later(f func()) {
	if n.lock == lockFree {
		f()
	} else {
		n.todo = append(n.todo, f)
	}
}

// unlock ends the hold, and says whether local maps keep the reservation.
func (n *refNode) unlock() (kept bool) {
	if n.locals > 0 {
		n.lock = lockOver
		return true
	}
	n.free()
	return false
}

func (n *refNode) free() {
	n.lock = lockFree
	for _, f := range n.todo {
		f()
	}
	n.todo = nil
}

// reap ends the last pin, unless another has taken its place.
func (n *refNode) reap() {
	if n.going {
		n.going, n.pins = false, 0
	}
}

// unref gives a reference back; the last one when nobody holds the
// reservation.
func (n *refNode) unref() {
	if n.refs > 1 {
		n.refs--
		return
	}
	n.later(func() {
		if n.refs--; n.refs == 0 {
			n.src.node = nil // what comes next starts anew
		}
	})
}

// refSource is what a memfd stands for, and outlives its nodes.
type refSource struct {
	card     int // that made it, -1 for another process
	size     int
	readOnly bool
	exported bool
	foreign  *prime.Buffer // of another process, nil otherwise
	content  byte          // of its first byte
	node     *refNode      // nil while nobody refers to it
	handles  [3]refHandle  // by store
}

// refHandle is what a store knows of a memory.
type refHandle struct {
	refs   int
	leaked bool // its GEM_CLOSE failed
}

// put gives a reference back, and says whether the kernel is to close the
// handle.
func (h *refHandle) put() (last bool) {
	h.refs--
	return h.refs == 0
}

// allows is the order in which a mapping's access is judged.
func (s *refSource) allows(a prime.Access) error {
	switch {
	case a == 0:
		return prime.ErrRange
	case s.readOnly && a&prime.Write != 0:
		return prime.ErrAccessMode
	}
	return nil
}

// refObject is an object, and what is expected of it.
type refObject struct {
	*gem.Object
	node     *refNode
	store    int
	imported bool
	state    error // nil, ErrClosed or ErrPurged
	purged   bool  // also if it is closed now
}

func (o *refObject) handle() *refHandle { return &o.node.src.handles[o.store] }

// native is what an operation that imports do not have says first.
func (o *refObject) native() error {
	if o.imported {
		return gem.ErrImported
	}
	return o.state
}

func (o *refObject) purgeable() bool {
	n := o.node
	return o.state == nil && n.madv > 0 && n.use() == 0 && !n.src.exported && !o.imported && o.handle().refs == 1
}

// refMap is a lasting or local map.
type refMap struct {
	node  *refNode
	bytes func() []byte
	end   func() error
	ended bool
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// without removes an element.
func without[E comparable](s []E, e E) []E {
	if i := slices.Index(s, e); i >= 0 {
		return slices.Delete(s, i, i+1)
	}
	return s
}

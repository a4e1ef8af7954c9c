package prime

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gemtool/gemtool/prime/internal/uapi"
)

// START waits in the kernel for whatever fences it finds, and neither a signal
// nor a context ends that wait. BeginAccess waits with the context before it,
// but a peer may add a fence in between, whenever it likes, and nothing tells
// beforehand. So what has a context that can end does not issue START itself:
// a goroutine does, and is left alone with it when the context ends first.
//
// That is a new goroutine each time: an idle one is no cheaper to wake than a
// new one to make, as the runtime reuses them, and somebody would have to end
// it. It makes a window cost about twice its three system calls (36 for 18 µs
// under emulation), without an allocation; so a context that cannot end has
// START issued in place. Nothing cheaper is known: to have a signal interrupt
// START takes a handler without SA_RESTART, and handlers are the runtime's.

// maxStarts is how many STARTs may be under way at once on goroutines of their
// own: each that blocks keeps a thread. It is far more than processors can
// issue at once, so that only those that block ever fill it.
const maxStarts = 64

// grace is how long after the context's end a START may still take before it
// counts as blocked, and with it the Buffer.
const grace = 5 * time.Millisecond

var (
	// slots has an entry for each START under way.
	slots = make(chan struct{}, maxStarts)
	// abandoned counts those of them that nobody waits for.
	abandoned atomic.Int32
)

// starter is a START under way. Its parts are made once, so that using it again
// allocates nothing.
type starter struct {
	b      *Buffer
	access Access
	run    func()     // its method issue
	result chan error // has room for one
	// settled is set by whoever comes first: issue with its result, or the
	// waiting caller whose context has ended.
	settled atomic.Bool
}

var starters = sync.Pool{New: func() any {
	s := &starter{result: make(chan error, 1)}
	s.run = s.issue
	return s
}}

// start issues START. The caller holds b; with ErrFenceBusy the hold has gone
// to the goroutine that is left behind.
func (b *Buffer) start(ctx context.Context, a Access) error {
	if ctx.Done() == nil {
		return b.sync(a.flags() | uapi.SyncStart)
	}
	if err := takeSlot(ctx); err != nil {
		return err
	}
	s := starters.Get().(*starter)
	s.b, s.access = b, a
	go s.run()
	select {
	case err := <-s.result:
		s.recycle()
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-s.result:
		s.recycle()
		return err
	case <-time.After(grace):
	}
	b.mu.Lock()
	b.stuck++
	b.mu.Unlock()
	abandoned.Add(1)
	if s.settled.CompareAndSwap(false, true) {
		return ErrFenceBusy
	}
	// It ended at this moment after all.
	b.unstick()
	err := <-s.result
	s.recycle()
	return err
}

// issue runs on a goroutine of its own.
func (s *starter) issue() {
	b := s.b
	err := b.sync(s.access.flags() | uapi.SyncStart)
	if s.settled.CompareAndSwap(false, true) {
		<-slots
		s.result <- err
		return
	}
	if err == nil {
		// Nobody is left to tell about an error.
		_ = b.sync(s.access.flags() | uapi.SyncEnd)
	}
	<-slots
	b.unstick()
	b.unhold()
}

func (s *starter) recycle() {
	s.b = nil
	s.settled.Store(false)
	starters.Put(s)
}

func (b *Buffer) unstick() {
	abandoned.Add(-1)
	b.mu.Lock()
	b.stuck--
	b.mu.Unlock()
}

// takeSlot waits while STARTs that will end fill all slots, but not for those
// that were abandoned.
func takeSlot(ctx context.Context) error {
	select {
	case slots <- struct{}{}:
		return nil
	default:
	}
	if abandoned.Load() >= maxStarts {
		return ErrTooManyWaits
	}
	select {
	case slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (b *Buffer) sync(flags uint64) error {
	return uapi.OpSync.Do(b.fd, &uapi.DMABufSync{Flags: flags})
}

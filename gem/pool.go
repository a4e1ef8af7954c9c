package gem

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/gemtool/gemtool/drm/fourcc"
	"github.com/gemtool/gemtool/prime"
)

// Errors of a Pool.
var (
	// ErrNotOfPool: the object did not come from this Pool.
	ErrNotOfPool = errors.New("object is not of this pool")
	// ErrPooled: the object is in the Pool already.
	ErrPooled = errors.New("object is in the pool")
)

// PoolOptions is what a Pool does.
type PoolOptions struct {
	// Limit is how many bytes of memory that nobody uses the Pool keeps at
	// most. With 0 it keeps none.
	Limit uint64
	// Dirty leaves in a buffer what its last user has left there, for those
	// who overwrite all of it. Without it Get clears a buffer that comes
	// back, which costs a mapping and a write to every page.
	Dirty bool
}

// Pool keeps dumb buffers of one Store that are not used, for the next who
// wants one of the same size and format. Its methods may be called by many
// goroutines at once.
//
// What it keeps is marked DontNeed, so that [Store.Shrink] takes it, the
// longest unused first. A buffer that was ever exported cannot be purged: only
// the limit and Close take it from the Pool. It counts like others there, as it
// is worth more: with it live its dma-buf and what importers have made of that,
// and a compositor exports all that it draws to.
type Pool struct {
	store *Store
	opts  PoolOptions

	// mu guards what follows. Nobody waits for a reservation who holds it:
	// under it they are only tried.
	mu     sync.Mutex
	closed bool
	// made has the objects of the Pool, with their users or idle. One that its
	// user closes is forgotten when the next is made.
	made map[*reference]poolKey
	idle []pooled // the longest unused first
	size uint64   // bytes of idle
}

type pooled struct {
	*Object
	key poolKey
}

// NewPool returns an empty Pool.
func NewPool(s *Store, opts PoolOptions) *Pool {
	return &Pool{store: s, opts: opts, made: make(map[*reference]poolKey)}
}

// Get returns a buffer for width by height pixels of a format, which is the
// caller's until he puts it back or closes it. It is the one of the Pool that
// was used last, or a new one of [Store.Create], which the kernel clears. The
// planes of a format lie one below the other, with one pitch.
//
// A buffer that is still used stays in the Pool for a later Get: one that is
// mapped or pinned through any object of its memory, that has an [Object.Hold],
// whose reservation somebody holds, of which this process has a [prime.Buffer]
// open, or that a device uses, as the fences of its dma-buf say. Get does not
// know of other uses: a framebuffer without a Hold, or what the Store's own
// device does with memory that was never exported.
//
// Clearing takes the reservation, so that the caller must hold none. If it
// fails, or ctx ends before it, the buffer is closed.
//
// Errors: ErrClosed after the Pool's Close; ctx's; errors.ErrUnsupported for an
// unknown format; those of [Store.Create] and [Object.Local].
func (p *Pool) Get(ctx context.Context, width, height int, f fourcc.Format) (*Object, error) {
	o, err := p.get(ctx, poolKey{width, height, f})
	if err != nil {
		return nil, p.fail("Get", err)
	}
	return o, nil
}

func (p *Pool) get(ctx context.Context, k poolKey) (*Object, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	o, err := p.take(k)
	if err != nil {
		return nil, err
	}
	if o == nil {
		return p.create(k)
	}
	if !p.opts.Dirty {
		if err := o.Local(ctx, prime.Write, wipe); err != nil {
			p.discard(o)
			return nil, err
		}
	}
	return o, nil
}

func wipe(v View) error {
	clear(v.Bytes())
	return nil
}

// take returns an idle object that can be used again, nil if there is none.
func (p *Pool) take(k poolKey) (o *Object, err error) {
	var lost []*Object
	defer func() { p.discard(lost...) }()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, ErrClosed
	}
	for i := len(p.idle) - 1; i >= 0 && o == nil; i-- {
		c := p.idle[i]
		if c.key != k {
			continue
		}
		switch c.reclaim() {
		case nil:
			o = c.Object
		case errBusy:
			continue
		default:
			lost = append(lost, c.Object)
		}
		p.idle = slices.Delete(p.idle, i, i+1)
		p.size -= c.Size()
	}
	return o, nil
}

func (p *Pool) create(k poolKey) (*Object, error) {
	width, height, bpp, err := k.dumb()
	if err != nil {
		return nil, err
	}
	o, err := p.store.Create(width, height, bpp)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	maps.DeleteFunc(p.made, func(r *reference, _ poolKey) bool { return r.alive() == ErrClosed })
	p.made[o.ref] = k
	return o, nil
}

// Put gives an object of Get back. Its user must not touch it any more, as the
// next Get may return the same Object, and closes what he has exported or
// mapped of it. What ends by itself need not be waited for, such as the Hold of
// a display that shows the buffer until the next one. Put never waits, and may
// be called with the reservation held.
//
// If the Pool then has more than its limit, it closes what was not used the
// longest; whoever still has a Hold of that keeps the memory. An object that is
// larger than the limit is closed at once, as is every object after the Pool's
// Close.
//
// Errors: ErrClosed, ErrPurged, ErrNotOfPool and ErrPooled, after which nothing
// has changed; those of [Object.Close] for an object that is closed at once.
func (p *Pool) Put(o *Object) error {
	kept, excess, err := p.put(o)
	if err != nil {
		return p.fail("Put", err)
	}
	if !kept {
		return o.Close()
	}
	p.discard(excess...)
	return nil
}

// put takes o unless it does not fit, and returns what must be closed for it.
func (p *Pool) put(o *Object) (kept bool, excess []*Object, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := o.ref.alive(); err != nil {
		return false, nil, err
	}
	key, ok := p.made[o.ref]
	in := pooled{o, key}
	switch {
	case !ok:
		return false, nil, ErrNotOfPool
	case slices.Contains(p.idle, in):
		return false, nil, ErrPooled
	}
	if p.closed || o.Size() > p.opts.Limit {
		return false, nil, nil
	}
	o.retire()
	p.idle = append(p.idle, in)
	p.size += o.Size()
	return true, p.trim(), nil
}

// trim brings the Pool down to its limit. What was purged has no memory any
// more and goes first.
func (p *Pool) trim() (excess []*Object) {
	if p.size <= p.opts.Limit {
		return nil
	}
	drop := func(c pooled) bool {
		excess = append(excess, c.Object)
		p.size -= c.Size()
		return true
	}
	p.idle = slices.DeleteFunc(p.idle, func(c pooled) bool { return c.ref.alive() != nil && drop(c) })
	p.idle = slices.DeleteFunc(p.idle, func(c pooled) bool { return p.size > p.opts.Limit && drop(c) })
	return excess
}

// discard closes objects of the Pool, which may be closed already. Nobody is
// there to be told of an error.
func (p *Pool) discard(objs ...*Object) {
	for _, o := range objs {
		if err := o.ref.close(); err != nil && err != ErrClosed {
			warn(o.ref.warning("Close", err))
		}
	}
}

// Close closes what nobody uses. What Get has returned stays its user's, and
// Put closes it. A second Close returns ErrClosed.
//
// Errors: those of [Object.Close].
func (p *Pool) Close() error {
	idle, err := p.shut()
	if err != nil {
		return p.fail("Close", err)
	}
	for _, o := range idle {
		if closeErr := o.Close(); !errors.Is(closeErr, ErrClosed) {
			err = errors.Join(err, closeErr)
		}
	}
	return err
}

func (p *Pool) shut() (idle []pooled, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, ErrClosed
	}
	idle, p.idle, p.size, p.closed = p.idle, nil, 0, true
	return idle, nil
}

func (p *Pool) fail(op string, err error) error {
	return &Error{Op: op, Object: fmt.Sprintf("pool on %s", p.store.device().Path()), Err: err}
}

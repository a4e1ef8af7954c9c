package gem

import (
	"fmt"
	"image/draw"
	"runtime"
	"sync"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/fourcc"
	"github.com/gemtool/gemtool/prime"
)

// Object is one reference to memory on one device, with a Close of its own.
// Several objects of a Store may have the same handle.
type Object struct {
	ref  *reference
	dumb drm.Dumb // zero for an import
}

// reference is what an Object gives back. It is apart from the Object so that
// the collector can find an Object that nobody closed.
type reference struct {
	store  *Store
	handle drm.Handle
	node   *node

	created bool // the handle is of Create, so that the card node can map it

	// mu keeps the handle open while a call uses its number. It is held
	// over system calls that do not wait for others.
	mu     sync.RWMutex
	closed bool
}

// newObject takes over one reference to the handle and one to the node.
func newObject(s *Store, h drm.Handle, n *node, dumb drm.Dumb) *Object {
	o := &Object{ref: &reference{store: s, handle: h, node: n, created: dumb.Handle != 0}, dumb: dumb}
	// A net for an Object that nobody closed, not the plan.
	runtime.AddCleanup(o, func(r *reference) { r.close() }, o.ref)
	return o
}

// Close gives the reference back. With the last reference of its Store to
// the handle, the handle is closed. Mappings stay valid until their VUnmap.
// A second Close returns ErrClosed and does nothing.
func (o *Object) Close() error {
	if err := o.ref.close(); err != nil {
		return o.fail("Close", err)
	}
	return nil
}

func (r *reference) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return ErrClosed
	}
	r.closed = true
	err := r.store.put(r.handle)
	r.node.unref()
	return err
}

// use calls f while the handle is open.
func (r *reference) use(f func() error) error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.closed {
		return ErrClosed
	}
	return f()
}

func (r *reference) open() bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return !r.closed
}

// Handle returns the handle on the Store's device, for ioctls such as those of
// package kms. It means this object until Close.
func (o *Object) Handle() drm.Handle { return o.ref.handle }

// Size returns the bytes of the memory.
func (o *Object) Size() uint64 { return o.ref.node.size }

// Dumb returns the geometry of an object made by Create.
func (o *Object) Dumb() (b drm.Dumb, ok bool) { return o.dumb, o.dumb.Handle != 0 }

// Imported says whether the object came in as a dma-buf, of memory that no
// object here was made with, or none that was still open at the import.
func (o *Object) Imported() bool { return o.ref.node.foreign }

// Export returns a dma-buf of the memory, read-write and close-on-exec, which
// the caller owns. All exports of an object are the same dma-buf; re-exporting
// an import gives the exporter's.
//
// Errors: ErrClosed; those of [prime.Export].
func (o *Object) Export() (b *prime.Buffer, err error) {
	err = o.ref.use(func() (err error) {
		b, err = o.ref.node.export(o.ref)
		return err
	})
	if err != nil {
		return nil, o.fail("Export", err)
	}
	return b, nil
}

// Image returns a view of a dumb buffer's pixels in a mapping of it. The view
// is valid as long as the mapping.
//
// Errors: ErrStale for an unmapped m; those of [fourcc.NewImage].
func (o *Object) Image(m Map, f fourcc.Format) (draw.Image, error) {
	pix := m.Bytes()
	if pix == nil {
		return nil, o.fail("Image", ErrStale)
	}
	img, err := fourcc.NewImage(f, pix, int(o.dumb.Width), int(o.dumb.Height), int(o.dumb.Pitch))
	if err != nil {
		return nil, o.fail("Image", err)
	}
	return img, nil
}

func (o *Object) fail(op string, err error) error {
	return &Error{Op: op, Object: fmt.Sprintf("%s %v", o.ref.store.dev.Path(), o.ref.handle), Err: err}
}

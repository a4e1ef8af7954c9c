package gem

import (
	"errors"
	"image/draw"
	"runtime"
	"sync"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/fourcc"
	"github.com/gemtool/gemtool/prime"
	"github.com/gemtool/gemtool/prime/resv"
)

// Object is one reference to memory on one device, with a Close of its own.
// Several objects of a Store may have the same handle, and several handles may
// be of one memory.
type Object struct {
	ref  *reference
	dumb drm.Dumb // zero for an import
}

// newObject takes over one reference to the handle and one to the node.
func newObject(r *reference) *Object {
	r.stack = creator()
	r.node.objects.Add(1)
	o := &Object{ref: r}
	// A net for an Object that nobody closed, not the plan.
	runtime.AddCleanup(o, (*reference).leaked, r)
	return o
}

func (r *reference) leaked() {
	if err := r.close(); err != ErrClosed {
		warn(r.warning("Close", errors.Join(errLeaked, err)))
	}
}

// Close gives the reference back. With the last reference of its Store to
// the handle, the handle is closed. Mappings and pins stay valid until they
// are given back, but if this was the last object of the memory they are
// reported to [OnWarn], as the kernel does at the end of an object. A second
// Close returns ErrClosed and does nothing.
func (o *Object) Close() error {
	if err := o.ref.close(); err != nil {
		return o.fail("Close", err)
	}
	return nil
}

// Handle returns the handle on the Store's device, for ioctls such as those of
// package kms. It means this object until Close, and with a [Object.Hold]
// until its release. A purged object has the handle 0, which is nobody's.
func (o *Object) Handle() drm.Handle {
	if o.ref.state.Load()&refPurged != 0 {
		return 0
	}
	return o.ref.handle
}

// Size returns the bytes of the memory.
func (o *Object) Size() uint64 { return o.ref.node.size }

// Dumb returns the geometry of an object made by Create.
func (o *Object) Dumb() (b drm.Dumb, ok bool) { return o.dumb, o.dumb.Handle != 0 }

// Imported says whether the object is an import in the kernel's sense: its
// memory is of another device, or of a dma-buf that this process did not make
// or has forgotten.
func (o *Object) Imported() bool { return o.ref.imported }

// Reservation returns the lock of the memory, the same for all objects of it.
// See [LockAll] for several at once.
func (o *Object) Reservation() *resv.Reservation { return &o.ref.node.resv }

// Export returns a dma-buf of the memory, read-write and close-on-exec, which
// the caller owns. All exports of an object are the same dma-buf; re-exporting
// an import gives the exporter's. What was exported once cannot be purged any
// more.
//
// Errors: ErrClosed, ErrPurged; those of [prime.Export]; ErrIdentity.
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

// Hold takes a reference that is no Object: until release the handle stays
// open, whoever closes the object, and the memory cannot be purged. A display
// that scans the memory out holds it so. It works on imports, and moves no
// counter. Only the first call of release does something.
//
// Errors: ErrClosed, ErrPurged.
func (o *Object) Hold() (release func(), err error) {
	r := o.ref
	err = r.use(func() error {
		r.store.get(r.handle)
		r.node.Ref()
		r.node.holds.Add(1)
		return nil
	})
	if err != nil {
		return nil, o.fail("Hold", err)
	}
	var once sync.Once
	return func() {
		once.Do(func() {
			if err := r.store.put(r.handle); err != nil {
				warn(r.warning("release of Hold", err))
			}
			r.node.holds.Add(-1)
			r.node.Unref()
		})
	}, nil
}

// Mapping is a mapping of this package: [Map], [Local] or [View].
type Mapping interface {
	Bytes() []byte
	memory() *node
}

// Image returns a view of a dumb buffer's pixels in a mapping of it. The view
// is valid as long as the mapping.
//
// Errors: ErrStale for an ended m, ErrWrongMap for one of another memory;
// those of [fourcc.NewImage].
func (o *Object) Image(m Mapping, f fourcc.Format) (draw.Image, error) {
	pix := m.Bytes()
	switch {
	case pix == nil:
		return nil, o.fail("Image", ErrStale)
	case m.memory() != o.ref.node:
		return nil, o.fail("Image", ErrWrongMap)
	}
	img, err := fourcc.NewImage(f, pix, int(o.dumb.Width), int(o.dumb.Height), int(o.dumb.Pitch))
	if err != nil {
		return nil, o.fail("Image", err)
	}
	return img, nil
}

func (o *Object) fail(op string, err error) error {
	return &Error{Op: op, Object: o.ref.String(), Err: err}
}

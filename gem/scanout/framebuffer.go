package scanout

import (
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/kms"
	"github.com/gemtool/gemtool/gem"
	"github.com/gemtool/gemtool/prime"
)

// ErrClosed: the Framebuffer was closed before the call.
var ErrClosed = gem.ErrClosed

// Framebuffer is an image that the display of a Store's device can show.
type Framebuffer struct {
	objects []*gem.Object // one for each dma-buf
	life    *life
}

// life is what ends with a Framebuffer. It does not have the objects, so that
// gem reports those of one that nobody closed.
type life struct {
	store  *gem.Store
	id     kms.FBID // 0: none yet
	holds  []func()
	closed atomic.Bool
}

// maxPlanes is DRM_FORMAT_MAX_PLANES.
const maxPlanes = 4

// AddFB makes a framebuffer of an image, which stays the caller's, and so do its
// Buffers: they may be closed when it returns. Each dma-buf is imported once,
// however many planes lie in it. What was done is undone on an error.
//
// The driver checks where the planes lie, as only it knows its modifiers:
// [prime.Image.Validate] is for who reads the pixels.
//
// Nodes: card. Errors: [prime.ErrImage] for no or more than 4 planes, and for
// one without a Buffer; those of [gem.Store.Import] and [kms.AddFB2].
func AddFB(store *gem.Store, img *prime.Image) (*Framebuffer, error) {
	if n := len(img.Planes); n == 0 || n > maxPlanes {
		return nil, fmt.Errorf("scanout: image of %d planes: %w", n, prime.ErrImage)
	}
	f := &Framebuffer{life: &life{store: store}}
	if err := f.add(img); err != nil {
		return nil, errors.Join(err, f.end())
	}
	// A net for a Framebuffer that nobody closed, not the plan.
	runtime.AddCleanup(f, func(l *life) { _ = l.end() }, f.life)
	return f, nil
}

func (f *Framebuffer) add(img *prime.Image) (err error) {
	fb := kms.FB{Width: img.Width, Height: img.Height, Format: img.Format, Modifier: img.Modifier}
	handles := make(map[uint64]drm.Handle, maxPlanes) // by inode
	for n, p := range img.Planes {
		if p.Buffer == nil {
			return fmt.Errorf("scanout: plane %d has no buffer: %w", n, prime.ErrImage)
		}
		h, ok := handles[p.Buffer.Inode()]
		if !ok {
			if h, err = f.take(p.Buffer); err != nil {
				return err
			}
			handles[p.Buffer.Inode()] = h
		}
		fb.Planes = append(fb.Planes, kms.FBPlane{Handle: h, Pitch: p.Pitch, Offset: p.Offset})
	}
	f.life.id, err = kms.AddFB2(f.life.store.Device(), fb)
	return err
}

// take imports a Buffer and holds it.
func (f *Framebuffer) take(b *prime.Buffer) (drm.Handle, error) {
	o, err := f.life.store.Import(b)
	if err != nil {
		return 0, err
	}
	f.objects = append(f.objects, o)
	release, err := o.Hold()
	if err != nil {
		return 0, err
	}
	f.life.holds = append(f.life.holds, release)
	return o.Handle(), nil
}

// ID returns what the ioctls of package kms call it. It means this framebuffer
// until Close.
func (f *Framebuffer) ID() kms.FBID { return f.life.id }

// Close gives the framebuffer up, and with it the memory and the handles that
// nobody else has. A plane that shows it goes on doing so; before Linux 6.8 it
// is turned off. Everything is given back on an error, too; that the device is
// gone is none. A second Close returns ErrClosed.
func (f *Framebuffer) Close() error {
	if f == nil {
		return nil
	}
	return f.end()
}

func (f *Framebuffer) end() error {
	errs := []error{f.life.end()}
	if errors.Is(errs[0], ErrClosed) {
		return errs[0]
	}
	for _, o := range f.objects {
		errs = append(errs, o.Close())
	}
	return errors.Join(errs...)
}

// end gives the framebuffer back, and the holds. Whoever comes second gets
// ErrClosed.
func (l *life) end() (err error) {
	if l.closed.Swap(true) {
		return fmt.Errorf("scanout: close of %v: %w", l.id, ErrClosed)
	}
	if l.id != 0 {
		err = kms.CloseFB(l.store.Device(), l.id)
		if errors.Is(err, drm.ErrGone) || errors.Is(err, drm.ErrClosed) {
			err = nil // the kernel has done it
		}
	}
	for _, release := range l.holds {
		release()
	}
	return err
}

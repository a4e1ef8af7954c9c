package matrix

import (
	"context"
	"errors"
	"fmt"

	"github.com/gemtool/gemtool/cmd/gemtool/internal/pattern"
	"github.com/gemtool/gemtool/cmd/gemtool/internal/touch"
	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/fourcc"
	"github.com/gemtool/gemtool/drm/kms"
	"github.com/gemtool/gemtool/gem"
	"github.com/gemtool/gemtool/prime"
)

// pair is what the steps of one pair pass on to each other.
type pair struct {
	cell    *Cell
	config  Config
	forward *pattern.Picture // that the exporter draws
	back    *pattern.Picture // that the importer's side answers with

	pitch  int
	object *gem.Object   // the exporter's, if it is a device
	buffer *prime.Buffer // the exporter's dma-buf
	pix    []byte        // the exporter's own mapping

	device   *drm.Device // the importer, a file of its own
	store    *gem.Store
	imported *gem.Object
	again    *prime.Buffer // exported by the importer
	fb       kms.FBID

	pixels []byte // what the importer read, without gaps

	undo []func() error
}

func newPair(c *Cell, config Config) *pair {
	e, i := c.Exporter.Name, c.Importer.Name
	return &pair{
		cell:    c,
		config:  config,
		forward: pattern.New(e, i, config.Width, config.Height),
		back:    pattern.New(i, e+" back", config.Width, config.Height),
	}
}

// later has f run when the pair is released, the last one first.
func (p *pair) later(f func() error) { p.undo = append(p.undo, f) }

// release gives everything back, whatever fails, and looks for what is left.
func (p *pair) release(before []string) error {
	var errs []error
	for len(p.undo) > 0 {
		last := len(p.undo) - 1
		f := p.undo[last]
		p.undo = p.undo[:last]
		errs = append(errs, f())
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return leaked(before)
}

// open opens a node for this pair alone.
func (p *pair) open(e *Endpoint) (*drm.Device, *gem.Store, error) {
	d, err := drm.Open(e.Path, drm.Options{})
	if err != nil {
		return nil, nil, err
	}
	p.later(d.Close)
	return d, gem.StoreOf(d), nil
}

func (p *pair) allocate(context.Context) (err error) {
	w, h := p.config.Width, p.config.Height
	switch p.cell.Exporter.Kind {
	case Udmabuf, Heap:
		p.pitch = memoryPitch(w)
		size := uint64(p.pitch) * uint64(h)
		if p.cell.Exporter.Kind == Udmabuf {
			p.buffer, err = prime.NewUdmabuf(size)
		} else {
			p.buffer, err = prime.NewHeap(p.cell.Exporter.heap(), size)
		}
		if err != nil {
			return err
		}
		p.later(p.buffer.Close)
		return nil
	}
	_, store, err := p.open(p.cell.Exporter)
	if err != nil {
		return err
	}
	p.object, err = store.Create(w, h, 8*pattern.BytesPerPixel)
	if err != nil {
		return err
	}
	p.later(p.object.Close)
	dumb, _ := p.object.Dumb()
	p.pitch = int(dumb.Pitch)
	return nil
}

// memoryPitch is the pitch of buffers whose exporter knows none. GPUs want 256
// bytes alignment. It is longer than the row needs, so that an importer which
// computes a pitch of its own is found out.
func memoryPitch(width int) int {
	const align = 256
	return (width*pattern.BytesPerPixel+align-1)/align*align + align
}

func (p *pair) mapSource(ctx context.Context) error {
	if p.object == nil {
		m, err := p.buffer.Map()
		if err != nil {
			return err
		}
		p.later(m.Close)
		p.pix = m.Bytes()
		return nil
	}
	m, err := p.object.VMap(ctx, prime.ReadWrite)
	if err != nil {
		return err
	}
	p.later(m.VUnmap)
	p.pix = m.Bytes()
	return nil
}

func (p *pair) draw(ctx context.Context) error {
	return touch.Access(ctx, p.buffer, prime.Write, func() error {
		return p.forward.Draw(p.pix, p.pitch+p.config.DrawSkew)
	})
}

func (p *pair) export(context.Context) (err error) {
	if p.object == nil {
		return nil // made as one
	}
	if p.buffer, err = p.object.Export(); err != nil {
		return err
	}
	p.later(p.buffer.Close)
	return nil
}

func (p *pair) importBuffer(context.Context) (err error) {
	if p.device, p.store, err = p.open(p.cell.Importer); err != nil {
		return err
	}
	if p.imported, err = p.store.Import(p.buffer); err != nil {
		return err
	}
	p.later(p.imported.Close)
	return nil
}

// read maps what the importer's handle leads to: an export of its own.
func (p *pair) read(ctx context.Context) (err error) {
	// Not the object's Export, which returns the buffer that came in.
	if p.again, err = prime.Export(p.device, p.imported.Handle()); err != nil {
		return err
	}
	p.later(p.again.Close)
	if p.again.Inode() != p.buffer.Inode() {
		return fmt.Errorf("%w: %v, not %v", errIdentity, p.again, p.buffer)
	}
	m, err := p.again.Map()
	if err != nil {
		return err
	}
	defer m.Close()
	return touch.Access(ctx, p.again, prime.Read, func() error {
		p.keep(m.Bytes(), p.pitch)
		return p.forward.Compare(m.Bytes(), p.pitch, pattern.AllBits)
	})
}

// write goes the other way.
func (p *pair) write(ctx context.Context) error {
	m, err := p.again.Map()
	if err != nil {
		return err
	}
	defer m.Close()
	err = touch.Access(ctx, p.again, prime.Write, func() error {
		return p.back.Draw(m.Bytes(), p.pitch)
	})
	if err != nil {
		return err
	}
	return touch.Access(ctx, p.buffer, prime.Read, func() error {
		return p.back.Compare(p.pix, p.pitch, pattern.AllBits)
	})
}

func (p *pair) framebuffer(context.Context) (err error) {
	if p.cell.Importer.Kind == Render {
		return notTried("a render node has no framebuffers")
	}
	p.fb, err = p.addFB(p.imported.Handle(), p.pitch)
	return err
}

func (p *pair) addFB(h drm.Handle, pitch int) (kms.FBID, error) {
	fb, err := kms.AddFB2(p.device, kms.FB{
		Width: uint32(p.config.Width), Height: uint32(p.config.Height),
		Format: fourcc.XRGB8888, Modifier: fourcc.ModInvalid,
		Planes: []kms.FBPlane{{Handle: h, Pitch: uint32(pitch)}},
	})
	if err != nil {
		return 0, err
	}
	p.later(func() error { return kms.CloseFB(p.device, fb) })
	return fb, nil
}

// keep copies the pixels, where somebody wants them.
func (p *pair) keep(pix []byte, pitch int) {
	if p.config.Picture == nil {
		return
	}
	row := p.config.Width * pattern.BytesPerPixel
	kept := make([]byte, 0, row*p.config.Height)
	for y := range p.config.Height {
		if len(pix) < y*pitch+row {
			return // Compare says it
		}
		kept = append(kept, pix[y*pitch:][:row]...)
	}
	p.pixels = kept
}

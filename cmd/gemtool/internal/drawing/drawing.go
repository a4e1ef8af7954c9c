// Package drawing puts a picture into a buffer and reads it back on another
// way.
package drawing

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/draw"

	"github.com/gemtool/gemtool/cmd/gemtool/internal/touch"
	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/fourcc"
	"github.com/gemtool/gemtool/gem"
	"github.com/gemtool/gemtool/prime"
)

// Config says what to draw, on what, and how to read it. Of Device, Udmabuf and
// Heap one says where the buffer comes from.
type Config struct {
	Device  *drm.Device
	Udmabuf bool
	Heap    string

	Picture image.Image
	Format  fourcc.Format

	Through Path
	Reader  *drm.Device // for Import
}

// Path is the way that pixels are read back on.
type Path int

// The paths.
const (
	Map    Path = iota // the device's own mapping, of a Device only
	DMABuf             // the mapping of the buffer's dma-buf
	Import             // that of the dma-buf that the Reader makes of its import
)

// Result is what was drawn and read: pixels without gaps between rows.
type Result struct {
	Pitch, Size uint64 // of the buffer, in bytes
	Drawn, Read []byte
}

// run is a Config at work.
type run struct {
	Config
	width, height int
	row           int // bytes
	object        *gem.Object
	buffer        *prime.Buffer
	Result
}

// Run draws, reads, and gives everything back but the devices.
func Run(ctx context.Context, c Config) (_ *Result, err error) {
	size := c.Picture.Bounds().Size()
	info, ok := c.Format.Info()
	if !ok || len(info.Planes) != 1 {
		return nil, fmt.Errorf("format %v cannot be drawn", c.Format)
	}
	r := &run{Config: c, width: size.X, height: size.Y, row: int(info.Planes[0].Row(uint32(size.X)))}
	if r.Drawn, err = r.pixels(); err != nil {
		return nil, err
	}
	also := func(f func() error) { err = errors.Join(err, f()) }
	if err := r.allocate(); err != nil {
		return nil, err
	}
	if r.object != nil {
		defer also(r.object.Close)
	}
	if r.buffer != nil {
		defer also(r.buffer.Close)
	}
	if err := r.write(ctx); err != nil {
		return nil, err
	}
	if err := r.read(ctx); err != nil {
		return nil, err
	}
	return &r.Result, nil
}

// pixels draws the picture as the buffer shall have it.
func (r *run) pixels() ([]byte, error) {
	pix := make([]byte, r.row*r.height)
	m, err := fourcc.NewImage(r.Format, pix, r.width, r.height, r.row)
	if err != nil {
		return nil, err
	}
	draw.Draw(m, m.Bounds(), r.Picture, r.Picture.Bounds().Min, draw.Src)
	return pix, nil
}

func (r *run) allocate() (err error) {
	if r.Device != nil {
		if r.object, err = gem.StoreOf(r.Device).Create(r.width, r.height, 8*r.row/r.width); err != nil {
			return err
		}
		dumb, _ := r.object.Dumb()
		r.Pitch, r.Size = uint64(dumb.Pitch), dumb.Size
		return nil
	}
	const align = 256 // what GPUs want
	r.Pitch = (uint64(r.row) + align - 1) / align * align
	size := r.Pitch * uint64(r.height)
	if r.Udmabuf {
		r.buffer, err = prime.NewUdmabuf(size)
	} else {
		r.buffer, err = prime.NewHeap(r.Heap, size)
	}
	if err == nil {
		r.Size = r.buffer.Size()
	}
	return err
}

func (r *run) write(ctx context.Context) error {
	fill := func(pix []byte) error {
		for y := range r.height {
			copy(pix[uint64(y)*r.Pitch:][:r.row], r.Drawn[y*r.row:])
		}
		return nil
	}
	if r.object != nil {
		return r.object.Local(ctx, prime.Write, func(v gem.View) error { return fill(v.Bytes()) })
	}
	return mapped(ctx, r.buffer, prime.Write, fill)
}

func (r *run) read(ctx context.Context) (err error) {
	r.Read = make([]byte, 0, len(r.Drawn))
	collect := func(pix []byte) error {
		for y := range r.height {
			r.Read = append(r.Read, pix[uint64(y)*r.Pitch:][:r.row]...)
		}
		return nil
	}
	if r.Through == Map {
		if r.object == nil {
			return errors.New("only a device has a mapping of its own")
		}
		return r.object.Local(ctx, prime.Read, func(v gem.View) error { return collect(v.Bytes()) })
	}
	buffer := r.buffer
	if r.object != nil {
		if buffer, err = r.object.Export(); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, buffer.Close()) }()
	}
	if r.Through == DMABuf {
		return mapped(ctx, buffer, prime.Read, collect)
	}
	imported, err := gem.StoreOf(r.Reader).Import(buffer)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, imported.Close()) }()
	// Not the object's Export, which returns the buffer that came in.
	again, err := prime.Export(r.Reader, imported.Handle())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, again.Close()) }()
	return mapped(ctx, again, prime.Read, collect)
}

// mapped calls f with the bytes of a dma-buf, in an access window.
func mapped(ctx context.Context, b *prime.Buffer, a prime.Access, f func([]byte) error) (err error) {
	m, err := b.Map()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	return touch.Access(ctx, b, a, func() error { return f(m.Bytes()) })
}

package drm

import (
	"fmt"
	"math"
	"syscall"

	"github.com/gemtool/gemtool/drm/internal/uapi"
)

// Handle names a GEM object on one open file. The kernel does not count
// handles: importing an object that the file already has gives the same
// number again, and the first close ends it for all. Package gem counts them.
type Handle uint32

// Dumb is a dumb buffer: linear memory that every card node which drives a
// display can make, without acceleration.
type Dumb struct {
	Handle Handle
	Width  uint32 // pixels
	Height uint32 // rows
	BPP    uint32 // bits per pixel
	Pitch  uint32 // bytes from a row to the next; at least Width*BPP/8
	Size   uint64 // bytes; at least Pitch*Height, a multiple of the page size
}

// maxBPP is the largest number of bits that a pixel of a known format has.
// Kernels before 7.2 take larger ones and make enormous pixels.
const maxBPP = 64

// CreateDumb makes a dumb buffer of width by height pixels with bpp bits
// each. The kernel clears it, on most drivers; nothing is allocated before
// the first mmap, which is where ENOMEM comes from.
//
// The reply is checked: kernels before 7.2 compute the pitch in 32 bits and
// return a few bytes for a row of more than half a gigabyte. That buffer is
// given back and the error is ErrShortBuffer.
//
// Nodes: card. Errors: ErrRange before the kernel is asked; EINVAL for a size
// of 0, one beyond 32 bits or a bpp that the driver does not do; ENOMEM,
// ENOSPC; ErrPermission on a render node; ErrNotSupported for a driver
// without dumb buffers. Source: drm_dumb_buffers.c.
func (d *Device) CreateDumb(width, height, bpp int) (Dumb, error) {
	fail := func(err error) *Error {
		return d.NewError(uapi.OpModeCreateDumb.Name(), fmt.Sprintf("%dx%d bpp %d", width, height, bpp), err)
	}
	if !fitsU32(width) || !fitsU32(height) || bpp < 0 || bpp > maxBPP {
		return Dumb{}, fail(ErrRange)
	}
	arg := uapi.ModeCreateDumb{Width: uint32(width), Height: uint32(height), BPP: uint32(bpp)}
	if err := uapi.OpModeCreateDumb.Do(d.fd, &arg); err != nil {
		e := fail(err)
		if err == syscall.EACCES && d.kind == NodeRender {
			e.Hint = "dumb buffers need a card node: this is a render node"
		}
		return Dumb{}, e
	}
	b := Dumb{
		Handle: Handle(arg.Handle),
		Width:  arg.Width, Height: arg.Height, BPP: arg.BPP,
		Pitch: arg.Pitch, Size: arg.Size,
	}
	// No product of two 32-bit numbers overflows 64 bits.
	row := (uint64(width)*uint64(bpp) + 7) / 8
	if uint64(b.Pitch) < row || b.Size < uint64(b.Pitch)*uint64(height) {
		e := fail(ErrShortBuffer)
		e.Hint = fmt.Sprintf("got pitch %d, size %d", b.Pitch, b.Size)
		if err := d.DestroyDumb(b.Handle); err != nil {
			e.Hint += fmt.Sprintf("; giving it back: %v", err)
		}
		return Dumb{}, e
	}
	return b, nil
}

func fitsU32(v int) bool { return v >= 0 && uint64(v) <= math.MaxUint32 }

// MapDumb returns the offset at which [Device.Mmap] maps the object. It is
// the same at every call.
//
// Nodes: card. Errors: ENOENT for an unknown handle; EINVAL for an import on
// most drivers. Others accept an import, and the first touch raises SIGBUS:
// map imports through their dma-buf.
func (d *Device) MapDumb(h Handle) (offset uint64, err error) {
	arg := uapi.ModeMapDumb{Handle: uint32(h)}
	if err := uapi.OpModeMapDumb.Do(d.fd, &arg); err != nil {
		return 0, d.NewError(uapi.OpModeMapDumb.Name(), h.String(), err)
	}
	return arg.Offset, nil
}

// DestroyDumb closes the handle, of whatever object: the kernel does the same
// as for [Device.CloseHandle]. The memory lives on while something else uses
// it.
//
// Nodes: card. Errors: EINVAL for an unknown handle.
func (d *Device) DestroyDumb(h Handle) error {
	arg := uapi.ModeDestroyDumb{Handle: uint32(h)}
	if err := uapi.OpModeDestroyDumb.Do(d.fd, &arg); err != nil {
		return d.NewError(uapi.OpModeDestroyDumb.Name(), h.String(), err)
	}
	return nil
}

// CloseHandle closes the handle of an object, C's GEM_CLOSE.
//
// Nodes: card, render. Errors: EINVAL for an unknown handle.
func (d *Device) CloseHandle(h Handle) error {
	arg := uapi.GEMClose{Handle: uint32(h)}
	if err := uapi.OpGEMClose.Do(d.fd, &arg); err != nil {
		return d.NewError(uapi.OpGEMClose.Name(), h.String(), err)
	}
	return nil
}

func (h Handle) String() string { return fmt.Sprintf("handle %d", uint32(h)) }

// Mmap maps size bytes of the object whose offset MapDumb returned, shared
// and read-write. Map whole objects: the shmem helpers' fault handler counts
// pages from the start of the mapping, so that a part mapped or split off
// shows the wrong pages. [Munmap] ends the mapping.
//
// This is where the kernel allocates. After ENOMEM close the handle soon: the
// pages that it did get stay with the object.
//
// Errors: EINVAL for a wrong offset or a size beyond the object; ENOMEM;
// EACCES for another file's object; ErrRange.
func (d *Device) Mmap(offset, size uint64) ([]byte, error) {
	fail := func(err error) *Error {
		return d.NewError("mmap", fmt.Sprintf("of %d bytes at %#x", size, offset), err)
	}
	if size > math.MaxInt || offset > math.MaxInt64 {
		return nil, fail(ErrRange)
	}
	var b []byte
	err := d.fd.Use(func(n int) (err error) {
		b, err = mmap(n, int64(offset), int(size))
		return err
	})
	if err != nil {
		return nil, fail(err)
	}
	return b, nil
}

// Munmap ends a mapping. b must be the slice that Mmap returned, not a part
// of it. Touching b afterwards is fatal for the process.
//
// Errors: EINVAL for another slice.
func Munmap(b []byte) error { return munmap(b) }

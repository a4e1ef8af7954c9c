package conformance

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"syscall"

	"github.com/gemtool/gemtool/drm"
)

// wantShmem looks whether the kernel and the model agree on a size: on the
// errno, or on pitch and size to the byte. What is too short for its rows the
// library must have noticed.
func wantShmem(env *Env, w, h, bpp int, b drm.Dumb, err error) error {
	pitch, size, want := shmemDumb(env.Kernel, uint32(w), uint32(h), uint32(bpp))
	if want == nil && (uint64(pitch) < (uint64(w)*uint64(bpp)+7)/8 || size < uint64(pitch)*uint64(h)) {
		want = drm.ErrShortBuffer
	}
	switch {
	case want != nil && !errors.Is(err, want), want == nil && err != nil:
		return fmt.Errorf("%v, the model has %v", err, want)
	case err == nil && (b.Pitch != pitch || b.Size != size):
		return fmt.Errorf("pitch %d, size %d, the model has %d and %d", b.Pitch, b.Size, pitch, size)
	}
	return nil
}

// shmemDumb is drm_mode_create_dumb with drm_gem_shmem_dumb_create behind it.
// Its numbers have 32 bits and wrap where the kernel's do: before Linux 7.2 the
// helper multiplies without looking.
//
// Source: drm_dumb_buffers.c, drm_gem_shmem_helper.c.
func shmemDumb(k Kernel, w, h, bpp uint32) (pitch uint32, size uint64, err error) {
	if w == 0 || h == 0 || bpp == 0 || bpp > math.MaxUint32-8 {
		return 0, 0, syscall.EINVAL
	}
	hi, stride := bits.Mul32((bpp+7)/8, w)
	if hi != 0 {
		return 0, 0, syscall.EINVAL
	}
	if hi, lo := bits.Mul32(stride, h); hi != 0 || pageAlign(lo) == 0 {
		return 0, 0, syscall.EINVAL
	}
	if k.Less(Kernel{7, 2}) {
		pitch = (w*bpp + 7) / 8
		size = uint64(pageAlign(pitch * h))
		if size == 0 {
			return 0, 0, syscall.ENOSPC // no room of no pages among the mmap offsets
		}
		return pitch, size, nil
	}
	// Formats of less than a byte a pixel have packed rows, all other numbers
	// of bits are rounded up to bytes.
	pitch = stride
	if bpp == 1 || bpp == 2 || bpp == 4 {
		pitch = uint32((uint64(w)*uint64(bpp) + 7) / 8)
	}
	return pitch, uint64(pageAlign(pitch * h)), nil
}

// pageAlign rounds up to pages, and wraps to 0 in the last one.
func pageAlign(n uint32) uint32 { return (n + pageSize - 1) &^ (pageSize - 1) }

package conformance

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"syscall"

	"github.com/gemtool/gemtool/drm"
)

var dumbCases = []Case{
	{ID: "A01", Title: "a dumb buffer of 0 bits per pixel is EINVAL", Run: createWant(4032, 2016, 0, syscall.EINVAL)},
	{ID: "A02", Title: "a dumb buffer of width 0 is EINVAL", Run: createWant(0, 2016, 32, syscall.EINVAL)},
	{ID: "A03", Title: "a dumb buffer of height 0 is EINVAL", Run: createWant(4032, 0, 32, syscall.EINVAL)},
	{ID: "A04", Title: "a dumb buffer of a common size", Run: createCommon},
	{ID: "A05", Title: "one pixel of one bit takes a page", Needs: Needs{Memory: Shmem, Except: []string{"virtio_gpu"}}, Run: createOneBit},
	{ID: "A06", Title: "2 GiB cost nothing before they are mapped", Needs: Needs{Memory: Shmem, Except: []string{"virtio_gpu"}}, Run: createHuge},
	{ID: "A08", Title: "the library refuses a bpp that only the kernel takes", Needs: Needs{Drivers: []string{"vkms", "vgem"}}, Run: createAbsurdBPP},
	{ID: "A09", Title: "a row of 4 GiB is EINVAL", Run: createWant(0x40000000, 1, 32, syscall.EINVAL)},
	{ID: "A10", Title: "2^30 rows of 4 bytes are EINVAL", Run: createWant(1, 0x40000000, 32, syscall.EINVAL)},
	{ID: "A12", Title: "a pitch that wraps at 32 bits is noticed", Needs: Needs{Memory: Shmem, Except: []string{"virtio_gpu"}}, Run: createWrapping(0x08000001, 32)},
	{ID: "A13", Title: "a pitch that wraps at 64 bits per pixel is noticed", Needs: Needs{Drivers: []string{"vkms", "vgem"}}, Run: createWrapping(0x04000001, 64)},
	{ID: "A15", Title: "virtio-gpu does 32 bits per pixel only", Needs: Needs{Drivers: []string{"virtio_gpu"}}, Run: createVirtio},
	{ID: "A16", Title: "an unknown colour mode is guessed and warned of", Needs: Needs{Memory: Shmem, Except: []string{"virtio_gpu"}, Since: Kernel{7, 2}}, Run: createWant(64, 64, 33, nil)},
	{ID: "A17", Title: "the kernel ignores flags, the library sends none", Run: createFlags},
	{ID: "A19", Title: "numbers that do not fit never reach the kernel", Run: createOutOfRange},
	{ID: "A20", Title: "a render node makes no dumb buffers, and the error says so", Needs: Needs{Kind: drm.NodeRender}, Run: createOnRender},
	{ID: "A21", Title: "vgem denies the dumb buffers that it makes", Needs: Needs{Drivers: []string{"vgem"}}, Run: createAgainstCap},
	{ID: "A24", Title: "random sizes do what a model in big numbers says", Run: createRandom},
	{ID: "A25", Title: "fresh buffers are zero, whatever was in memory", Run: createClear},
}

func createWant(width, height, bpp int, want error) func(T, *Env) {
	return func(t T, env *Env) {
		dev := env.Open(t)
		b, err := dev.CreateDumb(width, height, bpp)
		wantErr(t, "CreateDumb", err, want)
		if err == nil {
			wantErr(t, "DestroyDumb", dev.DestroyDumb(b.Handle), nil)
		}
	}
}

func createCommon(t T, env *Env) {
	b := createDumb(t, env.Open(t), 4032, 2016, 32)
	if b.Pitch < 4032*4 || b.Size < uint64(b.Pitch)*2016 {
		t.Errorf("pitch %d, size %d: too small for 4032x2016 of 4 bytes", b.Pitch, b.Size)
	}
	if b.Handle == 0 {
		t.Errorf("handle 0")
	}
}

func createOneBit(t T, env *Env) {
	b := createDumb(t, env.Open(t), 1, 1, 1)
	if b.Size != 4096 {
		t.Errorf("size %d, want a page", b.Size)
	}
	if env.Kernel.Less(Kernel{7, 2}) && b.Pitch != 1 {
		t.Errorf("pitch %d, want 1", b.Pitch)
	}
}

func createHuge(t T, env *Env) {
	if b := createDumb(t, env.Open(t), 32768, 32768, 16); b.Size != 2<<30 {
		t.Errorf("size %d, want 2 GiB", b.Size)
	}
}

func createAbsurdBPP(t T, env *Env) {
	dev := env.Open(t)
	bpp := uint32(0xfffffff7)
	arg := rawCreateDumb{width: 1, height: 1, bpp: bpp}
	wantErr(t, "the kernel", rawOpCreateDumb.Do(dev.FD(), &arg), nil)
	if arg.handle != 0 {
		wantErr(t, "DestroyDumb", dev.DestroyDumb(drm.Handle(arg.handle)), nil)
	}
	_, err := dev.CreateDumb(1, 1, 65)
	wantErr(t, "the library", err, drm.ErrRange)
}

// createWrapping asks for a row whose size in bits does not fit 32 bits.
// Linux 7.2 counts right; earlier helpers return a row of a few bytes, which
// the library must notice and give back.
func createWrapping(width, bpp int) func(T, *Env) {
	return func(t T, env *Env) {
		dev := env.Open(t)
		first := createDumb(t, dev, 64, 64, 32).Handle

		b, err := dev.CreateDumb(width, 1, bpp)
		switch {
		case err == nil:
			if uint64(b.Pitch) < uint64(width)*uint64(bpp)/8 {
				t.Errorf("pitch %d for a row of %d pixels was let through", b.Pitch, width)
			}
			wantErr(t, "DestroyDumb", dev.DestroyDumb(b.Handle), nil)
		case env.Kernel.Less(Kernel{7, 2}):
			wantErr(t, "CreateDumb", err, drm.ErrShortBuffer)
		default:
			wantErr(t, "CreateDumb", err, nil)
		}
		// The short buffer's handle is free again: it is the next one.
		if next := createDumb(t, dev, 64, 64, 32).Handle; next != first+1 {
			t.Errorf("next handle is %d, want %d: the short buffer was not given back", next, first+1)
		}
	}
}

func createVirtio(t T, env *Env) {
	for _, bpp := range []int{8, 16, 24, 64} {
		createWant(64, 64, bpp, syscall.EINVAL)(t, env)
	}
}

func createFlags(t T, env *Env) {
	dev := env.Open(t)
	arg := rawCreateDumb{width: 64, height: 64, bpp: 32, flags: 0xffffffff}
	wantErr(t, "the kernel", rawOpCreateDumb.Do(dev.FD(), &arg), nil)
	if arg.handle != 0 {
		wantErr(t, "DestroyDumb", dev.DestroyDumb(drm.Handle(arg.handle)), nil)
	}
}

func createOutOfRange(t T, env *Env) {
	dev := env.Open(t)
	large := math.MaxInt // beyond 32 bits where int is
	for _, v := range [][3]int{
		{-1, 64, 32}, {64, -1, 32}, {64, 64, -1}, {64, 64, 65}, {math.MinInt, 64, 32},
		{large, 1, 32}, {1, large, 32}, {1, 1, large}, {large, large, 64},
	} {
		_, err := dev.CreateDumb(v[0], v[1], v[2])
		if large == math.MaxInt32 && (v[0] == large || v[1] == large) && v[2] <= 64 {
			continue // it fits: what the kernel says of it is A24's
		}
		wantErr(t, "CreateDumb", err, drm.ErrRange)
	}
	if b := createDumb(t, dev, 64, 64, 32); b.Handle != 1 {
		t.Errorf("handle %d, want 1: something was made before", b.Handle)
	}
}

func createOnRender(t T, env *Env) {
	_, err := env.Open(t).CreateDumb(64, 64, 32)
	wantErr(t, "CreateDumb", err, syscall.EACCES)
	wantErr(t, "CreateDumb", err, drm.ErrPermission)
	var e *drm.Error
	if !errors.As(err, &e) || e.Hint == "" {
		t.Errorf("%v: no hint at card nodes", err)
	}
}

func createAgainstCap(t T, env *Env) {
	dev := env.Open(t)
	_, err := dev.Cap(drm.CapDumbBuffer)
	wantErr(t, "CapDumbBuffer", err, drm.ErrNotSupported)
	createDumb(t, dev, 64, 64, 32)
}

// createRandom compares what the kernel says of random sizes with a model. For
// drivers whose buffers are the shmem helper's the model is that helper's own
// arithmetic, kernel by kernel, and the two agree to the byte. Of others it
// knows the rules that all drivers share: a driver may refuse more, but it must
// not accept more, and what it makes must be large enough.
func createRandom(t T, env *Env) {
	dev := env.Open(t)
	rnd := rand.New(rand.NewPCG(1, 2))
	dimension := func() int {
		switch rnd.IntN(4) {
		case 0:
			return rnd.IntN(4) // 0 is the kernel's to refuse
		case 1:
			return rnd.IntN(4096)
		case 2:
			return 1 << rnd.IntN(32)
		}
		return int(rnd.Uint32() >> rnd.IntN(32) & math.MaxInt32)
	}
	check := wantPlausible
	rounds := env.Effort.Rounds(t, env.scale(3_000), 1_000_000)
	switch {
	case env.Driver == "virtio_gpu": // each buffer is a conversation with the host
		rounds = env.Effort.Rounds(t, env.scale(150), 50_000)
	case memoryOf(env.Driver, env.Kernel) == VRAM: // each one is cleared at once
		rounds = env.Effort.Rounds(t, 500, 100_000)
	case memoryOf(env.Driver, env.Kernel) == Shmem:
		check = wantShmem
	}
	for range rounds {
		w, h, bpp := dimension(), dimension(), rnd.IntN(65)
		b, err := dev.CreateDumb(w, h, bpp)
		if err == nil {
			if err := dev.DestroyDumb(b.Handle); err != nil {
				t.Fatalf("%v", err)
			}
		}
		if err := check(env, w, h, bpp, b, err); err != nil {
			t.Fatalf("%dx%d bpp %d: %v", w, h, bpp, err)
		}
	}
}

// wantPlausible looks at what came of a size on a driver that is not modelled.
func wantPlausible(env *Env, w, h, bpp int, b drm.Dumb, err error) error {
	var e *drm.Error
	switch {
	case err != nil && (!errors.As(err, &e) || !plausible(e, w, h, bpp, env)):
		return fmt.Errorf("%w: not what the model expects", err)
	case err != nil:
		return nil
	case w == 0 || h == 0 || bpp == 0:
		return errors.New("success")
	}
	if row := (uint64(w)*uint64(bpp) + 7) / 8; uint64(b.Pitch) < row || b.Size/uint64(h) < row {
		return fmt.Errorf("pitch %d, size %d", b.Pitch, b.Size)
	}
	return nil
}

// plausible says whether the kernel may refuse a size like this.
func plausible(e *drm.Error, w, h, bpp int, env *Env) bool {
	area := mulSaturating(uint64(w)*((uint64(bpp)+7)/8), uint64(h))
	// Before Linux 7.2 the bits of a row wrap at 32 bits: what comes out is
	// too short, or nothing at all, which no address space has room for.
	wraps := uint64(w)*uint64(bpp) > math.MaxUint32-8
	switch {
	case errors.Is(e, drm.ErrShortBuffer):
		return wraps
	case errors.Is(e, syscall.EINVAL):
		return w == 0 || h == 0 || bpp == 0 || area > math.MaxUint32-4096 ||
			env.Driver == "virtio_gpu" && bpp != 32 || env.Driver == "qxl" && bpp != 16 && bpp != 32
	case errors.Is(e, syscall.ENOMEM), errors.Is(e, syscall.ENOSPC):
		// VRAM is small, and virtio-gpu takes its pages at once.
		early := memoryOf(env.Driver, env.Kernel) == VRAM || env.Driver == "virtio_gpu"
		return wraps || area >= 1<<30 || early && area > 1<<20
	}
	return false
}

// mulSaturating multiplies without wrapping: it stops at the largest uint64.
func mulSaturating(a, b uint64) uint64 {
	if a != 0 && b > math.MaxUint64/a {
		return math.MaxUint64
	}
	return a * b
}

func createClear(t T, env *Env) {
	dev := env.Open(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range env.Effort.Rounds(t, env.scale(25), 10_000) {
				if err := createDirty(dev); err != nil {
					t.Errorf("%v", err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// createDirty makes a buffer, looks whether it is zero, and leaves it dirty.
func createDirty(dev *drm.Device) (err error) {
	b, err := dev.CreateDumb(128, 64, 32)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dev.DestroyDumb(b.Handle)) }()
	offset, err := dev.MapDumb(b.Handle)
	if err != nil {
		return err
	}
	m, err := dev.Mmap(offset, b.Size)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, drm.Munmap(m)) }()
	for i := range m {
		if m[i] != 0 {
			return errors.New("a fresh buffer is not zero")
		}
		m[i] = 0xa5
	}
	return nil
}

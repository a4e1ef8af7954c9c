package scanout_test

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/debugfs"
	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/drm/fourcc"
	"github.com/gemtool/gemtool/drm/kms"
	"github.com/gemtool/gemtool/gem"
	"github.com/gemtool/gemtool/gem/scanout"
	"github.com/gemtool/gemtool/prime"
)

// dmaBufs counts the dma-bufs of the system.
func dmaBufs(t *testing.T) int {
	t.Helper()
	text, err := debugfs.Default.Bufinfo()
	if err != nil {
		t.Fatal(err)
	}
	info, err := debugfs.ParseBufinfo(text)
	if err != nil {
		t.Fatal(err)
	}
	return len(info.Buffers)
}

// again opens a device's node once more. GETFB2 there makes handles, which end
// with that file.
func again(t *testing.T, d *drm.Device) *drm.Device {
	t.Helper()
	other, err := drm.Open(d.Path(), drm.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { other.Close() })
	return other
}

// buffers makes dma-bufs of vgem of that many bytes each, which nobody has a
// handle of.
func buffers(t *testing.T, sizes ...int) (bufs []*prime.Buffer) {
	t.Helper()
	store := gem.StoreOf(drmtest.RequireDevice(t, "vgem"))
	for _, size := range sizes {
		o, err := store.Create(size/4, 1, 32)
		if err != nil {
			t.Fatal(err)
		}
		b, err := o.Export()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { b.Close() })
		bufs = append(bufs, b)
		if err := o.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return bufs
}

// calls counts imports and the ends of handles, of all devices.
type calls struct{ imports, closes atomic.Int64 }

func countCalls(t *testing.T) *calls {
	t.Helper()
	c := &calls{}
	drmtest.Intercept(t, func(call drmtest.Call) (syscall.Errno, bool) {
		switch call.Request & 0xffff { // all but size and direction
		case 0x642e: // PRIME_FD_TO_HANDLE
			c.imports.Add(1)
		case 0x6409: // GEM_CLOSE
			c.closes.Add(1)
		}
		return 0, false
	})
	return c
}

func (c *calls) want(t *testing.T, name string, imports, closes int64) {
	t.Helper()
	if i, n := c.imports.Load(), c.closes.Load(); i != imports || n != closes {
		t.Errorf("%s: %d imports and %d closed handles, want %d and %d", name, i, n, imports, closes)
	}
}

// images are what the tests make framebuffers of: handles is how many the
// kernel has for one.
func images(bufs []*prime.Buffer) []struct {
	name    string
	image   prime.Image
	handles int64
} {
	nv12 := func(planes ...prime.Plane) prime.Image {
		return prime.Image{Width: 64, Height: 64, Format: fourcc.NV12, Planes: planes}
	}
	return []struct {
		name    string
		image   prime.Image
		handles int64
	}{
		{"XR24", prime.Image{Width: 64, Height: 64, Format: fourcc.XRGB8888, Planes: []prime.Plane{{Buffer: bufs[0], Pitch: 256}}}, 1},
		{"NV12 in one buffer", nv12(prime.Plane{Buffer: bufs[0], Pitch: 64}, prime.Plane{Buffer: bufs[0], Pitch: 64, Offset: 4096}), 1},
		{"NV12 in two buffers", nv12(prime.Plane{Buffer: bufs[0], Pitch: 64}, prime.Plane{Buffer: bufs[1], Pitch: 64}), 2},
	}
}

// addFB skips what the driver shows only since Linux 7.
func addFB(t *testing.T, store *gem.Store, img *prime.Image) *scanout.Framebuffer {
	t.Helper()
	fb, err := scanout.AddFB(store, img)
	if err != nil && img.Format == fourcc.NV12 && errors.Is(err, syscall.EINVAL) && !showsNV12(t, store.Device()) {
		t.Skip("vkms of this kernel has no plane for NV12")
	}
	if err != nil {
		t.Fatal(err)
	}
	return fb
}

func showsNV12(t *testing.T, d *drm.Device) bool {
	t.Helper()
	if err := d.SetClientCap(drm.ClientCapUniversalPlanes, 1); err != nil {
		t.Fatal(err)
	}
	planes, err := kms.ReadPlanes(d)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range planes {
		for _, f := range p.Formats {
			if f == fourcc.NV12 {
				return true
			}
		}
	}
	return false
}

// TestAddFB passes if each dma-buf of an image is imported once and its handle
// closed once, with the framebuffer, and nothing is left, also when the Buffers
// are closed before.
func TestAddFB(t *testing.T) {
	drmtest.GuardKernelLog(t)
	for n := range images(make([]*prime.Buffer, 2)) {
		name := images(make([]*prime.Buffer, 2))[n].name
		t.Run(name, func(t *testing.T) {
			drmtest.CheckLeaks(t)
			card := drmtest.RequireDevice(t, "vkms")
			store := gem.StoreOf(card)
			other := again(t, card)
			total := dmaBufs(t)
			bufs := buffers(t, 1<<14, 1<<14)
			test := images(bufs)[n]
			c := countCalls(t)
			fb := addFB(t, store, &test.image)
			c.want(t, "made", test.handles, 0)
			got, err := kms.GetFB2(other, fb.ID())
			if err != nil {
				t.Fatal(err)
			}
			objects := map[drm.Handle]bool{}
			for _, p := range got.Planes {
				objects[p.Handle] = true
			}
			if got.Format != test.image.Format || len(got.Planes) != len(test.image.Planes) || len(objects) != int(test.handles) {
				t.Errorf("the kernel has %+v", got)
			}
			if err := other.Close(); err != nil {
				t.Error(err)
			}
			for _, b := range bufs {
				b.Close()
			}
			if err := fb.Close(); err != nil {
				t.Error(err)
			}
			c.want(t, "closed", test.handles, test.handles)
			if err := fb.Close(); !errors.Is(err, scanout.ErrClosed) {
				t.Errorf("second Close: %v", err)
			}
			c.want(t, "closed again", test.handles, test.handles)
			if _, err := kms.GetFB2(card, fb.ID()); !errors.Is(err, syscall.ENOENT) {
				t.Errorf("the framebuffer after Close: %v", err)
			}
			if n := dmaBufs(t); n != total {
				t.Errorf("%d dma-bufs, %d before", n, total)
			}
		})
	}
}

// TestSharedBuffer passes if two framebuffers and an object that share a dma-buf
// end in any order, and its one handle with the last of them.
func TestSharedBuffer(t *testing.T) {
	drmtest.GuardKernelLog(t)
	drmtest.CheckLeaks(t)
	store := gem.StoreOf(drmtest.RequireDevice(t, "vkms"))
	bufs := buffers(t, 1<<14, 1<<14)
	img := images(bufs)[0].image
	for first := range 3 {
		t.Run(fmt.Sprint("from ", first), func(t *testing.T) {
			c := countCalls(t)
			o, err := store.Import(bufs[0])
			if err != nil {
				t.Fatal(err)
			}
			one, two := addFB(t, store, &img), addFB(t, store, &img)
			closers := []io.Closer{o, one, two}
			for i := range closers {
				c.want(t, "one lives", 3, 0)
				if err := closers[(first+i)%3].Close(); err != nil {
					t.Error(err)
				}
			}
			c.want(t, "all closed", 3, 1)
		})
	}
}

// TestCloseRace passes if of many Closes at once one does it, and images that
// share a dma-buf come and go beside it.
func TestCloseRace(t *testing.T) {
	drmtest.GuardKernelLog(t)
	drmtest.CheckLeaks(t)
	store := gem.StoreOf(drmtest.RequireDevice(t, "vkms"))
	bufs := buffers(t, 1<<14, 1<<14)
	img := images(bufs)[0].image
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				fb, err := scanout.AddFB(store, &img)
				if err != nil {
					t.Error(err)
					return
				}
				var ended atomic.Int64
				var closing sync.WaitGroup
				for range 3 {
					closing.Go(func() {
						if err := fb.Close(); err == nil {
							ended.Add(1)
						} else if !errors.Is(err, scanout.ErrClosed) {
							t.Error(err)
						}
					})
				}
				closing.Wait()
				if n := ended.Load(); n != 1 {
					t.Errorf("%d Closes succeeded", n)
				}
			}
		})
	}
	wg.Wait()
	// The handle is closed: an import makes one anew.
	o, err := store.Import(bufs[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Close(); err != nil {
		t.Error(err)
	}
	if _, err := store.Device().HandleToFD(o.Handle()); !errors.Is(err, syscall.ENOENT) {
		t.Errorf("the handle at the end: %v", err)
	}
}

// TestGone passes if the Close of a framebuffer whose file is closed succeeds:
// the kernel has ended both already.
func TestGone(t *testing.T) {
	drmtest.CheckLeaks(t)
	card := drmtest.RequireDevice(t, "vkms")
	img := images(buffers(t, 1<<14, 1<<14))[0].image
	fb := addFB(t, gem.StoreOf(card), &img)
	if err := card.Close(); err != nil {
		t.Fatal(err)
	}
	if err := fb.Close(); err != nil {
		t.Error(err)
	}
}

// TestLeaked passes if a framebuffer that nobody closed is given back by the
// collector, and reported.
func TestLeaked(t *testing.T) {
	drmtest.CheckLeaks(t)
	card := drmtest.RequireDevice(t, "vkms")
	store := gem.StoreOf(card)
	img := images(buffers(t, 1<<14, 1<<14))[0].image
	var warnings atomic.Int64
	defer gem.OnWarn(func(gem.Warning) { warnings.Add(1) })()
	other := again(t, card)
	id := addFB(t, store, &img).ID()
	for range 200 {
		runtime.GC()
		if _, err := kms.GetFB2(other, id); errors.Is(err, syscall.ENOENT) && warnings.Load() == 1 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("the framebuffer lives, or was not reported: %d warnings", warnings.Load())
}

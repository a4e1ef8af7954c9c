package prime_test

import (
	"errors"
	"math"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/drm/fourcc"
	"github.com/gemtool/gemtool/drm/ioctl"
	"github.com/gemtool/gemtool/prime"
	"github.com/gemtool/gemtool/prime/primetest"
)

// fakeBuffer makes a dma-buf of 12 KiB, and returns a way to get descriptors of
// it.
func fakeBuffer(t *testing.T, f *drmtest.Fake) func() *ioctl.FD {
	t.Helper()
	fd := f.NewBuffer(12288, false)
	t.Cleanup(func() { fd.Close() })
	return func() (dup *ioctl.FD) {
		err := fd.Use(func(n int) error {
			m, err := unix.FcntlInt(uintptr(n), unix.F_DUPFD_CLOEXEC, 0)
			dup = ioctl.NewFD(m)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return dup
	}
}

// TestParams passes if what a client may say makes an image, whose buffers are
// closed once, and whatever it may not say is refused, with every descriptor
// closed.
//
// Cases N04, N06
func TestParams(t *testing.T) {
	drmtest.CheckLeaks(t)
	fd := fakeBuffer(t, primetest.NewFake(t))
	type plane struct {
		index, offset, pitch uint32
		modifier             fourcc.Modifier
	}
	one := []plane{{0, 0, 256, 0}}
	for _, test := range []struct {
		name          string
		planes        []plane
		width, height int32
		format        fourcc.Format
		flags         uint32
		want          error
	}{
		{"one plane", one, 64, 48, fourcc.XRGB8888, 0, nil},
		{"two planes of a buffer", []plane{{0, 0, 64, 0}, {1, 4096, 64, 0}}, 64, 48, fourcc.NV12, 0, nil},
		{"second plane first", []plane{{1, 4096, 64, 0}, {0, 0, 64, 0}}, 64, 48, fourcc.NV12, 0, nil},
		{"no plane", nil, 64, 48, fourcc.XRGB8888, 0, prime.ErrImage},
		{"gap", []plane{{0, 0, 64, 0}, {2, 0, 64, 0}}, 64, 48, fourcc.NV12, 0, prime.ErrImage},
		{"first plane missing", []plane{{1, 0, 256, 0}}, 64, 48, fourcc.XRGB8888, 0, prime.ErrImage},
		{"plane 4", []plane{{0, 0, 256, 0}, {4, 0, 256, 0}}, 64, 48, fourcc.XRGB8888, 0, prime.ErrImage},
		{"plane 2^32-1", []plane{{math.MaxUint32, 0, 256, 0}}, 64, 48, fourcc.XRGB8888, 0, prime.ErrImage},
		{"plane set twice", []plane{{0, 0, 256, 0}, {0, 0, 256, 0}}, 64, 48, fourcc.XRGB8888, 0, prime.ErrImage},
		{"mixed modifiers", []plane{{0, 0, 64, 0}, {1, 4096, 64, fourcc.ModInvalid}}, 64, 48, fourcc.NV12, 0, prime.ErrImage},
		{"a plane too many", []plane{{0, 0, 256, 0}, {1, 0, 256, 0}}, 64, 48, fourcc.XRGB8888, 0, prime.ErrImage},
		{"width 0", one, 0, 48, fourcc.XRGB8888, 0, prime.ErrImage},
		{"height -1", one, 64, -1, fourcc.XRGB8888, 0, prime.ErrImage},
		{"width -2^31", one, math.MinInt32, 48, fourcc.XRGB8888, 0, prime.ErrImage},
		{"too wide", one, math.MaxInt32, 48, fourcc.XRGB8888, 0, prime.ErrImage},
		{"too high", one, 64, 49, fourcc.XRGB8888, 0, prime.ErrImage},
		{"unknown flags", one, 64, 48, fourcc.XRGB8888, 8, prime.ErrImage},
		{"upside down", one, 64, 48, fourcc.XRGB8888, 1, prime.ErrNotSupported},
		{"unknown format", one, 64, 48, fourcc.New('?', '?', '?', '?'), 0, prime.ErrNotSupported},
	} {
		t.Run(test.name, func(t *testing.T) {
			drmtest.CheckLeaks(t)
			var p prime.Params
			var err error
			for _, pl := range test.planes {
				if err = p.Add(fd(), pl.index, pl.offset, pl.pitch, pl.modifier); err != nil {
					break
				}
			}
			if err != nil {
				p.Close()
			} else {
				var image *prime.Image
				if image, err = p.Image(test.width, test.height, test.format, test.flags); err == nil {
					defer image.Close()
					p.Close() // has nothing any more
					if image.Planes[0].Buffer.Mode() != prime.ReadWrite || len(image.Planes) != len(test.planes) {
						t.Errorf("%+v", image)
					}
					if last := image.Planes[len(image.Planes)-1].Buffer; last != image.Planes[0].Buffer {
						t.Error("planes of one dma-buf have Buffers of their own")
					}
				}
			}
			if !errors.Is(err, test.want) || (test.want == nil) != (err == nil) {
				t.Errorf("%v, want %v", err, test.want)
			}
			if err := p.Add(fd(), 3, 0, 256, 0); !errors.Is(err, prime.ErrImage) {
				t.Errorf("Add afterwards: %v, want ErrImage", err)
			}
			if _, err := p.Image(64, 48, fourcc.XRGB8888, 0); !errors.Is(err, prime.ErrImage) {
				t.Errorf("Image afterwards: %v, want ErrImage", err)
			}
		})
	}
}

// TestParamsForeign passes if whatever else a peer sends in the place of a
// dma-buf is refused before it is used, and closed.
//
// Case N01
func TestParamsForeign(t *testing.T) {
	drmtest.CheckLeaks(t)
	var pipe, pair [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pipe[1])
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pair[1])
	memfd, err := unix.MemfdCreate("x", unix.MFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	null, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := unix.Open("/", unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	for what, n := range map[string]int{"pipe": pipe[0], "socket": pair[0], "memfd": memfd, "device": null, "directory": dir} {
		var p prime.Params
		if err := p.Add(ioctl.NewFD(n), 0, 0, 256, 0); !errors.Is(err, prime.ErrNotDMABuf) {
			t.Errorf("%s: %v, want ErrNotDMABuf", what, err)
		}
		if _, err := unix.FcntlInt(uintptr(n), unix.F_GETFD, 0); err != unix.EBADF {
			t.Errorf("%s: descriptor is still open: %v", what, err)
		}
		p.Close()
	}
}

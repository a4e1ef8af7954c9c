package kms_test

import (
	"errors"
	"image"
	"image/color"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/drm/fourcc"
	"github.com/gemtool/gemtool/drm/kms"
	"github.com/gemtool/gemtool/prime"
)

// picture is a framebuffer with its pixels mapped.
type picture struct {
	fb    kms.FBID
	pix   []byte
	pitch int
}

// newPicture makes a framebuffer of a dumb buffer.
func newPicture(t *testing.T, d *drm.Device, size image.Point) picture {
	t.Helper()
	dumb, pix := newDumb(t, d, size)
	fb := addFB(t, d, dumb.Handle, dumb.Pitch, size)
	return picture{fb, pix, int(dumb.Pitch)}
}

func newDumb(t *testing.T, d *drm.Device, size image.Point) (drm.Dumb, []byte) {
	t.Helper()
	dumb, err := d.CreateDumb(size.X, size.Y, 32)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.DestroyDumb(dumb.Handle) })
	offset, err := d.MapDumb(dumb.Handle)
	if err != nil {
		t.Fatal(err)
	}
	pix, err := d.Mmap(offset, dumb.Size)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { drm.Munmap(pix) })
	return dumb, pix
}

func addFB(t *testing.T, d *drm.Device, h drm.Handle, pitch uint32, size image.Point) kms.FBID {
	t.Helper()
	fb, err := kms.AddFB2(d, kms.FB{
		Width: uint32(size.X), Height: uint32(size.Y),
		Format: fourcc.XRGB8888, Modifier: fourcc.ModLinear,
		Planes: []kms.FBPlane{{Handle: h, Pitch: pitch}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := kms.CloseFB(d, fb); err != nil {
			t.Error(err)
		}
	})
	return fb
}

// paint makes every pixel tell its place.
func paint(pix []byte, pitch int, size image.Point) error {
	m, err := fourcc.NewImage(fourcc.XRGB8888, pix, size.X, size.Y, pitch)
	if err != nil {
		return err
	}
	for y := range size.Y {
		for x := range size.X {
			m.Set(x, y, color.RGBA{R: uint8(x), G: uint8(y), B: uint8(x>>8<<4 | y>>8), A: 255})
		}
	}
	return nil
}

// differences counts the pixels that are not what draw has made.
func differences(t *testing.T, p picture, size image.Point) (n int) {
	t.Helper()
	want := make([]byte, p.pitch*size.Y)
	if err := paint(want, p.pitch, size); err != nil {
		t.Fatal(err)
	}
	for y := range size.Y {
		for x := range size.X {
			at := y*p.pitch + 4*x
			if string(p.pix[at:at+3]) != string(want[at:at+3]) {
				n++
			}
		}
	}
	return n
}

// state is what a device's pipelines are set to. Blobs are compared by what
// is in them.
func state(t *testing.T, path string) map[string]uint64 {
	t.Helper()
	d, err := drm.Open(path, drm.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for _, c := range []drm.ClientCap{drm.ClientCapAtomic, drm.ClientCapWritebackConnectors} {
		if err := d.SetClientCap(c, 1); err != nil {
			t.Fatal(err)
		}
	}
	r, err := kms.ReadResources(d)
	if err != nil {
		t.Fatal(err)
	}
	planes, err := kms.ReadPlanes(d)
	if err != nil {
		t.Fatal(err)
	}
	var objects []kms.Object
	for _, id := range r.CRTCs {
		objects = append(objects, id.Object())
	}
	for _, id := range r.Connectors {
		objects = append(objects, id.Object())
	}
	for _, p := range planes {
		objects = append(objects, p.ID.Object())
	}
	all := map[string]uint64{}
	for _, o := range objects {
		props, err := kms.ReadProperties(d, o)
		if err != nil {
			t.Fatal(err)
		}
		delete(props, "DPMS") // of the old interface, and off for what was ever detached
		for name, p := range props {
			v := p.Value
			if name == "MODE_ID" && v != 0 {
				blob, err := kms.ReadBlob(d, kms.BlobID(v))
				if err != nil {
					t.Fatal(err)
				}
				// Only the resolution: bytes 4 to 6 and 14 to 16.
				v = uint64(blob[4]) | uint64(blob[5])<<8 | uint64(blob[14])<<16 | uint64(blob[15])<<24
			}
			all[o.String()+" "+name] = v
		}
	}
	return all
}

// linux61 says whether this is Linux 6.1. Its vkms starts at 20 pixels where
// later ones do at 10, and Debian's has no udmabuf.
func linux61(t *testing.T) bool {
	t.Helper()
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil { // not an os.File: its poller keeps descriptors
		t.Fatal(err)
	}
	return strings.HasPrefix(unix.ByteSliceToString(name.Release[:]), "6.1.")
}

// TestReadBack passes if every pixel that vkms wrote is the one it was to
// show, for sizes whose rows are not whole pages, one that differs by a pixel
// is noticed, and all is set as it was.
func TestReadBack(t *testing.T) {
	smallest := image.Pt(10, 10)
	if linux61(t) {
		smallest = image.Pt(20, 20)
	}
	for _, size := range []image.Point{smallest, {64, 64}, {333, 77}, {640, 480}} {
		t.Run(size.String(), func(t *testing.T) {
			drmtest.GuardKernelLog(t)
			drmtest.CheckLeaks(t)
			d := drmtest.RequireDevice(t, "vkms")
			before := state(t, d.Path())
			in, out := newPicture(t, d, size), newPicture(t, d, size)
			if err := paint(in.pix, in.pitch, size); err != nil {
				t.Fatal(err)
			}
			if n := differences(t, out, size); n < size.X*size.Y-1 {
				t.Fatalf("only %d pixels differ before", n)
			}
			if err := kms.ReadBack(t.Context(), d, in.fb, out.fb, size.X, size.Y); err != nil {
				t.Fatal(err)
			}
			if n := differences(t, out, size); n != 0 {
				t.Errorf("%d pixels of %v differ", n, size)
			}
			in.pix[(size.Y-1)*in.pitch+4*(size.X-1)] ^= 0x80
			if err := kms.ReadBack(t.Context(), d, in.fb, out.fb, size.X, size.Y); err != nil {
				t.Fatal(err)
			}
			if n := differences(t, out, size); n != 1 {
				t.Errorf("%d pixels differ after one was changed", n)
			}
			compareState(t, before, state(t, d.Path()))
			if is, err := d.IsMaster(); is || err != nil {
				t.Errorf("master after ReadBack: %v, %v", is, err)
			}
		})
	}
}

func compareState(t *testing.T, before, after map[string]uint64) {
	t.Helper()
	for name, v := range before {
		if after[name] != v {
			t.Errorf("%s was %d, is %d", name, v, after[name])
		}
	}
}

// TestReadBackImport passes if vkms shows what others have allocated, and
// keeps it alive by the framebuffer alone.
func TestReadBackImport(t *testing.T) {
	size := image.Pt(200, 100)
	for _, test := range []struct {
		name  string
		alloc func(*testing.T) (buf *prime.Buffer, pitch int)
	}{
		{"vgem", func(t *testing.T) (*prime.Buffer, int) {
			d := drmtest.RequireDevice(t, "vgem")
			dumb, err := d.CreateDumb(size.X, size.Y, 32)
			if err != nil {
				t.Fatal(err)
			}
			defer d.DestroyDumb(dumb.Handle)
			buf, err := prime.Export(d, dumb.Handle)
			if err != nil {
				t.Fatal(err)
			}
			return buf, int(dumb.Pitch)
		}},
		{"udmabuf", func(t *testing.T) (*prime.Buffer, int) {
			const pitch = 1024
			buf, err := prime.NewUdmabuf(uint64(pitch * size.Y))
			if errors.Is(err, prime.ErrNotSupported) && linux61(t) {
				t.Skipf("NOT TESTED: %v", err)
			}
			if err != nil {
				t.Fatal(err)
			}
			return buf, pitch
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			drmtest.GuardKernelLog(t)
			drmtest.CheckLeaks(t)
			d := drmtest.RequireDevice(t, "vkms")
			fb := drawnImport(t, d, size, test.alloc)
			out := newPicture(t, d, size)
			if err := kms.ReadBack(t.Context(), d, fb, out.fb, size.X, size.Y); err != nil {
				t.Fatal(err)
			}
			if n := differences(t, out, size); n != 0 {
				t.Errorf("%d pixels of %v differ", n, size)
			}
		})
	}
}

// drawnImport makes a framebuffer of an import with a picture in it.
func drawnImport(t *testing.T, d *drm.Device, size image.Point, alloc func(*testing.T) (*prime.Buffer, int)) kms.FBID {
	t.Helper()
	buf, pitch := alloc(t)
	defer buf.Close()
	m, err := buf.Map()
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if err := paint(m.Bytes(), pitch, size); err != nil {
		t.Fatal(err)
	}
	h, err := buf.Import(d)
	if err != nil {
		t.Fatal(err)
	}
	defer d.CloseHandle(h)
	return addFB(t, d, h, uint32(pitch), size)
}

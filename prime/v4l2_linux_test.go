//go:build amd64 || arm64 || riscv64

package prime_test

import (
	"bytes"
	"fmt"
	"structs"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/drm/fourcc"
	"github.com/gemtool/gemtool/drm/ioctl"
	"github.com/gemtool/gemtool/prime"
)

// What the test needs of <linux/videodev2.h>, as 64-bit systems lay it out.
type (
	v4l2Capability struct {
		_                         structs.HostLayout
		Driver                    [16]byte
		Card, BusInfo             [32]byte
		Version, Caps, DeviceCaps uint32
		Reserved                  [3]uint32
	}
	v4l2Format struct {
		_                                 structs.HostLayout
		Type, Pad                         uint32
		Width, Height, PixelFormat, Field uint32
		BytesPerLine, SizeImage           uint32
		Rest                              [44]uint32
	}
	v4l2RequestBuffers struct {
		_                         structs.HostLayout
		Count, Type, Memory       uint32
		Capabilities, FlagsAndPad uint32
	}
	v4l2Buffer struct {
		_                                    structs.HostLayout
		Index, Type, BytesUsed, Flags, Field uint32
		Pad                                  uint32
		Timestamp                            [2]int64
		Timecode                             [4]uint32
		Sequence, Memory                     uint32
		M                                    uint64 // offset, or descriptor
		Length, Reserved2, RequestFD, Pad2   uint32
	}
	v4l2ExportBuffer struct {
		_                         structs.HostLayout
		Type, Index, Plane, Flags uint32
		FD                        int32
		Reserved                  [11]uint32
	}
	v4l2Control struct {
		_     structs.HostLayout
		ID    uint32
		Value int32
	}
)

const (
	v4l2Capture = 1 // V4L2_BUF_TYPE_VIDEO_CAPTURE
	v4l2MMAP    = 1 // V4L2_MEMORY_MMAP
	v4l2DMABuf  = 4 // V4L2_MEMORY_DMABUF

	vividOSDTextMode = 0x00f0f001 // VIVID_CID_OSD_TEXT_MODE, of vivid-ctrls.c
)

var (
	opV4L2QueryCap  = ioctl.Read[v4l2Capability]("VIDIOC_QUERYCAP", 'V', 0)
	opV4L2SetFormat = ioctl.ReadWrite[v4l2Format]("VIDIOC_S_FMT", 'V', 5)
	opV4L2ReqBufs   = ioctl.ReadWrite[v4l2RequestBuffers]("VIDIOC_REQBUFS", 'V', 8)
	opV4L2QBuf      = ioctl.ReadWrite[v4l2Buffer]("VIDIOC_QBUF", 'V', 15)
	opV4L2ExpBuf    = ioctl.ReadWrite[v4l2ExportBuffer]("VIDIOC_EXPBUF", 'V', 16)
	opV4L2DQBuf     = ioctl.ReadWrite[v4l2Buffer]("VIDIOC_DQBUF", 'V', 17)
	opV4L2StreamOn  = ioctl.Write[int32]("VIDIOC_STREAMON", 'V', 18)
	opV4L2StreamOff = ioctl.Write[int32]("VIDIOC_STREAMOFF", 'V', 19)
	opV4L2SetCtrl   = ioctl.ReadWrite[v4l2Control]("VIDIOC_S_CTRL", 'V', 28)
)

// camera is an open capture node of vivid, the kernel's camera for tests.
type camera struct {
	t  *testing.T
	fd *ioctl.FD
}

func openCamera(t *testing.T) camera {
	t.Helper()
	for i := range 16 {
		n, err := unix.Open(fmt.Sprintf("/dev/video%d", i), unix.O_RDWR|unix.O_CLOEXEC, 0)
		if err != nil {
			continue
		}
		fd := ioctl.NewFD(n)
		var c v4l2Capability
		const captures = 1 // V4L2_CAP_VIDEO_CAPTURE
		if err := opV4L2QueryCap.Do(fd, &c); err == nil && string(c.Driver[:6]) == "vivid\x00" && c.DeviceCaps&captures != 0 {
			t.Cleanup(func() { fd.Close() })
			return camera{t, fd}
		}
		fd.Close()
	}
	t.Skip("no camera of vivid: gemtool vm --device vkms --device vgem --device vivid, with Linux 6.1 or 6.12")
	return camera{}
}

// format makes the pictures 640x360 XRGB8888 that stand still.
func (c camera) format() v4l2Format {
	c.t.Helper()
	if err := opV4L2SetCtrl.Do(c.fd, &v4l2Control{ID: vividOSDTextMode, Value: 2}); err != nil {
		c.t.Fatal(err)
	}
	f := v4l2Format{Type: v4l2Capture, Width: 640, Height: 360, PixelFormat: uint32(fourcc.XRGB8888)}
	if err := opV4L2SetFormat.Do(c.fd, &f); err != nil {
		c.t.Fatal(err)
	}
	if f.Width != 640 || f.Height != 360 || f.PixelFormat != uint32(fourcc.XRGB8888) {
		c.t.Fatalf("the camera wants %+v", f)
	}
	return f
}

func (c camera) buffers(memory, count uint32) {
	c.t.Helper()
	if err := opV4L2ReqBufs.Do(c.fd, &v4l2RequestBuffers{Count: count, Type: v4l2Capture, Memory: memory}); err != nil {
		c.t.Fatal(err)
	}
}

// capture has a picture written into a buffer, which is the camera's own or a
// dma-buf.
func (c camera) capture(memory uint32, dmabuf *prime.Buffer) {
	c.t.Helper()
	typ := int32(v4l2Capture)
	q := v4l2Buffer{Type: v4l2Capture, Memory: memory}
	if dmabuf != nil {
		f, err := dmabuf.File()
		if err != nil {
			c.t.Fatal(err)
		}
		defer f.Close()
		q.M, q.Length = uint64(f.Fd()), uint32(dmabuf.Size())
	}
	if err := opV4L2QBuf.Do(c.fd, &q); err != nil {
		c.t.Fatalf("QBUF: %v", err)
	}
	if err := opV4L2StreamOn.Do(c.fd, &typ); err != nil {
		c.t.Fatalf("STREAMON: %v", err)
	}
	done := v4l2Buffer{Type: v4l2Capture, Memory: memory}
	if err := opV4L2DQBuf.Do(c.fd, &done); err != nil {
		c.t.Fatalf("DQBUF: %v", err)
	}
	if err := opV4L2StreamOff.Do(c.fd, &typ); err != nil {
		c.t.Fatalf("STREAMOFF: %v", err)
	}
}

// picture copies the bytes of a buffer out of it.
func picture(t *testing.T, b *prime.Buffer, size int) []byte {
	t.Helper()
	m, err := b.Map()
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	w, err := b.BeginAccess(t.Context(), prime.Read)
	if err != nil {
		t.Fatal(err)
	}
	defer w.End()
	return bytes.Clone(m.Bytes()[:size])
}

// TestVivid passes if a camera's picture is the same, byte for byte, in its own
// buffer that a DRM device imported, and in buffers of a DRM device and of the
// process's memory that the camera wrote into, without a copy.
//
// Case E08
func TestVivid(t *testing.T) {
	guard(t)
	c := openCamera(t)
	format := c.format()
	size := int(format.SizeImage)
	d := drmtest.RequireDevice(t, "vgem")

	c.buffers(v4l2MMAP, 1)
	arg := v4l2ExportBuffer{Type: v4l2Capture, Flags: unix.O_RDWR | unix.O_CLOEXEC}
	if err := opV4L2ExpBuf.Do(c.fd, &arg); err != nil {
		t.Fatal(err)
	}
	own, err := prime.New(ioctl.NewFD(int(arg.FD)))
	if err != nil {
		t.Fatal(err)
	}
	name, err := own.ExporterName()
	t.Logf("camera's buffer: %d bytes of exporter %q, %v", own.Size(), name, err)
	h, err := own.Import(d)
	if err != nil {
		t.Fatal(err)
	}
	imported := export(t, d, h)
	if imported.Inode() != own.Inode() {
		t.Errorf("inodes %d and %d", imported.Inode(), own.Inode())
	}
	image := prime.Image{
		Width: format.Width, Height: format.Height, Format: fourcc.XRGB8888,
		Planes: []prime.Plane{{Buffer: imported, Pitch: format.BytesPerLine}},
	}
	if err := image.Validate(); err != nil {
		t.Error(err)
	}
	c.capture(v4l2MMAP, nil)
	want := picture(t, imported, size)
	colours := map[string]bool{}
	for i := 0; i+4 <= int(format.Width)*4; i += 4 {
		colours[string(want[i:i+3])] = true
	}
	if len(colours) < 8 {
		t.Errorf("the picture's first row has %d colours, want the 8 bars", len(colours))
	}
	imported.Close()
	if err := d.CloseHandle(h); err != nil {
		t.Error(err)
	}
	own.Close()
	c.buffers(v4l2MMAP, 0)

	o, err := d.CreateDumb(int(format.Width), int(format.Height), 32)
	if err != nil {
		t.Fatal(err)
	}
	defer d.DestroyDumb(o.Handle)
	if o.Pitch != format.BytesPerLine {
		t.Fatalf("pitch %d, the camera's is %d", o.Pitch, format.BytesPerLine)
	}
	targets := map[string]*prime.Buffer{"a dumb buffer": export(t, d, o.Handle)}
	if !linux61(t) {
		targets["a udmabuf"] = udmabuf(t, uint64(size))
	}
	for name, b := range targets {
		if bytes.Equal(picture(t, b, size), want) {
			t.Fatalf("%s has the picture already", name)
		}
		c.buffers(v4l2DMABuf, 1)
		c.capture(v4l2DMABuf, b)
		c.buffers(v4l2DMABuf, 0)
		if !bytes.Equal(picture(t, b, size), want) {
			t.Errorf("%s has another picture than the camera's own buffer", name)
		}
	}
}

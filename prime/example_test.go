package prime_test

import (
	"context"
	"log"
	"os"
	"time"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/fourcc"
	"github.com/gemtool/gemtool/drm/ioctl"
	"github.com/gemtool/gemtool/prime"
)

// readClientBuffer gets a dma-buf from a client of a compositor, waits until the
// client's device has drawn it, but not for long, and calls f with its pixels.
func readClientBuffer(fd *ioctl.FD, width, height int32, pitch uint32, f func(pix []byte)) error {
	var params prime.Params
	defer params.Close()
	if err := params.Add(fd, 0, 0, pitch, fourcc.ModLinear); err != nil {
		return err // not a dma-buf
	}
	img, err := params.Image(width, height, fourcc.XRGB8888, 0)
	if err != nil {
		return err // the client's numbers do not fit its buffer
	}
	defer img.Close()
	buf := img.Planes[0].Buffer
	m, err := buf.Map()
	if err != nil {
		return err
	}
	defer m.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	// Also if the client adds a fence after the wait, this ends with ctx.
	w, err := buf.BeginAccess(ctx, prime.Read)
	if err != nil {
		return err
	}
	f(m.Bytes())
	return w.End()
}

// giveAway gives a buffer away with a fence: the receiver waits for it before it touches
// the buffer, and this side does not wait at all.
func giveAway(buf *prime.Buffer, drawn *prime.SyncFile) (dmabuf, acquire *os.File, err error) {
	// What was queued by others must be done, too.
	queued, err := buf.ExportSyncFile(prime.Read)
	if err != nil {
		return nil, nil, err
	}
	defer queued.Close()
	all, err := drawn.Merge("acquire", queued)
	if err != nil {
		return nil, nil, err
	}
	defer all.Close()
	// Receivers that know no fences find it in the buffer.
	if err := buf.ImportSyncFile(all, prime.Write); err != nil {
		return nil, nil, err
	}
	if acquire, err = all.File(); err != nil {
		return nil, nil, err
	}
	if dmabuf, err = buf.File(); err != nil {
		acquire.Close()
		return nil, nil, err
	}
	return dmabuf, acquire, nil // for SCM_RIGHTS, by which they are copied
}

// onTwoDevices fills a buffer of this process's own memory and puts it on two
// devices.
func onTwoDevices(ctx context.Context, picture []byte, a, b *drm.Device) (ha, hb drm.Handle, err error) {
	buf, err := prime.NewUdmabuf(uint64(len(picture)))
	if err != nil {
		return 0, 0, err // such as: the limit is 67108864 bytes
	}
	defer buf.Close() // the devices keep the memory
	m, err := buf.Map()
	if err != nil {
		return 0, 0, err
	}
	defer m.Close()
	w, err := buf.BeginAccess(ctx, prime.Write)
	if err != nil {
		return 0, 0, err
	}
	copy(m.Bytes(), picture)
	if err := w.End(); err != nil {
		return 0, 0, err
	}
	if ha, err = buf.Import(a); err != nil {
		return 0, 0, err
	}
	if hb, err = buf.Import(b); err != nil {
		a.CloseHandle(ha)
		return 0, 0, err
	}
	return ha, hb, nil // package gem counts handles; here the caller does
}

// Wait for a client's buffer and read it.
func ExampleParams() {
	var fd *ioctl.FD // which came over the client's socket
	err := readClientBuffer(fd, 640, 480, 2560, func(pix []byte) {
		log.Printf("first pixel %x", pix[:4])
	})
	if err != nil {
		log.Print(err) // the client's fault, or its device is slow
	}
}

// Give a buffer with an acquire fence away.
func ExampleBuffer_ImportSyncFile() {
	var buf *prime.Buffer
	var drawn *prime.SyncFile // of the device that draws into it
	dmabuf, acquire, err := giveAway(buf, drawn)
	if err != nil {
		log.Fatal(err)
	}
	defer dmabuf.Close()
	defer acquire.Close()
}

// Fill a udmabuf and put it on two devices.
func ExampleNewUdmabuf() {
	var a, b *drm.Device
	ha, hb, err := onTwoDevices(context.Background(), make([]byte, 640*480*4), a, b)
	if err != nil {
		log.Fatal(err)
	}
	defer a.CloseHandle(ha)
	defer b.CloseHandle(hb)
}

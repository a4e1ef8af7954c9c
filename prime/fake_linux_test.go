package prime_test

import (
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/drm/ioctl"
	"github.com/gemtool/gemtool/prime"
	"github.com/gemtool/gemtool/prime/internal/uapi"
)

// memBuffer makes a Buffer that maps like a dma-buf, of a memfd.
func memBuffer(t *testing.T, size int64, mode prime.Access) *prime.Buffer {
	t.Helper()
	n, err := unix.MemfdCreate("prime", unix.MFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	fd := ioctl.NewFD(n)
	t.Cleanup(func() { fd.Close() })
	if err := unix.Ftruncate(n, size); err != nil {
		t.Fatal(err)
	}
	return prime.NewTestBuffer(fd, uint64(size), mode)
}

// fence is a pipe: not ready for reading until it is signalled.
type fence struct{ r, w int }

func newFence(t *testing.T) *fence {
	t.Helper()
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		unix.Close(p[0])
		unix.Close(p[1])
	})
	return &fence{p[0], p[1]}
}

func (f *fence) signal() { unix.Write(f.w, []byte{0}) }

// buffer makes a Buffer that is not ready for reading before the signal.
func (f *fence) buffer(t *testing.T) *prime.Buffer {
	t.Helper()
	n, err := unix.FcntlInt(uintptr(f.r), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	fd := ioctl.NewFD(n)
	t.Cleanup(func() { fd.Close() })
	return prime.NewTestBuffer(fd, 4096, prime.ReadWrite)
}

// exporter answers a dma-buf's ioctls in the kernel's place.
type exporter struct {
	mu    sync.Mutex
	syncs []uint64        // the flags that were sent
	errno []syscall.Errno // the next answers to SYNC; 0 when used up
	fence *fence          // what EXPORT_SYNC_FILE makes a descriptor of
}

func newExporter(t *testing.T) *exporter {
	t.Helper()
	e := &exporter{}
	drmtest.Intercept(t, e.answer)
	return e
}

func (e *exporter) answer(c drmtest.Call) (syscall.Errno, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch c.Request {
	case uapi.OpSync.Request():
		e.syncs = append(e.syncs, drmtest.Arg[uapi.DMABufSync](c).Flags)
		if len(e.errno) > 0 {
			errno := e.errno[0]
			e.errno = e.errno[1:]
			return errno, true
		}
		return 0, true
	case uapi.OpExportSyncFile.Request():
		n, err := unix.FcntlInt(uintptr(e.fence.r), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			return err.(syscall.Errno), true
		}
		drmtest.Arg[uapi.DMABufExportSyncFile](c).FD = int32(n)
		return 0, true
	}
	return 0, false
}

// sent returns and forgets the flags of the SYNC ioctls.
func (e *exporter) sent() []uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.syncs
	e.syncs = nil
	return s
}

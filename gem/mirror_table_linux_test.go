//go:build amd64 || arm64 || riscv64

package gem_test

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/debugfs"
	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/prime"
)

// TestMirrorTable passes if each row of the table of SEMANTICS 1.4 is what the
// kernel prints: how the counters and references of an object move with what
// user space does, by the library where it does such things, else raw.
//
// Cases B01, F11, F22
func TestMirrorTable(t *testing.T) {
	for _, driver := range []string{"vkms", "virtio_gpu", "bochs-drm"} {
		t.Run(driver, func(t *testing.T) {
			drmtest.GuardKernelLog(t)
			drmtest.CheckLeaks(t)
			m := newMirror(t, driver)
			if err := m.create(); err != nil {
				t.Fatal(err)
			}
			if want := uint32(count1(driver == "virtio_gpu")); m.own != want {
				t.Errorf("the driver itself holds %d, want %d", m.own, want)
			}
			mirrorTable(t, m)
			if err := m.finish(); err != nil {
				t.Error(err)
			}
		})
	}
}

// row checks a row of the table: U without the driver's own share, and the
// references. Attached says that a driver has imported the object, which pins
// it: Linux 7.2 counts that apart.
func (m *mirror) row(t *testing.T, step string, use, refs uint32, attached bool) {
	t.Helper()
	got, there, err := m.object()
	if err != nil || !there {
		t.Fatalf("%s: %v, %v", step, there, err)
	}
	want := debugfs.Shmem{PagesUse: m.own + use, CountsPins: got.shmem.CountsPins}
	if want.CountsPins && attached {
		want.PagesPin = 1
	}
	if *got.shmem != want || got.refs != refs {
		t.Errorf("%s: the kernel counts %+v and %d references, want %+v and %d", step, *got.shmem, got.refs, want, refs)
	}
}

func mirrorTable(t *testing.T, m *mirror) {
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	size := m.obj.Size()
	page := uint64(os.Getpagesize())

	m.row(t, "create + ADDFB", 0, 2, false)
	mapping, err := m.obj.VMap(m.ctx, prime.ReadWrite)
	ok(err)
	m.row(t, "mmap whole", 1, 3, false)
	second, err := m.obj.VMap(m.ctx, prime.ReadWrite)
	ok(err)
	m.row(t, "a second map of the library", 1, 3, false)
	ok(second.VUnmap())
	raw := rawMap(t, m.dev, m.obj.Handle(), size)
	m.row(t, "second mmap", 2, 4, false)
	ok(raw.unmap(0, size))
	m.row(t, "munmap it", 1, 3, false)
	ok(mapping.VUnmap())
	m.row(t, "the library's munmap", 0, 2, false)

	raw = rawMap(t, m.dev, m.obj.Handle(), size)
	ok(raw.unmap(page, page))
	m.row(t, "munmap page 1 of 4", 2, 4, false)
	ok(raw.dontFork(0, page))
	child := fork(t, 0, 0, 0, 0)
	m.row(t, "fork, one of the two VMAs MADV_DONTFORK", 3, 5, false)
	child.end(t, unix.SIGCONT)
	m.row(t, "child exits", 2, 4, false)
	ok(raw.unmap(0, size))
	m.row(t, "munmap all", 0, 2, false)

	offset, err := m.dev.MapDumb(m.obj.Handle())
	ok(err)
	ok(m.dev.FD().Use(func(n int) error {
		child := fork(t, 5, n, offset, size)
		m.row(t, "child maps 5x", 5, 7, false)
		child.end(t, unix.SIGKILL)
		return nil
	}))
	m.row(t, "SIGKILL", 0, 2, false)

	buf, err := m.obj.Export()
	ok(err)
	m.row(t, "export", 0, 3, false)
	dmaBuf, err := buf.Map()
	ok(err)
	m.row(t, "mmap of the dma-buf", 1, 4, false)
	imported, err := m.importers[0].Import(buf)
	ok(err)
	m.row(t, "import into another shmem driver", 2, 4, true)
	ok(imported.Close())
	m.row(t, "GEM_CLOSE of the import", 1, 4, false)
	ok(dmaBuf.Close())
	ok(buf.Close())
	m.row(t, "munmap, close(fd)", 0, 3, false)
	ok(m.obj.Close())
	m.closed = true
	if m.fbHandles { // the framebuffer keeps the dma-buf of the export
		m.row(t, "GEM_CLOSE of the exporter's handle, FB alive", 0, 3, false)
	} else {
		m.row(t, "GEM_CLOSE of the exporter's handle, FB alive", 0, 1, false)
	}
}

// span is a mapping that the library would not make.
type span struct{ addr uintptr }

func rawMap(t *testing.T, dev *drm.Device, h drm.Handle, size uint64) span {
	t.Helper()
	offset, err := dev.MapDumb(h)
	if err != nil {
		t.Fatal(err)
	}
	var s span
	err = dev.FD().Use(func(n int) error {
		addr, _, errno := unix.Syscall6(unix.SYS_MMAP, 0, uintptr(size), unix.PROT_READ, unix.MAP_SHARED, uintptr(n), uintptr(offset))
		if s.addr = addr; errno != 0 {
			return errno
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s span) unmap(from, size uint64) error {
	return spanErr(unix.Syscall(unix.SYS_MUNMAP, s.addr+uintptr(from), uintptr(size), 0))
}

func (s span) dontFork(from, size uint64) error {
	return spanErr(unix.Syscall(unix.SYS_MADVISE, s.addr+uintptr(from), uintptr(size), unix.MADV_DONTFORK))
}

func spanErr(_, _ uintptr, errno unix.Errno) error {
	if errno != 0 {
		return errno
	}
	return nil
}

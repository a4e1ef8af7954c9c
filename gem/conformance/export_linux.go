package conformance

import (
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/ioctl"
)

var exportCases = []Case{
	{ID: "C01", Title: "flags of an export that the kernel does not know are EINVAL", Needs: Needs{Shares: true}, Run: exportFlags},
	{ID: "C02", Title: "exporting no handle is ENOENT and gives no descriptor", Needs: Needs{Shares: true}, Run: exportNothing},
	{ID: "C03", Title: "a closed dma-buf cannot be mapped", Needs: Needs{Shares: true}, Run: exportMapClosed},
	{ID: "C04", Title: "mapping beyond the end of a dma-buf is EINVAL", Needs: Needs{Shares: true}, Run: exportMapBeyond},
	{ID: "C13", Title: "a dma-buf's size is its SEEK_END", Needs: Needs{Shares: true}, Run: exportSizes},
	{ID: "C15", Title: "a first export without write access makes all exports read-only", Needs: Needs{Shares: true}, Run: exportReadOnly},
	{ID: "C16", Title: "a read-only export after a writable one is writable", Needs: Needs{Shares: true}, Run: exportTooOpen},
	{ID: "C18", Title: "a new object's access mode is fresh", Needs: Needs{Shares: true}, Run: exportFresh},
	{ID: "C19", Title: "only exports that are not close-on-exec reach a child", Needs: Needs{Shares: true}, Run: exportToChild},
	{ID: "C30", Title: "a dma-buf outlives the handle it came from", Needs: Needs{Shares: true}, Run: exportOutlives},
	{ID: "C31", Title: "names of dma-bufs are stored raw, up to 31 bytes", Needs: Needs{Shares: true}, Run: exportNamed},
	{ID: "C32", Title: "fdinfo tells a dma-buf's size, count and exporter", Needs: Needs{Shares: true}, Run: exportInfo},
	{ID: "C34", Title: "VRAM could not be exported before Linux 6.6", Needs: Needs{Drivers: []string{"bochs-drm"}, Before: Kernel{6, 6}}, Run: exportRefused},
	{ID: "C36", Title: "GEM_CHANGE_HANDLE is switched off", Needs: Needs{Since: Kernel{7, 2}}, Run: changeHandle},
}

func exportFlags(t T, env *Env) {
	dev := env.Open(t)
	b := createDumb(t, dev, 64, 64, 32)
	for _, flags := range []uint32{1, 3, 1 << 31, rawCLOEXEC + 1} {
		for _, h := range []drm.Handle{b.Handle, 99} {
			_, err := rawExport(t, dev, h, flags)
			wantErr(t, fmt.Sprintf("flags %#x of %v", flags, h), err, syscall.EINVAL)
		}
	}
}

func exportNothing(t T, env *Env) {
	dev := env.Open(t)
	b, err := dev.CreateDumb(64, 64, 32)
	if err != nil {
		t.Fatalf("%v", err)
	}
	wantErr(t, "DestroyDumb", dev.DestroyDumb(b.Handle), nil)
	for _, h := range []drm.Handle{b.Handle, 0, 99} {
		arg := rawPrimeHandle{handle: uint32(h), flags: rawRDWR | rawCLOEXEC, fd: 77}
		wantErr(t, "the kernel", rawOpHandleToFD.Do(dev.FD(), &arg), syscall.ENOENT)
		if arg.fd != 77 {
			t.Errorf("the descriptor was 77 and is %d", arg.fd)
		}
		wantErr(t, "the library", second(dev.HandleToFD(h)), syscall.ENOENT)
	}
}

func exportMapClosed(t T, env *Env) {
	dev := env.Open(t)
	b := createDumb(t, dev, 64, 64, 32)
	// A number that nobody else is given meanwhile.
	n, err := control(export(t, dev, b.Handle), unix.F_DUPFD_CLOEXEC, 900)
	if err != nil {
		t.Skipf("descriptor 900: %v", err)
	}
	wantErr(t, "close", unix.Close(n), nil)
	_, err = unix.Mmap(n, 0, int(b.Size), unix.PROT_READ, unix.MAP_SHARED)
	wantErr(t, "mmap", err, syscall.EBADF)
}

func exportMapBeyond(t T, env *Env) {
	dev := env.Open(t)
	b, _ := dumbPages(t, dev, 4)
	fd := export(t, dev, b.Handle)
	for _, part := range []struct{ offset, size uint64 }{
		{0, 2 * b.Size}, {b.Size / 2, b.Size}, {b.Size, pageSize}, {0, b.Size + 1},
	} {
		m, err := rawMmap(fd, part.offset, int(part.size), unix.PROT_READ, unix.MAP_SHARED)
		wantErr(t, fmt.Sprintf("%d bytes at %d of %d", part.size, part.offset, b.Size), err, syscall.EINVAL)
		if err == nil {
			wantErr(t, "munmap", unix.Munmap(m), nil)
		}
	}
}

func exportSizes(t T, env *Env) {
	dev := env.Open(t)
	for i := range 10 {
		b := createDumb(t, dev, pageSize/4, 1<<i, 32)
		fd := export(t, dev, b.Handle)
		end, err := seek(fd, 0, unix.SEEK_END)
		if err != nil || uint64(end) != b.Size {
			t.Errorf("SEEK_END: %d, %v, want %d", end, err, b.Size)
		}
		start, err := seek(fd, 0, unix.SEEK_SET)
		if err != nil || start != 0 {
			t.Errorf("SEEK_SET: %d, %v, want 0", start, err)
		}
		_, err = seek(fd, 1, unix.SEEK_SET)
		wantErr(t, "SEEK_SET 1", err, syscall.EINVAL)
		_, err = seek(fd, 0, unix.SEEK_CUR)
		wantErr(t, "SEEK_CUR", err, syscall.EINVAL)
	}
}

func seek(fd *ioctl.FD, offset int64, whence int) (at int64, err error) {
	err = fd.Use(func(n int) (err error) {
		at, err = unix.Seek(n, offset, whence)
		return err
	})
	return at, err
}

func exportOutlives(t T, env *Env) {
	dev := env.Open(t)
	b, err := dev.CreateDumb(pageSize/4, 4, 32)
	if err != nil {
		t.Fatalf("%v", err)
	}
	number(mapHandle(t, dev, b.Handle, b.Size))
	fd := export(t, dev, b.Handle)
	wantErr(t, "DestroyDumb", dev.DestroyDumb(b.Handle), nil)
	m := mapFD(t, fd, b.Size)
	wantNumbers(t, "mapped without a handle", m)
	wantErr(t, "close", fd.Close(), nil)
	wantNumbers(t, "mapped without a descriptor", m)
}

func exportRefused(t T, env *Env) {
	dev := env.Open(t)
	b := createDumb(t, dev, 64, 64, 32)
	err := second(dev.HandleToFD(b.Handle))
	wantErr(t, "HandleToFD", err, syscall.ENOSYS)
	wantErr(t, "HandleToFD", err, drm.ErrNotSupported)
}

func changeHandle(t T, env *Env) {
	dev := env.Open(t)
	b := createDumb(t, dev, 64, 64, 32)
	arg := rawChangeHandle{handle: uint32(b.Handle), newHandle: 77}
	wantErr(t, "GEM_CHANGE_HANDLE", rawOpChangeHandle.Do(dev.FD(), &arg), syscall.EINVAL)
}

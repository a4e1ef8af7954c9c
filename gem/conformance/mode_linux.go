package conformance

import (
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/ioctl"
	"github.com/gemtool/gemtool/prime"
)

// wantMode looks at the access mode of a dma-buf, and whether it holds.
func wantMode(t T, what string, fd *ioctl.FD, size uint64, mode int) {
	t.Helper()
	flags, err := control(fd, unix.F_GETFL, 0)
	if err != nil || flags&unix.O_ACCMODE != mode {
		t.Errorf("%s: F_GETFL %#x, %v, want mode %d", what, flags, err, mode)
	}
	want := error(nil)
	if mode == unix.O_RDONLY {
		want = syscall.EACCES
	}
	m, err := rawMmap(fd, 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	wantErr(t, what+": writable mapping", err, want)
	if err == nil {
		wantErr(t, "munmap", unix.Munmap(m), nil)
	}
	m, err = rawMmap(fd, 0, int(size), unix.PROT_READ, unix.MAP_SHARED)
	wantErr(t, what+": readable mapping", err, nil)
	if err == nil {
		wantErr(t, "munmap", unix.Munmap(m), nil)
	}
}

// exportTwice exports an object with one mode and then with another.
func exportTwice(t T, env *Env, first, then uint32) (b drm.Dumb, dev *drm.Device, fds [2]*ioctl.FD) {
	t.Helper()
	dev = env.Open(t)
	b = createDumb(t, dev, 64, 64, 32)
	for i, flags := range []uint32{first, then} {
		fd, err := rawExport(t, dev, b.Handle, flags|rawCLOEXEC)
		if err != nil {
			t.Fatalf("export with flags %#x: %v", flags, err)
		}
		fds[i] = fd
	}
	return b, dev, fds
}

func exportReadOnly(t T, env *Env) {
	b, dev, fds := exportTwice(t, env, 0, rawRDWR)
	wantMode(t, "read-only export", fds[0], b.Size, unix.O_RDONLY)
	wantMode(t, "read-write export after it", fds[1], b.Size, unix.O_RDONLY)
	for _, fd := range fds {
		wantErr(t, "close", fd.Close(), nil)
	}
	wantMode(t, "read-write export after all are closed", export(t, dev, b.Handle), b.Size, unix.O_RDONLY)
	wantErr(t, "the library", second(prime.Export(dev, b.Handle)), prime.ErrAccessMode)
}

func exportTooOpen(t T, env *Env) {
	b, dev, fds := exportTwice(t, env, rawRDWR, 0)
	wantMode(t, "read-write export", fds[0], b.Size, unix.O_RDWR)
	wantMode(t, "read-only export after it", fds[1], b.Size, unix.O_RDWR)
	lib, err := prime.Export(dev, b.Handle)
	if err != nil {
		t.Fatalf("%v", err)
	}
	if lib.Mode() != prime.ReadWrite {
		t.Errorf("the library's export says it is %v", lib.Mode())
	}
	wantErr(t, "Close", lib.Close(), nil)
}

func exportFresh(t T, env *Env) {
	dev := env.Open(t)
	for _, flags := range []uint32{0, rawRDWR, 0} {
		b, err := dev.CreateDumb(64, 64, 32)
		if err != nil {
			t.Fatalf("%v", err)
		}
		fd, err := rawExport(t, dev, b.Handle, flags|rawCLOEXEC)
		if err != nil {
			t.Fatalf("export: %v", err)
		}
		wantMode(t, "new object", fd, b.Size, int(flags))
		wantErr(t, "close", fd.Close(), nil)
		wantErr(t, "DestroyDumb", dev.DestroyDumb(b.Handle), nil)
	}
}

package conformance

import (
	"slices"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/ioctl"
)

// Sharing as a client without this library would do it, for cases about what
// the kernel does: a dma-buf is an ioctl.FD here and nothing is looked at.

// rawMmap maps a part of an object in ways that the library does not.
// unix.Munmap of the same slice ends the mapping, holes and all.
func rawMmap(fd *ioctl.FD, offset uint64, size, prot, flags int) (m []byte, err error) {
	err = fd.Use(func(n int) (err error) {
		m, err = unix.Mmap(n, int64(offset), size, prot, flags)
		return err
	})
	return m, err
}

// rawExport exports an object with flags of the case's choice. The
// descriptor goes with the case, if not before.
func rawExport(t T, dev *drm.Device, h drm.Handle, flags uint32) (*ioctl.FD, error) {
	arg := rawPrimeHandle{handle: uint32(h), flags: flags, fd: -1}
	if err := rawOpHandleToFD.Do(dev.FD(), &arg); err != nil {
		return nil, err
	}
	return ownFD(t, int(arg.fd)), nil
}

// ownFD closes descriptor n with the case, if the case has not before.
func ownFD(t T, n int) *ioctl.FD {
	fd := ioctl.NewFD(n)
	t.Cleanup(func() { fd.Close() })
	return fd
}

// export exports an object as this library does.
func export(t T, dev *drm.Device, h drm.Handle) *ioctl.FD {
	t.Helper()
	fd, err := rawExport(t, dev, h, rawRDWR|rawCLOEXEC)
	if err != nil {
		t.Fatalf("exporting %v of %s: %v", h, dev.Path(), err)
	}
	return fd
}

// rawImport imports whatever descriptor n is. The handle goes with the file.
func rawImport(dev *drm.Device, n int) (drm.Handle, error) {
	arg := rawPrimeHandle{fd: int32(n)}
	err := rawOpFDToHandle.Do(dev.FD(), &arg)
	return drm.Handle(arg.handle), err
}

// tryImport imports a dma-buf.
func tryImport(dev *drm.Device, fd *ioctl.FD) (h drm.Handle, err error) {
	err = fd.Use(func(n int) (err error) {
		h, err = rawImport(dev, n)
		return err
	})
	return h, err
}

// imports imports a dma-buf that the device must take.
func imports(t T, dev *drm.Device, fd *ioctl.FD) drm.Handle {
	t.Helper()
	h, err := tryImport(dev, fd)
	if err != nil {
		t.Fatalf("importing into %s: %v", dev.Path(), err)
	}
	if h == 0 {
		t.Errorf("the import has handle 0")
	}
	return h
}

// mapFD maps a whole dma-buf for the length of the case.
func mapFD(t T, fd *ioctl.FD, size uint64) []byte {
	t.Helper()
	m, err := rawMmap(fd, 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		t.Fatalf("mmap of the dma-buf: %v", err)
	}
	t.Cleanup(func() { wantErr(t, "munmap", unix.Munmap(m), nil) })
	return m
}

// mapHandle maps a whole object through its device for the length of the
// case.
func mapHandle(t T, dev *drm.Device, h drm.Handle, size uint64) []byte {
	t.Helper()
	offset, err := dev.MapDumb(h)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return mapDumb(t, dev, offset, size)
}

// wantNumbers looks at the numbers of the pages.
func wantNumbers(t T, what string, m []byte) {
	t.Helper()
	for i := range len(m) / pageSize {
		if m[i*pageSize] != byte(10+i) {
			t.Errorf("%s: page %d reads %d, want %d", what, i, m[i*pageSize], byte(10+i))
			return
		}
	}
}

// control calls fcntl with a number for its argument.
func control(fd *ioctl.FD, command, arg int) (value int, err error) {
	err = fd.Use(func(n int) (err error) {
		value, err = unix.FcntlInt(uintptr(n), command, arg)
		return err
	})
	return value, err
}

// inode returns what the kernel tells dma-bufs apart by.
func inode(t T, fd *ioctl.FD) uint64 {
	t.Helper()
	var st unix.Stat_t
	if err := fd.Use(func(n int) error { return unix.Fstat(n, &st) }); err != nil {
		t.Fatalf("fstat: %v", err)
	}
	return st.Ino
}

// others opens the card nodes of the other devices that a case is run with,
// those of drivers alone where any are named.
func (e *Env) others(t T, drivers ...string) []*drm.Device {
	t.Helper()
	var all []*drm.Device
	for _, other := range e.Targets {
		if other.Kind != drm.NodePrimary || other.Path == e.Path ||
			len(drivers) > 0 && !slices.Contains(drivers, other.Driver) {
			continue
		}
		all = append(all, (&Env{Target: other}).Open(t))
	}
	return all
}

// exporters opens the other devices whose buffers a device like the case's
// can import, if it can import any; those of drivers alone where any are named.
func (e *Env) exporters(t T, drivers ...string) []*drm.Device {
	t.Helper()
	if len(drivers) == 0 {
		for _, other := range e.Targets {
			if memoryOf(other.Driver, e.Kernel) == Shmem {
				drivers = append(drivers, other.Driver)
			}
		}
	}
	all := e.others(t, drivers...)
	if len(all) == 0 {
		t.Skipf("no other device here whose buffers another can import")
	}
	return all
}

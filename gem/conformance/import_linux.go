package conformance

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/ioctl"
	"github.com/gemtool/gemtool/prime"
)

var importCases = []Case{
	{ID: "B06", Title: "a dma-buf mapped from its second page shows the first one on shmem (why the library maps whole)", Needs: Needs{Shares: true}, Run: mapSecondPage},
	{ID: "B17", Title: "an import cannot be mapped through the importer", Needs: Needs{Drivers: []string{"vkms", "vgem"}}, Run: mapImport},
	{ID: "C06", Title: "a file has one handle for a buffer, however often it imports it", Needs: Needs{Shares: true}, Run: importTwice},
	{ID: "C07", Title: "a file that imports its own export gets its own handle", Needs: Needs{Shares: true}, Run: importOwn},
	{ID: "C08", Title: "an import survives descriptor, handle and file of its exporter", Needs: Needs{Shares: true}, Run: importSurvives},
	{ID: "C10", Title: "an import of an object opened by name gets that handle", Needs: Needs{Shares: true}, Run: importNamed},
	{ID: "C11", Title: "two objects shared crosswise are not mixed up", Needs: Needs{Shares: true}, Run: importCrosswise},
	{ID: "C22", Title: "importing no descriptor is EBADF", Needs: Needs{Shares: true}, Run: importNothing},
	{ID: "C23", Title: "importing a file that is no dma-buf is EINVAL, and the library knows before", Needs: Needs{Shares: true}, Run: importJunk},
	{ID: "C24", Title: "descriptor 0 is a dma-buf like any other", Needs: Needs{Shares: true}, Run: importZero},
	{ID: "C26", Title: "exporting an import gives the exporter's dma-buf", Needs: Needs{Shares: true}, Run: importExported},
	{ID: "C35", Title: "VRAM drivers say that they import, and refuse", Needs: Needs{Drivers: []string{"bochs-drm", "qxl"}, Memory: VRAM, Exports: true}, Run: importAgainstCap},
}

// The canary pins the kernel's bug that splitHead is about, for dma-bufs: what
// drm_gem_shmem_helper maps starts at its first page, wherever asked to.
func mapSecondPage(t T, env *Env) {
	dev := env.Open(t)
	b, offset := dumbPages(t, dev, 4)
	number(mapDumb(t, dev, offset, b.Size))
	fd := export(t, dev, b.Handle)
	part, err := rawMmap(fd, pageSize, pageSize, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		t.Fatalf("mmap: %v", err)
	}
	defer func() { wantErr(t, "munmap", unix.Munmap(part), nil) }()
	wantPage(t, env, "page 1 mapped alone", part[0], 11, 10)
	wantNumbers(t, "the whole dma-buf", mapFD(t, fd, b.Size))
}

func mapImport(t T, env *Env) {
	dev := env.Open(t)
	for _, exporter := range env.exporters(t) {
		b, offset := dumbPages(t, exporter, 4)
		number(mapDumb(t, exporter, offset, b.Size))
		h := imports(t, dev, export(t, exporter, b.Handle))
		wantErr(t, "MapDumb of an import", second(dev.MapDumb(h)), syscall.EINVAL)
		wantNumbers(t, "the import's own dma-buf", mapFD(t, export(t, dev, h), b.Size))
	}
}

func importTwice(t T, env *Env) {
	dev, other := env.Open(t), env.Open(t)
	createDumb(t, other, 64, 64, 32) // so that equal handles are no accident
	fd := export(t, dev, createDumb(t, dev, 64, 64, 32).Handle)
	first := imports(t, other, fd)
	again := imports(t, other, fd)
	if first != again {
		t.Errorf("imports gave %v and %v", first, again)
	}
	wantErr(t, "GEM_CLOSE", other.CloseHandle(first), nil)
	wantErr(t, "second GEM_CLOSE", other.CloseHandle(again), syscall.EINVAL)
}

func importOwn(t T, env *Env) {
	dev := env.Open(t)
	b := createDumb(t, dev, 64, 64, 32)
	if h := imports(t, dev, export(t, dev, b.Handle)); h != b.Handle {
		t.Errorf("%v came back as %v", b.Handle, h)
	}
}

func importSurvives(t T, env *Env) {
	exporter, err := drm.Open(env.Path, drm.Options{})
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer exporter.Close()
	dev := env.Open(t)
	b, err := exporter.CreateDumb(pageSize/4, 4, 32)
	if err != nil {
		t.Fatalf("%v", err)
	}
	number(mapHandle(t, exporter, b.Handle, b.Size))
	fd := export(t, exporter, b.Handle)
	// Not an import: it is the same object on another file of one device.
	h := imports(t, dev, fd)
	for _, step := range []struct {
		what string
		do   func() error
	}{
		{"the descriptor", fd.Close},
		{"the exporter's handle", func() error { return exporter.DestroyDumb(b.Handle) }},
		{"the exporter's file", exporter.Close},
	} {
		wantErr(t, "closing "+step.what, step.do(), nil)
		wantNumbers(t, "without "+step.what, mapHandle(t, dev, h, b.Size))
	}
}

func importNamed(t T, env *Env) {
	dev, other := env.Open(t), env.Open(t)
	b := createDumb(t, dev, 64, 64, 32)
	createDumb(t, other, 64, 64, 32)
	name := rawFlink{handle: uint32(b.Handle)}
	if err := rawOpFlink.Do(dev.FD(), &name); err == syscall.EACCES {
		t.Skipf("names need an authenticated file: root or the DRM master")
	} else if err != nil {
		t.Fatalf("GEM_FLINK: %v", err)
	}
	opened := rawGEMOpen{name: name.name}
	if err := rawOpGEMOpen.Do(other.FD(), &opened); err != nil {
		t.Fatalf("GEM_OPEN: %v", err)
	}
	if opened.size != b.Size {
		t.Errorf("opened %d bytes, want %d", opened.size, b.Size)
	}
	for _, exporter := range []struct {
		dev *drm.Device
		h   drm.Handle
	}{{other, drm.Handle(opened.handle)}, {dev, b.Handle}} {
		h := imports(t, other, export(t, exporter.dev, exporter.h))
		if h != drm.Handle(opened.handle) {
			t.Errorf("opened as handle %d, imported as %v", opened.handle, h)
		}
	}
}

func importCrosswise(t T, env *Env) {
	devs := [2]*drm.Device{env.Open(t), env.Open(t)}
	var own [2]drm.Dumb
	var fds [2]*ioctl.FD
	for i, dev := range devs {
		own[i], _ = dumbPages(t, dev, i+2)
		number(mapHandle(t, dev, own[i].Handle, own[i].Size))
		fds[i] = export(t, dev, own[i].Handle)
	}
	for i, dev := range devs {
		h := imports(t, dev, fds[1-i])
		if h == own[i].Handle {
			t.Errorf("two objects are both %v", h)
		}
		m := mapHandle(t, dev, h, own[1-i].Size)
		wantNumbers(t, "the other's object", m)
		wantErr(t, "mapping more than the other's object has",
			second(rawMmap(fds[1-i], 0, len(m)+pageSize, unix.PROT_READ, unix.MAP_SHARED)), syscall.EINVAL)
	}
}

func importNothing(t T, env *Env) {
	dev := env.Open(t)
	for _, n := range []int{-1, 9999} {
		_, err := rawImport(dev, n)
		wantErr(t, fmt.Sprintf("descriptor %d", n), err, syscall.EBADF)
	}
	fd := export(t, dev, createDumb(t, dev, 64, 64, 32).Handle)
	wantErr(t, "close", fd.Close(), nil)
	wantErr(t, "the library with a closed one", second(dev.FDToHandle(fd)), drm.ErrClosed)
}

func importJunk(t T, env *Env) {
	dev := env.Open(t)
	for _, junk := range []struct {
		what string
		open func() (int, error)
	}{
		{"pipe", func() (int, error) {
			var p [2]int
			err := unix.Pipe2(p[:], unix.O_CLOEXEC)
			if err == nil {
				unix.Close(p[1])
			}
			return p[0], err
		}},
		{"memfd", func() (int, error) { return unix.MemfdCreate("junk", unix.MFD_CLOEXEC) }},
		{"socket", func() (int, error) { return unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0) }},
		{"epoll", func() (int, error) { return unix.EpollCreate1(unix.EPOLL_CLOEXEC) }},
		{"device node", func() (int, error) { return unix.Open(env.Path, unix.O_RDWR|unix.O_CLOEXEC|unix.O_NOCTTY, 0) }},
		{"terminal", func() (int, error) { return unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NOCTTY, 0) }},
		{"sync_file", func() (int, error) { return newSyncFile(t, dev) }},
	} {
		n, err := junk.open()
		if err != nil {
			if junk.what == "terminal" && errors.Is(err, os.ErrNotExist) {
				continue // a kernel without pseudo-terminals
			}
			t.Fatalf("%s: %v", junk.what, err)
		}
		_, err = rawImport(dev, n)
		wantErr(t, "import of a "+junk.what, err, syscall.EINVAL)
		wantErr(t, "prime.New of a "+junk.what, second(prime.New(ioctl.NewFD(n))), prime.ErrNotDMABuf)
		wantErr(t, "second close of the "+junk.what, unix.Close(n), syscall.EBADF)
	}
}

func newSyncFile(t T, dev *drm.Device) (int, error) {
	t.Helper()
	fd := export(t, dev, createDumb(t, dev, 64, 64, 32).Handle)
	arg := rawSyncFile{flags: 3, fd: -1}
	err := rawOpExportSyncFile.Do(fd, &arg)
	return int(arg.fd), err
}

func importZero(t T, env *Env) {
	dev := env.Open(t)
	fd := export(t, dev, createDumb(t, dev, 64, 64, 32).Handle)
	want := imports(t, dev, fd)
	undo, err := replaceStdin(fd)
	if err != nil {
		t.Skipf("descriptor 0 cannot be replaced: %v", err)
	}
	h, err := rawImport(dev, 0)
	lib, libErr := prime.FromFile(os.Stdin)
	wantErr(t, "giving stdin back", undo(), nil)
	wantErr(t, "import of descriptor 0", err, nil)
	if err == nil && h != want {
		t.Errorf("descriptor 0 is %v, want %v", h, want)
	}
	wantErr(t, "the library with descriptor 0", libErr, nil)
	if libErr == nil {
		wantErr(t, "Close", lib.Close(), nil)
	}
	_, err = rawImport(dev, 0)
	wantErr(t, "import of stdin", err, syscall.EINVAL)
}

// replaceStdin makes descriptor 0 a duplicate of fd until undo.
func replaceStdin(fd *ioctl.FD) (undo func() error, err error) {
	old, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, err
	}
	undo = func() error {
		defer unix.Close(old)
		return unix.Dup3(old, 0, 0)
	}
	if err := fd.Use(func(n int) error { return unix.Dup3(n, 0, 0) }); err != nil {
		return nil, errors.Join(err, undo())
	}
	return undo, nil
}

func importExported(t T, env *Env) {
	dev := env.Open(t)
	b := createDumb(t, dev, 64, 64, 32)
	fd := export(t, dev, b.Handle)
	importers := []*drm.Device{env.Open(t)}
	if memoryOf(env.Driver, env.Kernel) == Shmem {
		importers = append(importers, env.others(t, "vkms", "vgem")...)
	}
	for _, importer := range importers {
		again := export(t, importer, imports(t, importer, fd))
		if got, want := inode(t, again), inode(t, fd); got != want {
			t.Errorf("exported by %s it is inode %d, the source's is %d", importer.Path(), got, want)
		}
	}
}

func importAgainstCap(t T, env *Env) {
	dev := env.Open(t)
	caps, err := dev.Cap(drm.CapPrime)
	if err != nil || caps != drm.PrimeImport|drm.PrimeExport {
		t.Errorf("CapPrime: %d, %v, want 3", caps, err)
	}
	for _, exporter := range env.exporters(t) {
		b := createDumb(t, exporter, 64, 64, 32)
		buffer, err := prime.Export(exporter, b.Handle)
		if err != nil {
			t.Fatalf("%v", err)
		}
		wantErr(t, "import of "+exporter.Path(), second(buffer.Import(dev)), importError(env.Driver, env.Kernel))
		wantErr(t, "Close", buffer.Close(), nil)
	}
}

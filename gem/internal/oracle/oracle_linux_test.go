package oracle_test

import (
	"errors"
	"io/fs"
	"os"
	"sync"
	"syscall"
	"testing"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/drm/ioctl"
	"github.com/gemtool/gemtool/gem/internal/oracle"
)

func open(t *testing.T) *oracle.Oracle {
	t.Helper()
	o, err := oracle.Open()
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("no oracle module here: run in the VM (make test-kernels): %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Close() })
	return o
}

func create(t *testing.T, dev *drm.Device) drm.Handle {
	t.Helper()
	dumb, err := dev.CreateDumb(64, 64, 32)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dev.CloseHandle(dumb.Handle) })
	return dumb.Handle
}

func state(t *testing.T, x oracle.Object) oracle.State {
	t.Helper()
	s, err := x.State()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// TestCounts passes if the kernel counts what the module does as each kernel's
// helper is known to.
//
// Cases F03, F04, F07, F08, F09 of the kernel's side
func TestCounts(t *testing.T) {
	drmtest.GuardKernelLog(t)
	o := open(t)
	dev := drmtest.RequireDevice(t, "vgem")
	x := o.Object(dev, create(t, dev))
	fresh := state(t, x)
	if fresh.PagesUse != 0 || fresh.PagesPin != 0 || fresh.VMapUse != 0 || fresh.Pages || fresh.SGT || fresh.VAddr {
		t.Errorf("fresh: %+v", fresh)
	}
	want := func(step string, use, use72, pin72, vmap uint32) {
		t.Helper()
		s, pin := state(t, x), uint32(0)
		if s.CountsPins {
			use, pin = use72, pin72
		}
		if s.PagesUse != use || s.PagesPin != pin || s.VMapUse != vmap || s.Pages != (use > 0) || s.VAddr != (vmap > 0) {
			t.Errorf("after %s: %+v, want U %d, P %d, V %d", step, s, use, pin, vmap)
		}
	}
	ok(t, x.Pin())
	want("pin", 1, 1, 1, 0)
	ok(t, x.Pin())
	want("pin", 2, 1, 2, 0)
	ok(t, x.VMap())
	want("vmap", 3, 1, 3, 1)
	ok(t, x.VMap())
	want("vmap", 3, 1, 3, 2)
	ok(t, x.GetPagesSGT())
	want("get_pages_sgt", 4, 2, 3, 2)
	ok(t, x.GetPagesSGT())
	want("get_pages_sgt", 4, 2, 3, 2)
	ok(t, x.Unpin())
	ok(t, x.Unpin())
	want("two unpins", 2, 2, 1, 2)
	if retained, err := x.Madvise(1); err != nil || !retained {
		t.Errorf("madvise(1): %v, %v", retained, err)
	}
	if purgeable, err := x.IsPurgeable(); err != nil || purgeable {
		t.Errorf("is_purgeable of a mapped object: %v, %v", purgeable, err)
	}
	if err := x.Purge(); !errors.Is(err, oracle.ErrNotPurgeable) {
		t.Errorf("purge of a mapped object: %v", err)
	}
	ok(t, x.VUnmap())
	ok(t, x.VUnmap())
	want("two vunmaps", 1, 1, 0, 0)
	if purgeable, err := x.IsPurgeable(); err != nil || !purgeable {
		t.Errorf("is_purgeable: %v, %v", purgeable, err)
	}
	ok(t, x.Purge())
	want("purge", 0, 0, 0, 0)
	if retained, err := x.Madvise(0); err != nil || retained {
		t.Errorf("madvise(0) of a purged object: %v, %v", retained, err)
	}
	if s := state(t, x); s.Madv >= 0 || s.SGT {
		t.Errorf("purged: %+v", s)
	}
}

// TestRefusals passes if the module refuses what the helper would warn of, and
// what is no object of the helper, and changes nothing.
func TestRefusals(t *testing.T) {
	drmtest.GuardKernelLog(t)
	o := open(t)
	vgem, vkms := drmtest.RequireDevice(t, "vgem"), drmtest.RequireDevice(t, "vkms")
	h := create(t, vgem)
	x := o.Object(vgem, h)
	fd, err := vgem.HandleToFD(h)
	if err != nil {
		t.Fatal(err)
	}
	defer fd.Close()
	h, err = vkms.FDToHandle(fd)
	if err != nil {
		t.Fatal(err)
	}
	defer vkms.CloseHandle(h)
	imported := o.Object(vkms, h)
	if s := state(t, imported); !s.Imported || !s.DMABuf {
		t.Errorf("import: %+v", s)
	}
	before := state(t, x)
	if !before.DMABuf || before.Imported {
		t.Errorf("export: %+v", before)
	}
	for _, c := range []struct {
		name string
		err  error
		want error
	}{
		{"unpin at 0", x.Unpin(), oracle.ErrUnderflow},
		{"vunmap at 0", x.VUnmap(), oracle.ErrUnderflow},
		{"purge", x.Purge(), oracle.ErrNotPurgeable},
		{"pin of an import", imported.Pin(), oracle.ErrImported},
		{"get_pages_sgt of an import", imported.GetPagesSGT(), oracle.ErrImported},
		{"purge of an import", imported.Purge(), oracle.ErrNotPurgeable},
		{"no such handle", o.Object(vgem, 4711).Pin(), syscall.ENOENT},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, c.err, c.want)
		}
	}
	if after := state(t, x); after != before {
		t.Errorf("refusals changed %+v to %+v", before, after)
	}
	// An import passes through: its exporter counts.
	ok(t, imported.VMap())
	if s := state(t, x); s.VMapUse != 1 {
		t.Errorf("exporter of a mapped import: %+v", s)
	}
	ok(t, imported.VUnmap())
	if s := state(t, x); s != before {
		t.Errorf("after all: %+v, want %+v", s, before)
	}
}

// TestOtherDriver passes if objects of another helper are refused.
func TestOtherDriver(t *testing.T) {
	o := open(t)
	bochs := drmtest.RequireDevice(t, "bochs-drm")
	x := o.Object(bochs, create(t, bochs))
	if s, err := x.State(); err == nil {
		if !s.CountsPins {
			t.Errorf("%+v of an object in video memory", s)
		}
		t.Skip("bochs uses the shmem helper since Linux 6.13")
	} else if !errors.Is(err, oracle.ErrNotShmem) {
		t.Errorf("state: %v, want ErrNotShmem", err)
	}
}

// TestClose passes if closing the module's file undoes its pins and maps, also
// of objects whose handles are closed, and another file's stay.
func TestClose(t *testing.T) {
	drmtest.GuardKernelLog(t)
	o, other := open(t), open(t)
	dev := drmtest.RequireDevice(t, "vkms")
	h, lost := create(t, dev), create(t, dev)
	for range 3 {
		ok(t, o.Object(dev, h).Pin())
		ok(t, o.Object(dev, h).VMap())
		ok(t, o.Object(dev, lost).Pin())
	}
	ok(t, other.Object(dev, h).Pin())
	ok(t, dev.CloseHandle(lost))
	ok(t, o.Close())
	x := other.Object(dev, h)
	if s := state(t, x); s.VMapUse != 0 || s.PagesUse != 1 {
		t.Errorf("%+v, want the pin of the other file", s)
	}
	ok(t, x.Unpin())
	if s := state(t, x); s.PagesUse != 0 || s.Pages {
		t.Errorf("%+v, want nothing", s)
	}
}

// TestHostile passes if the module answers senseless arguments with an errno.
func TestHostile(t *testing.T) {
	drmtest.GuardKernelLog(t)
	open(t)
	null, err := os.Open("/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	socket, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(socket)
	n, err := syscall.Open("/dev/gemtool-oracle", syscall.O_RDWR|syscall.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	self := ioctl.NewFD(n)
	defer self.Close()
	dev := drmtest.RequireDevice(t, "vgem")
	h := uint32(create(t, dev))
	err = dev.FD().Use(func(card int) error {
		for _, c := range []struct {
			name       string
			fd         int
			handle, op uint32
			arg        int32
			want       syscall.Errno
		}{
			{"no descriptor", -1, h, 0, 0, syscall.EBADF},
			{"descriptor not open", 4711, h, 0, 0, syscall.EBADF},
			{"another character device", int(null.Fd()), h, 0, 0, syscall.ENODEV},
			{"a socket", socket, h, 0, 0, syscall.ENODEV},
			{"the module itself", n, h, 0, 0, syscall.ENODEV},
			{"handle 0", card, 0, 0, 0, syscall.ENOENT},
			{"handle -1", card, ^uint32(0), 0, 0, syscall.ENOENT},
			{"no operation", card, h, 9, 0, syscall.EINVAL},
			{"no operation", card, h, ^uint32(0), 0, syscall.EINVAL},
			{"an argument where none is", card, h, 1, 1, syscall.EINVAL},
		} {
			arg := [10]uint32{uint32(c.fd), c.handle, c.op, uint32(c.arg)}
			if err := ioctl.ReadWrite[[10]uint32]("ORACLE_CALL", 'G', 1).Do(self, &arg); err != c.want {
				t.Errorf("%s: %v, want %v", c.name, err, c.want)
			}
		}
		if err := ioctl.None("NONE", 'G', 2).Do(self, &struct{}{}); err != syscall.ENOTTY {
			t.Errorf("another ioctl: %v", err)
		}
		return nil
	})
	ok(t, err)
}

// TestConcurrent passes if calls on one object from several files of the
// module, one of which always is about to end, leave the object as it was, and
// the kernel does not complain.
func TestConcurrent(t *testing.T) {
	drmtest.GuardKernelLog(t)
	keep := open(t)
	dev := drmtest.RequireDevice(t, "vgem")
	h := create(t, dev)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for range 30 {
				o, err := oracle.Open()
				if err != nil {
					t.Error(err)
					return
				}
				x := o.Object(dev, h)
				ok(t, x.Pin())
				ok(t, x.VMap())
				ok(t, x.GetPagesSGT())
				if _, err := x.Madvise(int32(i % 2)); err != nil {
					t.Error(err)
				}
				if err := x.Purge(); !errors.Is(err, oracle.ErrNotPurgeable) {
					t.Errorf("purge of a mapped object: %v", err)
				}
				if i%2 == 0 {
					ok(t, x.VUnmap())
					ok(t, x.Unpin())
				}
				ok(t, o.Close())
			}
		})
	}
	wg.Wait()
	if s := state(t, keep.Object(dev, h)); s.PagesUse != 1 || s.PagesPin != 0 || s.VMapUse != 0 || !s.SGT {
		t.Errorf("%+v, want the sg table only", s)
	}
}

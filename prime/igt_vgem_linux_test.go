package prime_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"structs"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/drm/ioctl"
	"github.com/gemtool/gemtool/prime"
)

// setVersion is struct drm_set_version.
type setVersion struct {
	_                                  structs.HostLayout
	DIMajor, DIMinor, DDMajor, DDMinor int32
}

var opSetVersion = ioctl.ReadWrite[setVersion]("SET_VERSION", 'd', 0x07)

// TestIGTVGEM passes if vgem does what IGT's vgem_basic wants of it besides its
// fences, which are TestVGEMBasic's.
//
// Case D05
func TestIGTVGEM(t *testing.T) {
	t.Run("unload", unloadVGEM)
	t.Run("setversion", func(t *testing.T) {
		guard(t)
		d := drmtest.RequireDevice(t, "vgem")
		if err := d.SetMaster(); err != nil {
			t.Fatal(err)
		}
		v := setVersion{DIMajor: 1, DIMinor: 4, DDMajor: -1, DDMinor: -1}
		if err := opSetVersion.Do(d.FD(), &v); err != nil || v.DIMajor != 1 {
			t.Errorf("version %d, %v", v.DIMajor, err)
		}
	})
	t.Run("second-client", func(t *testing.T) {
		guard(t)
		drmtest.RequireDevice(t, "vgem")
		drmtest.RequireDevice(t, "vgem")
		drmtest.RequireNode(t, "vgem", drm.NodeRender)
	})
	t.Run("create", func(t *testing.T) {
		guard(t)
		d := drmtest.RequireDevice(t, "vgem")
		if _, err := d.CreateDumb(0, 0, 0); err == nil {
			t.Error("nothing is a buffer")
		}
		for _, test := range []struct {
			width, height, bpp int
			size               uint64
		}{{1, 1, 1, 4096}, {1024, 1024, 8, 1 << 20}, {1 << 15, 1 << 15, 16, 1 << 31}} {
			o, err := d.CreateDumb(test.width, test.height, test.bpp)
			if err != nil || o.Size != test.size {
				t.Errorf("%v: size %d, %v", test, o.Size, err)
				continue
			}
			if err := d.DestroyDumb(o.Handle); err != nil {
				t.Error(err)
			}
		}
	})
	t.Run("mmap", func(t *testing.T) {
		guard(t)
		d := drmtest.RequireDevice(t, "vgem")
		h := create(t, d)
		m := mapDumb(t, d, h)
		if err := d.CloseHandle(h); err != nil {
			t.Error(err)
		}
		fill(m)
		if !patterned(m) {
			t.Error("the mapping of a closed object lost its contents")
		}
		drm.Munmap(m)
	})
	t.Run("dmabuf-export", func(t *testing.T) {
		guard(t)
		d, other := drmtest.RequireDevice(t, "vgem"), drmtest.RequireDevice(t, "vkms")
		h := create(t, d)
		b := export(t, d, h)
		if err := d.CloseHandle(h); err != nil {
			t.Error(err)
		}
		imported := importInto(t, other, b)
		shut(t, b)
		if err := other.CloseHandle(imported); err != nil {
			t.Error(err)
		}
	})
	t.Run("dmabuf-mmap", func(t *testing.T) {
		guard(t)
		d := drmtest.RequireDevice(t, "vgem")
		h := create(t, d)
		b := export(t, d, h)
		writePattern(t, b)
		shut(t, b)
		m := mapDumb(t, d, h)
		defer drm.Munmap(m)
		if err := d.CloseHandle(h); err != nil {
			t.Error(err)
		}
		if !patterned(m) {
			t.Error("what was written through the dma-buf is not in the object")
		}
	})
	t.Run("dmabuf-fence-before", func(t *testing.T) {
		guard(t)
		for _, write := range []bool{false, true} {
			d := drmtest.RequireDevice(t, "vgem")
			h := create(t, d)
			f := drmtest.AttachFence(t, d, h, write)
			b := export(t, d, h)
			wantIdle(t, "before", b, !write, false)
			f.Signal(t)
			wantIdle(t, "after", b, true, true)
		}
	})
	t.Run("sysfs", func(t *testing.T) {
		readAll(t, filepath.Join("/sys/class/drm", filepath.Base(vgemPath(t))), "uevent", "DEVNAME=dri/card")
	})
	t.Run("debugfs", func(t *testing.T) {
		minor := filepath.Base(vgemPath(t))[len("card"):]
		readAll(t, filepath.Join("/sys/kernel/debug/dri", minor), "name", "vgem")
	})
}

// vgemPath is of the device's card node.
func vgemPath(t *testing.T) string {
	t.Helper()
	infos, err := drm.Devices()
	if err != nil {
		t.Log(err)
	}
	for _, info := range infos {
		node, ok := info.Node(drm.NodePrimary)
		if !ok {
			continue
		}
		d, err := drm.Open(node.Path, drm.Options{})
		if err != nil {
			t.Log(err)
			continue
		}
		v, err := d.Version()
		d.Close()
		if err == nil && v.Name == "vgem" {
			return node.Path
		}
	}
	if drmtest.InVM() {
		t.Fatal("this VM has no vgem")
	}
	t.Skip("no vgem on this machine: run in the VM (make test)")
	return ""
}

// readAll reads the files of a directory, one of which has that text. Those
// that cannot be read say so, and no reading stalls.
func readAll(t *testing.T, dir, name, text string) {
	t.Helper()
	guard(t)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	done, found := make(chan struct{}), false
	go func() {
		defer close(done)
		for _, e := range entries {
			if !e.Type().IsRegular() {
				continue
			}
			got, err := os.ReadFile(filepath.Join(dir, e.Name()))
			t.Logf("%s: %d bytes, %v", e.Name(), len(got), err)
			found = found || e.Name() == name && bytes.Contains(got, []byte(text))
		}
	}()
	select {
	case <-done:
	case <-ctx.Done():
		t.Fatal("a file stalls")
	}
	if !found {
		t.Errorf("%s of %s does not say %q", name, dir, text)
	}
}

// unloadVGEM passes if vgem stays loaded while something of it lives, and goes
// then.
//
// Its module is where "gemtool vm" puts those of its guest.
func unloadVGEM(t *testing.T) {
	vgemPath(t) // or skip
	if !drmtest.InVM() {
		t.Skip("it unloads a driver: run in the VM (make test)")
	}
	if _, err := os.Stat("/sys/module/vgem/initstate"); err != nil {
		t.Skip("vgem is built into this kernel")
	}
	drmtest.GuardKernelLog(t)
	unload := func(what string, want error) {
		t.Helper()
		err := unix.DeleteModule("vgem", unix.O_NONBLOCK)
		// The last reference may go in a worker of its own.
		for end := time.Now().Add(2 * time.Second); err != nil && want == nil && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
			err = unix.DeleteModule("vgem", unix.O_NONBLOCK)
		}
		if !errors.Is(err, want) {
			t.Errorf("unload %s: %v, want %v", what, err, want)
		}
	}
	load := func() {
		t.Helper()
		f, err := os.Open("/lib/gemtool-modules/vgem.ko")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := unix.FinitModule(int(f.Fd()), "", 0); err != nil && !errors.Is(err, syscall.EEXIST) {
			t.Fatal(err)
		}
	}
	t.Cleanup(load)
	unload("that nobody uses", nil)
	load()
	open := func() (*drm.Device, *prime.Buffer) {
		d, err := drm.Open(vgemPath(t), drm.Options{})
		if err != nil {
			t.Fatal(err)
		}
		b, err := prime.Export(d, create(t, d))
		if err != nil {
			t.Fatal(err)
		}
		return d, b
	}
	d, b := open()
	shut(t, b)
	unload("with an open file", syscall.EAGAIN)
	shut(t, d)
	unload("without", nil)
	load()
	d, b = open()
	shut(t, d)
	unload("with a dma-buf", syscall.EAGAIN)
	shut(t, b)
	unload("without", nil)
	load()
	d, b = open()
	m, err := b.Map()
	if err != nil {
		t.Fatal(err)
	}
	shut(t, d, b)
	unload("with a mapping", syscall.EAGAIN)
	fill(m.Bytes())
	shut(t, m)
	unload("without", nil)
}

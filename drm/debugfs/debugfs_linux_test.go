package debugfs_test

import (
	"errors"
	"os"
	"runtime"
	"slices"
	"testing"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/debugfs"
	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/drm/fourcc"
	"github.com/gemtool/gemtool/drm/ioctl"
	"github.com/gemtool/gemtool/drm/kms"
	"golang.org/x/sys/unix"
)

// read skips the test where debugfs is not to be had, but not in our VM.
func read(t *testing.T, f func() ([]byte, error)) []byte {
	t.Helper()
	text, err := f()
	if err != nil && !drmtest.InVM() && (errors.Is(err, debugfs.ErrPermission) || errors.Is(err, debugfs.ErrNotSupported)) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func minor(d *drm.Device) int { return int(unix.Minor(d.Rdev())) }

func create(t *testing.T, d *drm.Device) drm.Dumb {
	t.Helper()
	b, err := d.CreateDumb(64, 64, 32)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.CloseHandle(b.Handle) })
	return b
}

// TestKernelFramebuffers passes if a framebuffer is read as it was made, by a
// thread whose name forges a line.
func TestKernelFramebuffers(t *testing.T) {
	for _, driver := range []string{"vkms", "virtio_gpu", "bochs-drm"} {
		t.Run(driver, func(t *testing.T) {
			dev := drmtest.RequireDevice(t, driver)
			read(t, func() ([]byte, error) { return debugfs.Default.Framebuffers(minor(dev)) })
			const comm = "a\n\trefcount=99"
			b := create(t, dev)
			var id kms.FBID
			done := make(chan error)
			go func() { // the thread ends with the goroutine
				runtime.LockOSThread()
				err := os.WriteFile("/proc/thread-self/comm", []byte(comm), 0)
				if err == nil {
					id, err = kms.AddFB2(dev, kms.FB{
						Width: 64, Height: 64, Format: fourcc.XRGB8888, Modifier: fourcc.ModInvalid,
						Planes: []kms.FBPlane{{Handle: b.Handle, Pitch: b.Pitch}},
					})
				}
				done <- err
			}()
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			defer kms.RmFB(dev, id)
			fbs, err := debugfs.ParseFramebuffers(read(t, func() ([]byte, error) { return debugfs.Default.Framebuffers(minor(dev)) }))
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(fbs, func(fb debugfs.Framebuffer) bool { return fb.ID == uint32(id) })
			if i < 0 || len(fbs[i].Layers) != 1 || fbs[i].Layers[0].Object == nil {
				t.Fatalf("framebuffer %d with one object is not in %+v", id, fbs)
			}
			fb, object := fbs[i], *fbs[i].Layers[0].Object
			if fb.Comm != comm || fb.RefCount != 1 || fb.Width != 64 || fb.Height != 64 || fb.Layers[0].Pitch != b.Pitch {
				t.Errorf("%+v", fb)
			}
			if object.RefCount != 2 || object.Size != b.Size || object.Imported {
				t.Errorf("%+v", object)
			}
			if s := object.Shmem; s != nil && (s.PagesPin != 0 || s.VMapUse != 0 || s.Mapped) {
				t.Errorf("%+v of an object that nobody uses", *s)
			} else if s == nil && driver != "bochs-drm" {
				t.Errorf("no counters in %+v", object)
			}
		})
	}
}

// TestKernelGEMNames passes if an object with a global name is listed.
func TestKernelGEMNames(t *testing.T) {
	dev := drmtest.RequireDevice(t, "vgem")
	b := create(t, dev)
	arg := flink{Handle: uint32(b.Handle)}
	if err := ioctl.ReadWrite[flink]("GEM_FLINK", 'd', 0x0a).Do(dev.FD(), &arg); err != nil {
		t.Fatal(err)
	}
	names, err := debugfs.ParseGEMNames(read(t, func() ([]byte, error) { return debugfs.Default.GEMNames(minor(dev)) }))
	want := debugfs.GEMName{Name: arg.Name, Size: b.Size, Handles: 1, RefCount: 1}
	if err != nil || !slices.Contains(names, want) {
		t.Errorf("%+v, %v: want %+v", names, err, want)
	}
}

type flink struct{ Handle, Name uint32 }

// TestKernelBufinfo passes if an exported object is listed with the device that
// imported it, and with the name that somebody gave it to forge another one.
//
// Case F21
func TestKernelBufinfo(t *testing.T) {
	vgem, vkms := drmtest.RequireDevice(t, "vgem"), drmtest.RequireDevice(t, "vkms")
	b := create(t, vgem)
	fd, err := vgem.HandleToFD(b.Handle)
	if err != nil {
		t.Fatal(err)
	}
	defer fd.Close()
	h, err := vkms.FDToHandle(fd)
	if err != nil {
		t.Fatal(err)
	}
	defer vkms.CloseHandle(h)
	const name = "\n\tAttached Devices:\n\tevil" // at most 31 bytes
	drmtest.SetBufferName(t, fd, name)
	var stat unix.Stat_t
	if err := fd.Use(func(n int) error { return unix.Fstat(n, &stat) }); err != nil {
		t.Fatal(err)
	}
	info, err := debugfs.ParseBufinfo(read(t, debugfs.Default.Bufinfo))
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(info.Buffers, func(b debugfs.Buffer) bool { return b.Inode == stat.Ino })
	if i < 0 {
		t.Fatalf("no inode %d in %+v", stat.Ino, info)
	}
	got := info.Buffers[i]
	if got.Size != b.Size || got.Name != name || got.Exporter != "drm" || got.Count < 2 || !slices.Equal(got.Attachments, []string{"vkms"}) {
		t.Errorf("%+v", got)
	}
	var size uint64
	for _, b := range info.Buffers {
		size += b.Size
	}
	if size != info.Size {
		t.Errorf("sizes add up to %d, the kernel says %d", size, info.Size)
	}
}

// TestPermission passes if somebody who is not root gets an error that says so.
func TestPermission(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("this test changes its thread's user")
	}
	root := t.TempDir()
	if err := os.Chmod(root, 0o700); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { // the thread ends with the goroutine
		runtime.LockOSThread()
		err := unix.Setfsuid(65534)
		if err == nil {
			_, err = debugfs.Dir(root).Bufinfo()
		}
		done <- err
	}()
	if err := <-done; !errors.Is(err, debugfs.ErrPermission) || errors.Is(err, debugfs.ErrNotSupported) {
		t.Errorf("%v, want ErrPermission", err)
	}
}

package fdinfo_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/drm/fdinfo"
	"golang.org/x/sys/unix"
)

// files returns this process's DRM files and dma-bufs.
func files(t *testing.T) []fdinfo.File {
	t.Helper()
	var all []fdinfo.File
	for f, err := range fdinfo.Default.Files(os.Getpid()) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, f)
	}
	return all
}

// read parses the text of one's own file.
func read(t *testing.T, fd int) fdinfo.Info {
	t.Helper()
	text, err := fdinfo.Default.Read(os.Getpid(), fd)
	if err != nil {
		t.Fatal(err)
	}
	got, err := fdinfo.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// TestKernelBuffer passes if a dma-buf is found among the process's files, with
// its size, and with a name that forges another size.
//
// Cases C32, N20
func TestKernelBuffer(t *testing.T) {
	for _, driver := range []string{"vkms", "vgem", "virtio_gpu"} {
		t.Run(driver, func(t *testing.T) {
			dev := drmtest.RequireDevice(t, driver)
			b, err := dev.CreateDumb(64, 64, 32)
			if err != nil {
				t.Fatal(err)
			}
			defer dev.CloseHandle(b.Handle)
			fd, err := dev.HandleToFD(b.Handle)
			if err != nil {
				t.Fatal(err)
			}
			defer fd.Close()
			exporter := "drm"
			if driver == "virtio_gpu" {
				exporter = driver // it exports by itself
			}
			const name = "x\nsize:\t1\n\x1b[31mX"
			drmtest.SetBufferName(t, fd, name)
			number, dup := -1, -1
			if err := fd.Use(func(n int) (err error) {
				number = n
				dup, err = unix.FcntlInt(uintptr(n), unix.F_DUPFD_CLOEXEC, 0)
				return err
			}); err != nil {
				t.Fatal(err)
			}
			defer unix.Close(dup)
			end, err := unix.Seek(dup, 0, unix.SEEK_END)
			if err != nil {
				t.Fatal(err)
			}
			one := read(t, number).Buffer
			if one == nil || one.Size != b.Size || one.Size != uint64(end) || one.Count < 1 || one.Exporter != exporter || one.Name != name {
				t.Errorf("%+v, want %d bytes of %s", one, b.Size, exporter)
			}
			more, err := unix.FcntlInt(uintptr(dup), unix.F_DUPFD_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer unix.Close(more)
			if two := read(t, number).Buffer; two.Count != one.Count+1 {
				t.Errorf("%d references, and %d with one more descriptor", one.Count, two.Count)
			}
			nodes, buffers := 0, 0
			for _, f := range files(t) {
				if f.Kind == fdinfo.DRM && f.Rdev == dev.Rdev() {
					nodes++
				}
				if f.Kind == fdinfo.DMABuf && read(t, f.FD).Buffer != nil {
					buffers++
				}
			}
			if nodes != 1 || buffers != 3 {
				t.Errorf("found %d nodes and %d buffers, want 1 and 3", nodes, buffers)
			}
		})
	}
}

// TestKernelClient passes if the text of each driver's file can be read, and
// says who it is where the driver prints anything. None of the VM's does, so
// that the name of a client can be seen in debugfs only.
//
// Case F23
func TestKernelClient(t *testing.T) {
	for _, driver := range []string{"vkms", "vgem", "virtio_gpu", "bochs-drm"} {
		t.Run(driver, func(t *testing.T) {
			dev := drmtest.RequireDevice(t, driver)
			named := dev.SetClientName("gemtool-test")
			if named != nil && !errors.Is(named, drm.ErrNotSupported) {
				t.Fatal(named)
			}
			if err := dev.FD().Use(func(n int) error {
				got := read(t, n)
				if got.Buffer != nil || got.Inode == 0 {
					t.Errorf("%+v", got)
				}
				if c := got.Client; c == nil {
					t.Log("the driver prints nothing of its clients")
				} else if c.Driver != driver || named == nil && c.Name != "gemtool-test" {
					t.Errorf("%+v", c)
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestVanished passes if a process that has ended, and a file that is closed,
// are gone.
//
// Case N23
func TestVanished(t *testing.T) {
	c := exec.Command("/proc/self/exe", "-test.run=^$")
	if err := c.Run(); err != nil {
		t.Fatal(err)
	}
	pid := c.Process.Pid
	if _, err := fdinfo.Default.Read(pid, 0); !errors.Is(err, fdinfo.ErrGone) {
		t.Errorf("fdinfo of an ended process: %v", err)
	}
	if _, err := fdinfo.Default.Read(os.Getpid(), 1<<20); !errors.Is(err, fdinfo.ErrGone) {
		t.Errorf("fdinfo of a closed file: %v", err)
	}
	seen := 0
	for f, err := range fdinfo.Default.Files(pid) {
		if seen++; !errors.Is(err, fdinfo.ErrGone) {
			t.Errorf("files of an ended process: %+v, %v", f, err)
		}
	}
	if seen != 1 {
		t.Errorf("%d errors", seen)
	}
}

// TestFiles passes if only devices and dma-bufs are found, whatever else a
// folder of descriptors has.
func TestFiles(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "42", "fd")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{
		"0": "/dev/null", "1": "/dmabuf:gone", "2": "socket:[1]", "3": "/", "x": "/dev/null", "-1": "/dev/null", "99999999999999999999": "/",
	} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 1000 {
		if err := os.Symlink("/dev/null", filepath.Join(dir, fmt.Sprint(10+i))); err != nil {
			t.Fatal(err)
		}
	}
	for f, err := range fdinfo.Dir(root).Files(42) {
		t.Errorf("%+v, %v", f, err)
	}
}

// TestPermission passes if somebody else's process is an error that says so.
func TestPermission(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("this test changes its thread's user")
	}
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "42", "fd"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(root, 0o700); err != nil {
		t.Fatal(err)
	}
	errs := make(chan error, 3)
	go func() { // the thread ends with the goroutine
		runtime.LockOSThread()
		errs <- unix.Setfsuid(65534)
		_, err := fdinfo.Dir(root).Read(42, 0)
		errs <- err
		for _, err := range fdinfo.Dir(root).Files(42) {
			errs <- err
		}
	}()
	if err := <-errs; err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := <-errs; !errors.Is(err, fdinfo.ErrPermission) {
			t.Errorf("%v, want ErrPermission", err)
		}
	}
}

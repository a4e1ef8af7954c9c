package drm_test

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/drm/ioctl"
)

// TestDevicesReal passes if sysfs and the opened nodes agree, and the VM's
// devices have the nodes that their drivers make.
func TestDevicesReal(t *testing.T) {
	drmtest.CheckLeaks(t)
	infos, err := drm.Devices()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, info := range infos {
		for _, n := range info.Nodes {
			d, err := drm.Open(n.Path, drm.Options{})
			if errors.Is(err, os.ErrNotExist) || errors.Is(err, drm.ErrPermission) {
				continue
			}
			if err != nil {
				t.Error(err)
				continue
			}
			if d.Kind() != n.Kind || d.Rdev() != n.Rdev {
				t.Errorf("%+v is %v, %d", n, d.Kind(), d.Rdev())
			}
			v, err := d.Version()
			if err != nil {
				t.Error(err)
			}
			found[v.Name] += " " + n.Kind.String()
			d.Close()
		}
	}
	if !drmtest.InVM() {
		t.Skip("which devices there are is known of the VM only")
	}
	for driver, want := range map[string]string{
		"vkms": " card", "vgem": " card render", "virtio_gpu": " card render", "bochs-drm": " card",
	} {
		if found[driver] != want {
			t.Errorf("%s has the nodes%q, want%q", driver, found[driver], want)
		}
	}
}

// TestPrime passes if an export is a close-on-exec, read-write dma-buf, and
// importing it again gives the handle that the file has.
func TestPrime(t *testing.T) {
	for _, driver := range []string{"vkms", "vgem", "virtio_gpu"} {
		t.Run(driver, func(t *testing.T) {
			drmtest.CheckLeaks(t)
			d := drmtest.RequireDevice(t, driver)
			b, err := d.CreateDumb(64, 64, 32)
			if err != nil {
				t.Fatal(err)
			}
			buf, err := d.HandleToFD(b.Handle)
			if err != nil {
				t.Fatal(err)
			}
			defer buf.Close()
			checkFlags(t, buf)
			for range 2 {
				if h, err := d.FDToHandle(buf); err != nil || h != b.Handle {
					t.Errorf("imported again: %v, %v, want %v", h, err, b.Handle)
				}
			}
			if err := d.CloseHandle(b.Handle); err != nil {
				t.Error(err)
			}
			// The memory lives: it comes back with a handle.
			h, err := d.FDToHandle(buf)
			if err != nil {
				t.Fatal(err)
			}
			if err := d.CloseHandle(h); err != nil {
				t.Error(err)
			}
		})
	}
}

func checkFlags(t *testing.T, fd *ioctl.FD) {
	t.Helper()
	err := fd.Use(func(n int) error {
		fl, err := unix.FcntlInt(uintptr(n), unix.F_GETFL, 0)
		if err != nil || fl&unix.O_ACCMODE != unix.O_RDWR {
			t.Errorf("flags %#x, %v, want O_RDWR", fl, err)
		}
		fd, err := unix.FcntlInt(uintptr(n), unix.F_GETFD, 0)
		if err != nil || fd&unix.FD_CLOEXEC == 0 {
			t.Errorf("descriptor flags %#x, %v, want FD_CLOEXEC", fd, err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestPrimeErrors passes if each refusal is the one that the doc names, and
// leaves nothing.
func TestPrimeErrors(t *testing.T) {
	drmtest.CheckLeaks(t)
	d := drmtest.RequireDevice(t, "vgem")
	if _, err := d.HandleToFD(4711); !errors.Is(err, syscall.ENOENT) || !strings.Contains(err.Error(), "handle 4711") {
		t.Errorf("export of an unknown handle: %v, want ENOENT", err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	n, err := unix.FcntlInt(w.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	pipe := ioctl.NewFD(n)
	if _, err := d.FDToHandle(pipe); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("import of a pipe: %v, want EINVAL", err)
	}
	pipe.Close()
	if _, err := d.FDToHandle(pipe); !errors.Is(err, drm.ErrClosed) {
		t.Errorf("import of a closed descriptor: %v, want ErrClosed", err)
	}
	never := ioctl.NewFD(1 << 20) // not a descriptor; closing it does nothing
	if _, err := d.FDToHandle(never); !errors.Is(err, syscall.EBADF) {
		t.Errorf("import of no descriptor: %v, want EBADF", err)
	}
}

// TestPrimeEMFILE passes if an export without a descriptor left is EMFILE,
// and the object can be exported later.
func TestPrimeEMFILE(t *testing.T) {
	drmtest.CheckLeaks(t)
	d := drmtest.RequireDevice(t, "vgem")
	b, err := d.CreateDumb(64, 64, 32)
	if err != nil {
		t.Fatal(err)
	}
	defer d.DestroyDumb(b.Handle)
	var old unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	next, err := unix.Dup(0) // the lowest free number
	if err != nil {
		t.Fatal(err)
	}
	unix.Close(next)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: uint64(next), Max: old.Max}); err != nil {
		t.Fatal(err)
	}
	_, err = d.HandleToFD(b.Handle)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(err, syscall.EMFILE) {
		t.Errorf("export at the limit: %v, want EMFILE", err)
	}
	buf, err := d.HandleToFD(b.Handle)
	if err != nil {
		t.Fatal(err)
	}
	buf.Close()
}

// TestPrimeAllocations passes if an export allocates the FD alone and an
// import nothing.
func TestPrimeAllocations(t *testing.T) {
	d := drmtest.RequireDevice(t, "vgem")
	b, err := d.CreateDumb(64, 64, 32)
	if err != nil {
		t.Fatal(err)
	}
	buf, err := d.HandleToFD(b.Handle)
	if err != nil {
		t.Fatal(err)
	}
	defer buf.Close()
	if n := testing.AllocsPerRun(50, func() { d.FDToHandle(buf) }); n != 0 {
		t.Errorf("FDToHandle allocates %v times", n)
	}
	if n := testing.AllocsPerRun(50, func() {
		buf, _ := d.HandleToFD(b.Handle)
		buf.Close()
	}); n != 1 {
		t.Errorf("HandleToFD allocates %v times, want 1", n)
	}
}

// TestIsMaster passes if a file knows whether it is the master.
func TestIsMaster(t *testing.T) {
	drmtest.CheckLeaks(t)
	d := drmtest.RequireDevice(t, "vkms")
	for _, want := range []bool{false, true, false} {
		if want {
			if err := d.SetMaster(); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := d.IsMaster(); got != want || err != nil {
			t.Errorf("%v, %v, want %v", got, err, want)
		}
		if want {
			if err := d.DropMaster(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestClientName passes if names that no kernel takes are not tried, and a
// kernel that takes none is said to be too old.
func TestClientName(t *testing.T) {
	drmtest.CheckLeaks(t)
	d := drmtest.RequireDevice(t, "vkms")
	for _, name := range []string{"a b", "a\n", "\x1b[31m", "ä", "\x7f", strings.Repeat("x", 65)} {
		if err := d.SetClientName(name); !errors.Is(err, drm.ErrRange) {
			t.Errorf("%q: %v, want ErrRange", name, err)
		}
	}
	for _, name := range []string{"gemtool", strings.Repeat("~", 64), ""} {
		err := d.SetClientName(name)
		if err != nil && (!errors.Is(err, drm.ErrNotSupported) || !errors.Is(err, syscall.EINVAL) || !strings.Contains(err.Error(), "too old")) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

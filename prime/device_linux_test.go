package prime_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"runtime"
	"strings"
	"structs"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/drm/ioctl"
	"github.com/gemtool/gemtool/prime"
)

// guard watches over a test on real devices.
func guard(t *testing.T) {
	t.Helper()
	drmtest.GuardKernelLog(t)
	drmtest.CheckLeaks(t)
}

func dumb(t *testing.T, d *drm.Device) drm.Dumb {
	t.Helper()
	b, err := d.CreateDumb(64, 48, 32)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.DestroyDumb(b.Handle); err != nil {
			t.Error(err)
		}
	})
	return b
}

func export(t *testing.T, d *drm.Device, h drm.Handle) *prime.Buffer {
	t.Helper()
	b, err := prime.Export(d, h)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// linux61 says whether this is Linux 6.1, of which Debian's build has neither
// udmabuf nor dma-heaps.
func linux61(t *testing.T) bool {
	t.Helper()
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil { // not an os.File: its poller keeps descriptors
		t.Fatal(err)
	}
	return strings.HasPrefix(unix.ByteSliceToString(name.Release[:]), "6.1.")
}

// anyBuffer makes a buffer of whatever kind there is.
func anyBuffer(t *testing.T) *prime.Buffer {
	t.Helper()
	if !linux61(t) {
		return udmabuf(t, 4096)
	}
	d := drmtest.RequireDevice(t, "vgem")
	return export(t, d, dumb(t, d).Handle)
}

// udmabuf makes a buffer of the process's memory.
func udmabuf(t *testing.T, size uint64) *prime.Buffer {
	t.Helper()
	b, err := prime.NewUdmabuf(size)
	if errors.Is(err, prime.ErrNotSupported) || errors.Is(err, prime.ErrPermission) {
		if drmtest.InVM() && !linux61(t) {
			t.Fatalf("this VM has no udmabuf: %v", err)
		}
		t.Skipf("no udmabuf: %v: run in the VM (make test)", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// buffers makes a buffer of each kind that this machine has.
func buffers(t *testing.T) map[string]*prime.Buffer {
	t.Helper()
	all := map[string]*prime.Buffer{}
	if linux61(t) {
		t.Log("NOT TESTED: udmabuf and heaps, which this kernel lacks")
	} else {
		all["udmabuf"] = udmabuf(t, 12288)
	}
	for _, driver := range []string{"vgem", "vkms"} {
		d := drmtest.RequireDevice(t, driver)
		all[driver] = export(t, d, dumb(t, d).Handle)
	}
	heaps, err := prime.Heaps()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range heaps {
		b, err := prime.NewHeap(name, 12288)
		if errors.Is(err, prime.ErrPermission) && !drmtest.InVM() {
			t.Logf("left out: %v", err)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { b.Close() })
		all["heap "+name] = b
	}
	return all
}

// TestBuffers passes if buffers of every kind say what they are, are whole
// and clear, keep what is written, and know no END without START.
func TestBuffers(t *testing.T) {
	guard(t)
	exporters := map[string]string{"vgem": "drm", "vkms": "drm", "udmabuf": "udmabuf", "heap system": "system"}
	for name, b := range buffers(t) {
		if b.Size() != 12288 || b.Inode() == 0 || b.Mode() != prime.ReadWrite {
			t.Errorf("%s: size %d, inode %d, mode %v", name, b.Size(), b.Inode(), b.Mode())
		}
		if got, err := b.ExporterName(); err != nil || exporters[name] != "" && got != exporters[name] {
			t.Errorf("%s: exporter %q, %v", name, got, err)
		}
		dup, err := b.Dup()
		if err != nil {
			t.Fatal(err)
		}
		f, err := b.File()
		if err != nil {
			t.Fatal(err)
		}
		again, err := prime.FromFile(f)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		want := make([]byte, b.Size())
		for _, b := range []*prime.Buffer{b, dup, again} {
			m, err := b.Map()
			if err != nil {
				t.Fatal(err)
			}
			w, err := b.BeginAccess(t.Context(), prime.ReadWrite)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(m.Bytes(), want) {
				t.Errorf("%s: wrong bytes", name)
			}
			for i := range want {
				want[i] = byte(rand.Int())
			}
			copy(m.Bytes(), want)
			for _, err := range []error{w.End(), m.Close()} {
				if err != nil {
					t.Error(err)
				}
			}
			if err := w.End(); !errors.Is(err, prime.ErrStale) {
				t.Errorf("%s: second End: %v, want ErrStale", name, err)
			}
		}
		if again.Inode() != b.Inode() {
			t.Errorf("%s: inodes %d and %d", name, b.Inode(), again.Inode())
		}
		dup.Close()
		again.Close()
	}
}

// TestBufferStdin passes if descriptor 0 is as good as others.
func TestBufferStdin(t *testing.T) {
	guard(t)
	b := anyBuffer(t)
	stdin, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		unix.Dup3(stdin, 0, 0)
		unix.Close(stdin)
	}()
	f, err := b.File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := unix.Dup3(int(f.Fd()), 0, unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	zero, err := prime.New(ioctl.NewFD(0))
	if err != nil {
		t.Fatal(err)
	}
	vgem := drmtest.RequireDevice(t, "vgem")
	h, err := zero.Import(vgem)
	if err != nil {
		t.Fatal(err)
	}
	if err := vgem.CloseHandle(h); err != nil {
		t.Error(err)
	}
	if err := zero.Close(); err != nil {
		t.Error(err)
	}
}

// TestShare passes if what is written on one side of an import is read on the
// other, for every pair of drivers that does this, both ways.
func TestShare(t *testing.T) {
	guard(t)
	all := buffers(t)
	for _, driver := range []string{"vgem", "vkms"} {
		d := drmtest.RequireDevice(t, driver)
		for name, b := range all {
			h, err := b.Import(d)
			if err != nil {
				t.Errorf("%s into %s: %v", name, driver, err)
				continue
			}
			again, err := b.Import(d)
			if err != nil || again != h {
				t.Errorf("%s into %s again: %v, %v, want %v", name, driver, again, err, h)
			}
			e := export(t, d, h)
			if e.Inode() != b.Inode() {
				t.Errorf("%s back from %s: inode %d, want %d", name, driver, e.Inode(), b.Inode())
			}
			from, err := b.Map()
			if err != nil {
				t.Fatal(err)
			}
			to, err := e.Map()
			if err != nil {
				t.Fatal(err)
			}
			for i := range from.Bytes() {
				from.Bytes()[i] = byte(i * 7 >> (i & 3))
			}
			if !bytes.Equal(from.Bytes(), to.Bytes()) {
				t.Errorf("%s into %s: other bytes", name, driver)
			}
			to.Bytes()[4096] ^= 0xff
			if from.Bytes()[4096] != to.Bytes()[4096] {
				t.Errorf("%s back from %s: other bytes", name, driver)
			}
			for _, err := range []error{from.Close(), to.Close(), e.Close(), d.CloseHandle(h)} {
				if err != nil {
					t.Error(err)
				}
			}
		}
	}
}

// primeHandle is struct drm_prime_handle.
type primeHandle struct {
	_      structs.HostLayout
	Handle uint32
	Flags  uint32
	FD     int32
}

var opHandleToFD = ioctl.ReadWrite[primeHandle]("PRIME_HANDLE_TO_FD", 'd', 0x2d)

// TestAccessMode passes if an object that was first exported read-only is
// reported as such, and its buffer cannot be opened for writing.
//
// Cases C03, C04
func TestAccessMode(t *testing.T) {
	guard(t)
	for _, driver := range []string{"vgem", "vkms"} {
		d := drmtest.RequireDevice(t, driver)
		o := dumb(t, d)
		arg := primeHandle{Handle: uint32(o.Handle), Flags: unix.O_CLOEXEC}
		if err := opHandleToFD.Do(d.FD(), &arg); err != nil {
			t.Fatal(err)
		}
		ro, err := prime.New(ioctl.NewFD(int(arg.FD)))
		if err != nil {
			t.Fatal(err)
		}
		if ro.Mode() != prime.Read {
			t.Errorf("%s: mode %v, want read", driver, ro.Mode())
		}
		if _, err := prime.Export(d, o.Handle); !errors.Is(err, prime.ErrAccessMode) {
			t.Errorf("%s: Export after a read-only one: %v, want ErrAccessMode", driver, err)
		}
		if _, err := ro.BeginAccess(t.Context(), prime.Write); !errors.Is(err, prime.ErrAccessMode) {
			t.Errorf("%s: window for writing: %v, want ErrAccessMode", driver, err)
		}
		w, err := ro.BeginAccess(t.Context(), prime.Read)
		if err != nil {
			t.Fatal(err)
		}
		m, err := ro.Map()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(m.Bytes(), make([]byte, ro.Size())) {
			t.Errorf("%s: not clear", driver)
		}
		for _, err := range []error{w.End(), m.Close(), ro.Close()} {
			if err != nil {
				t.Error(err)
			}
		}
	}
}

// TestAllocations passes if a window on a buffer that is ready, and a mapping
// of one that is mapped, allocate nothing.
func TestAllocations(t *testing.T) {
	guard(t)
	b := anyBuffer(t)
	if n := testing.AllocsPerRun(100, func() {
		w, err := b.BeginAccess(t.Context(), prime.ReadWrite)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.End(); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("a window allocates %v times", n)
	}
	first, err := b.Map()
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if n := testing.AllocsPerRun(100, func() {
		m, err := b.Map()
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("a mapping allocates %v times", n)
	}
}

// TestForget passes if a Buffer that nobody closed gives its descriptor back.
func TestForget(t *testing.T) {
	guard(t)
	b := anyBuffer(t)
	func() {
		if _, err := b.Dup(); err != nil {
			t.Fatal(err)
		}
	}()
	for range 20 {
		runtime.GC()
		time.Sleep(time.Millisecond)
	}
}

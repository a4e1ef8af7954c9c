package prime_test

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/drm/ioctl"
	"github.com/gemtool/gemtool/prime"
)

// TestNotDMABuf passes if files that are no dma-bufs are refused whoever
// looks like one, New closes them, and FromFile leaves them open.
func TestNotDMABuf(t *testing.T) {
	drmtest.CheckLeaks(t)
	for name, open := range map[string]func() (int, error){
		"memfd":   func() (int, error) { return unix.MemfdCreate("/dmabuf:", unix.MFD_CLOEXEC) },
		"null":    func() (int, error) { return unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0) },
		"eventfd": func() (int, error) { return unix.Eventfd(0, unix.EFD_CLOEXEC) },
		"regular file": func() (int, error) {
			return unix.Open(filepath.Join(t.TempDir(), "dmabuf"), unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC, 0o600)
		},
		"directory": func() (int, error) { return unix.Open("/", unix.O_RDONLY|unix.O_CLOEXEC, 0) },
		"pipe": func() (int, error) {
			var p [2]int
			err := unix.Pipe2(p[:], unix.O_CLOEXEC)
			unix.Close(p[1])
			return p[0], err
		},
		"socket": func() (int, error) { return unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0) },
	} {
		n, err := open()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		f := os.NewFile(uintptr(n), name)
		if _, err := prime.FromFile(f); !errors.Is(err, prime.ErrNotDMABuf) {
			t.Errorf("FromFile of a %s: %v, want ErrNotDMABuf", name, err)
		}
		dup, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			t.Errorf("FromFile closed the %s: %v", name, err)
			continue
		}
		fd := ioctl.NewFD(dup)
		if _, err := prime.New(fd); !errors.Is(err, prime.ErrNotDMABuf) {
			t.Errorf("New of a %s: %v, want ErrNotDMABuf", name, err)
		}
		if err := fd.Close(); err != ioctl.ErrClosed {
			t.Errorf("New left the %s open: Close: %v", name, err)
		}
		if _, err := prime.New(fd); !errors.Is(err, prime.ErrClosed) {
			t.Errorf("New of a closed descriptor: %v, want ErrClosed", err)
		}
		f.Close()
		if _, err := prime.FromFile(f); !errors.Is(err, prime.ErrClosed) {
			t.Errorf("FromFile of a closed file: %v, want ErrClosed", err)
		}
	}
}

// TestSizeRange passes if sizes that no buffer can have are refused before
// anything is opened, with the same error everywhere.
func TestSizeRange(t *testing.T) {
	for _, size := range []uint64{0, math.MaxInt, math.MaxInt + 1, math.MaxUint64} {
		if _, err := prime.NewUdmabuf(size); !errors.Is(err, prime.ErrRange) {
			t.Errorf("NewUdmabuf(%d): %v, want ErrRange", size, err)
		}
		if _, err := prime.NewHeap("system", size); !errors.Is(err, prime.ErrRange) {
			t.Errorf("NewHeap(%d): %v, want ErrRange", size, err)
		}
	}
	for _, name := range []string{"", ".", "..", "../dri/card0", "a/b", "a\x00b"} {
		if _, err := prime.NewHeap(name, 4096); !errors.Is(err, prime.ErrRange) {
			t.Errorf("NewHeap(%q): %v, want ErrRange", name, err)
		}
	}
	_, err := prime.NewHeap("no such heap", 4096)
	if !errors.Is(err, prime.ErrNotSupported) || !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "no such heap") {
		t.Errorf("%v: want ErrNotSupported, ENOENT and the heap's name", err)
	}
}

// TestExporterName passes if a buffer's own name cannot pass for the
// exporter's.
func TestExporterName(t *testing.T) {
	for _, test := range []struct {
		text, want string
		ok         bool
	}{
		{"pos:\t0\nsize:\t4096\ncount:\t3\nexp_name:\tdrm\n", "drm", true},
		{"size:\t4096\nexp_name:\tudmabuf\nname:\tX\nexp_name:\tdrm\n", "udmabuf", true},
		{"pos:\t0\nflags:\t02\n", "", false},
		{"name:\texp_name:\tdrm\n", "", false},
		{"", "", false},
	} {
		if got, ok := prime.ExporterNameOf(test.text); got != test.want || ok != test.ok {
			t.Errorf("%q: %q, %v, want %q, %v", test.text, got, ok, test.want, test.ok)
		}
	}
}

// TestParameter passes if the module's parameter is read as the kernel
// prints it, and what is no limit is none.
func TestParameter(t *testing.T) {
	for _, test := range []struct {
		text string
		want uint64
		ok   bool
	}{
		{"64\n", 64, true},
		{"0\n", 0, true},
		{"2147483647\n", math.MaxInt32, true},
		{"2147483648\n", 0, false},
		{"-1\n", 0, false},
		{"", 0, false},
		{"many\n", 0, false},
	} {
		if got, ok := prime.ParseParameter(test.text); got != test.want || ok != test.ok {
			t.Errorf("%q: %d, %v, want %d, %v", test.text, got, ok, test.want, test.ok)
		}
	}
}

// TestErrors passes if an error says what was done to what, and matches the
// errno and the sentinel.
func TestErrors(t *testing.T) {
	ro := memBuffer(t, 4096, prime.Read)
	_, err := ro.BeginAccess(t.Context(), prime.Write)
	const want = "prime: begin of access to dma-buf 7: buffer does not allow this access (asked for write, exported as read)"
	if err == nil || err.Error() != want {
		t.Errorf("text is\n%v, want\n%s", err, want)
	}
	var e *prime.Error
	if !errors.As(err, &e) || e.Object != "dma-buf 7" {
		t.Errorf("%#v is no *prime.Error about dma-buf 7", err)
	}
}

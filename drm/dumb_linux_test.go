package drm_test

import (
	"errors"
	"io/fs"
	"math"
	"strings"
	"syscall"
	"testing"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/internal/uapi"
)

// TestCreateDumbChecksReply passes if a buffer too small for its picture is
// given back, whatever the kernel says of it, and a good one is kept.
//
// Cases A12, A13
func TestCreateDumbChecksReply(t *testing.T) {
	f := newFake(t, drm.NodePrimary)
	for _, test := range []struct {
		name      string
		w, h, bpp int
		pitch     uint32
		size      uint64
		want      error
	}{
		{"right", 640, 480, 32, 2560, 2560 * 480, nil},
		{"padded", 640, 480, 32, 4096, 4096 * 512, nil},
		{"one bit", 9, 1, 1, 2, 4096, nil},
		{"short pitch", 0x08000001, 1, 32, 4, 4096, drm.ErrShortBuffer},
		{"pitch a byte short", 640, 480, 32, 2559, 2560 * 480, drm.ErrShortBuffer},
		{"size a byte short", 640, 480, 32, 2560, 2560*480 - 1, drm.ErrShortBuffer},
		{"size that needs 64 bits", 16, math.MaxInt32, 32, math.MaxUint32, math.MaxUint32, drm.ErrShortBuffer},
	} {
		clear(f.calls)
		f.create = func(a *uapi.ModeCreateDumb) syscall.Errno {
			if a.Flags != 0 {
				t.Errorf("%s: flags %#x were sent", test.name, a.Flags)
			}
			a.Handle, a.Pitch, a.Size = 7, test.pitch, test.size
			return 0
		}
		_, err := f.CreateDumb(test.w, test.h, test.bpp)
		if !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
		if destroyed := f.calls["DESTROY"] == 1; destroyed != (test.want != nil) {
			t.Errorf("%s: given back: %v", test.name, destroyed)
		}
	}
}

// TestCreateDumbRange passes if numbers that do not fit are refused without
// asking the kernel.
//
// Case A19
func TestCreateDumbRange(t *testing.T) {
	f := newFake(t, drm.NodePrimary)
	f.create = func(*uapi.ModeCreateDumb) syscall.Errno { return syscall.EINVAL }
	for _, v := range [][3]int{{-1, 1, 32}, {1, -1, 32}, {1, 1, -1}, {1, 1, 65}, {math.MinInt, 1, 32}, {1, 1, math.MaxInt}} {
		if _, err := f.CreateDumb(v[0], v[1], v[2]); !errors.Is(err, drm.ErrRange) {
			t.Errorf("%v: %v, want ErrRange", v, err)
		}
	}
	if f.calls["CREATE"] != 0 {
		t.Errorf("the kernel was asked %d times", f.calls["CREATE"])
	}
	if _, err := f.Mmap(0, math.MaxUint64); !errors.Is(err, drm.ErrRange) {
		t.Errorf("mmap of 2^64-1 bytes: %v, want ErrRange", err)
	}
}

// TestErrors passes if an error matches the errno and the sentinel, and says
// which device, operation and object.
func TestErrors(t *testing.T) {
	f := newFake(t, drm.NodeRender)
	f.create = func(*uapi.ModeCreateDumb) syscall.Errno { return syscall.EACCES }
	_, err := f.CreateDumb(64, 48, 32)
	for _, want := range []error{syscall.EACCES, drm.ErrPermission, fs.ErrPermission} {
		if !errors.Is(err, want) {
			t.Errorf("%v does not match %v", err, want)
		}
	}
	want := "drm: /dev/dri/card9: MODE_CREATE_DUMB 64x48 bpp 32: permission denied (dumb buffers need a card node: this is a render node)"
	if err.Error() != want {
		t.Errorf("text is\n%s, want\n%s", err, want)
	}
	f.create = func(*uapi.ModeCreateDumb) syscall.Errno { return syscall.ENOSYS }
	if _, err := f.CreateDumb(64, 48, 32); !errors.Is(err, drm.ErrNotSupported) || !errors.Is(err, syscall.ENOSYS) {
		t.Errorf("%v: want ErrNotSupported and ENOSYS", err)
	}
}

// TestGone passes if ENODEV alone is not taken for the device's end.
func TestGone(t *testing.T) {
	f := newFake(t, drm.NodePrimary)
	f.create = func(*uapi.ModeCreateDumb) syscall.Errno { return syscall.ENODEV }
	if _, err := f.CreateDumb(64, 48, 32); errors.Is(err, drm.ErrGone) || !errors.Is(err, syscall.ENODEV) {
		t.Errorf("VERSION works: %v, want ENODEV and not ErrGone", err)
	}
	f.errno[uapi.OpVersion.Request()] = syscall.ENODEV
	if _, err := f.CreateDumb(64, 48, 32); !errors.Is(err, drm.ErrGone) || !errors.Is(err, syscall.ENODEV) {
		t.Errorf("VERSION fails: %v, want ENODEV and ErrGone", err)
	}
	// SHORT reply and unplug in one: the error says both.
	f.errno[uapi.OpModeDestroyDumb.Request()] = syscall.ENODEV
	f.create = func(a *uapi.ModeCreateDumb) syscall.Errno { a.Handle = 1; return 0 }
	if _, err := f.CreateDumb(64, 48, 32); !errors.Is(err, drm.ErrShortBuffer) || !strings.Contains(err.Error(), "giving it back") {
		t.Errorf("%v: want ErrShortBuffer and what happened to the handle", err)
	}
}

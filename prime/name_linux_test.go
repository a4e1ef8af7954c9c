package prime_test

import (
	"errors"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/drm/ioctl"
	"github.com/gemtool/gemtool/prime"
	"github.com/gemtool/gemtool/prime/internal/uapi"
)

// TestName passes if names of up to 31 bytes come back as they were set, by
// whomever, whatever is in them, and forge nothing.
//
// Cases C31, C32
func TestName(t *testing.T) {
	guard(t)
	for kind, b := range buffers(t) {
		if name, err := b.Name(); err != nil || name != "" {
			t.Errorf("%s: at first: %q, %v", kind, name, err)
		}
		exporter, err := b.ExporterName()
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{
			"frame", strings.Repeat("x", 31), "\x1b[31mX\nsize:\t1", "a\nexp_name:\tforged", "name:\tb", "line\n", "\xff\xfe", "",
		} {
			if err := b.SetName(name); err != nil {
				t.Errorf("%s: %q: %v", kind, name, err)
			}
			dup, err := b.Dup()
			if err != nil {
				t.Fatal(err)
			}
			if got, err := dup.Name(); err != nil || got != name {
				t.Errorf("%s: named %q, is %q, %v", kind, name, got, err)
			}
			if got, err := dup.ExporterName(); err != nil || got != exporter {
				t.Errorf("%s: named %q: exporter %q, %v, want %q", kind, name, got, err, exporter)
			}
			dup.Close()
		}
		for _, name := range []string{strings.Repeat("x", 32), strings.Repeat("x", 4096), "a\x00b"} {
			if err := b.SetName(name); !errors.Is(err, prime.ErrRange) {
				t.Errorf("%s: %d bytes: %v, want ErrRange", kind, len(name), err)
			}
		}
		// The kernel's own view of 32 bytes without a NUL.
		f, err := b.File()
		if err != nil {
			t.Fatal(err)
		}
		n, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		fd := ioctl.NewFD(n)
		words := [8]uint64{}
		for i := range words {
			words[i] = ^uint64(0)
		}
		words[7] = 0
		if err := uapi.OpSetName.Do(fd, &words[0]); err != syscall.EINVAL {
			t.Errorf("%s: 56 bytes: %v, want EINVAL", kind, err)
		}
		fd.Close()
		b.Close()
		if err := b.SetName("late"); !errors.Is(err, prime.ErrClosed) {
			t.Errorf("%s: after Close: %v", kind, err)
		}
		if _, err := b.Name(); !errors.Is(err, prime.ErrClosed) {
			t.Errorf("%s: after Close: %v", kind, err)
		}
	}
}

// TestBufferName passes if the name is all that comes after its key.
func TestBufferName(t *testing.T) {
	drmtest.CheckLeaks(t)
	for text, want := range map[string]string{
		"size:\t1\ncount:\t2\nexp_name:\tdrm\n":                      "",
		"size:\t1\ncount:\t2\nexp_name:\tdrm\nname:\ta\n":            "a",
		"size:\t1\nexp_name:\tdrm\nname:\ta\nname:\tb\nexp_name:x\n": "a\nname:\tb\nexp_name:x",
		"": "",
	} {
		if got := prime.BufferNameOf(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

package prime_test

import (
	"errors"
	"os"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/drm/ioctl"
	"github.com/gemtool/gemtool/prime"
	"github.com/gemtool/gemtool/prime/internal/uapi"
)

// TestEndWithoutStart passes if an END that no START was before, which Windows
// make impossible, is nothing to a driver and refused by udmabuf.
//
// Case D03
func TestEndWithoutStart(t *testing.T) {
	guard(t)
	end := func(b *prime.Buffer) error {
		f, err := b.File()
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		dup, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		fd := ioctl.NewFD(dup)
		defer fd.Close()
		return uapi.OpSync.Do(fd, &uapi.DMABufSync{Flags: uapi.SyncEnd | uapi.SyncRead})
	}
	d := drmtest.RequireDevice(t, "vgem")
	if err := end(export(t, d, dumb(t, d).Handle)); err != nil {
		t.Errorf("vgem: %v", err)
	}
	if linux61(t) {
		t.Log("NOT TESTED: udmabuf, which this kernel lacks")
		return
	}
	if err := end(udmabuf(t, 4096)); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("udmabuf: %v, want EINVAL", err)
	}
}

// TestWindowForgotten passes if a window that nobody ended keeps the buffer's
// descriptor open, which is what drmtest.CheckLeaks reports.
//
// Case D04
func TestWindowForgotten(t *testing.T) {
	guard(t)
	count := func() int {
		fds, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(fds)
	}
	before := count()
	b := anyBuffer(t)
	w, err := b.BeginAccess(t.Context(), prime.Read)
	if err != nil {
		t.Fatal(err)
	}
	with := count()
	shut(t, b)
	if got := count(); got != with || got <= before {
		t.Errorf("%d descriptors with the window open, %d after Close, %d before", with, got, before)
	}
	if err := w.End(); err != nil {
		t.Error(err)
	}
	if got := count(); got >= with {
		t.Errorf("%d descriptors after End, %d with the window", got, with)
	}
}

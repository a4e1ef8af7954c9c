package prime_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/drm/ioctl"
	"github.com/gemtool/gemtool/prime"
	"github.com/gemtool/gemtool/prime/internal/uapi"
)

// vgem returns the device, an object of it and its buffer.
func vgem(t *testing.T) (*drm.Device, drm.Dumb, *prime.Buffer) {
	t.Helper()
	d := drmtest.RequireDevice(t, "vgem")
	o := dumb(t, d)
	return d, o, export(t, d, o.Handle)
}

func exportSync(t *testing.T, b *prime.Buffer, a prime.Access) *prime.SyncFile {
	t.Helper()
	s, err := b.ExportSyncFile(a)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// TestDMABufSyncFile passes if fences of a buffer come out of it and go into
// another as IGT's dmabuf_sync_file has it.
//
// Cases D12, D13, D15, D16, D20
func TestDMABufSyncFile(t *testing.T) {
	t.Run("export-basic", func(t *testing.T) {
		guard(t)
		d, o, b := vgem(t)
		wantSignaled(t, "idle, read", exportSync(t, b, prime.Read), true)
		wantSignaled(t, "idle, write", exportSync(t, b, prime.Write), true)
		f := drmtest.AttachFence(t, d, o.Handle, false)
		wantSignaled(t, "while reading, read", exportSync(t, b, prime.Read), true)
		wantSignaled(t, "while reading, write", exportSync(t, b, prime.Write), false)
		f.Signal(t)
		f = drmtest.AttachFence(t, d, o.Handle, true)
		wantSignaled(t, "while writing, read", exportSync(t, b, prime.Read), false)
		wantSignaled(t, "while writing, write", exportSync(t, b, prime.Write), false)
		f.Signal(t)
	})
	t.Run("export-before-signal", func(t *testing.T) {
		guard(t)
		d, o, b := vgem(t)
		f := drmtest.AttachFence(t, d, o.Handle, true)
		s := exportSync(t, b, prime.Write)
		wantSignaled(t, "before", s, false)
		f.Signal(t)
		wantSignaled(t, "after", s, true)
	})
	t.Run("export-multiwait", func(t *testing.T) {
		guard(t)
		d, o, b := vgem(t)
		f := drmtest.AttachFence(t, d, o.Handle, true)
		all := []*prime.SyncFile{exportSync(t, b, prime.Read), exportSync(t, b, prime.Write), exportSync(t, b, prime.ReadWrite)}
		for _, s := range all {
			wantSignaled(t, "before", s, false)
		}
		f.Signal(t)
		for _, s := range all {
			if err := s.Wait(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
	t.Run("export-wait-after-attach", func(t *testing.T) {
		guard(t)
		d, o, b := vgem(t)
		first := drmtest.AttachFence(t, d, o.Handle, false)
		old := exportSync(t, b, prime.Write)
		second := drmtest.AttachFence(t, d, o.Handle, false)
		fresh := exportSync(t, b, prime.Write)
		first.Signal(t)
		// vgem's fences are one timeline each: the old snapshot has the first.
		if err := old.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		wantSignaled(t, "the later snapshot", fresh, false)
		second.Signal(t)
		wantSignaled(t, "the later snapshot, after", fresh, true)
	})
	// What follows takes sw_sync, as IGT does; TestImportSyncFile does not.
	for _, test := range []struct {
		name      string
		timelines int
		first     []prime.Access // of the first, one after the other; the others read
	}{
		{"import-basic", 1, []prime.Access{prime.Read, prime.Write}},
		{"import-multiple-read-only", 32, []prime.Access{prime.Read}},
		{"import-multiple-read-write", 32, []prime.Access{prime.Write}},
	} {
		t.Run(test.name, func(t *testing.T) {
			guard(t)
			newSWTimeline(t) // or skip
			for _, driver := range []string{"vgem", "vkms"} {
				d := drmtest.RequireDevice(t, driver)
				b := export(t, d, dumb(t, d).Handle)
				for _, first := range test.first {
					importMany(t, driver, b, test.timelines, first)
				}
			}
		})
	}
}

// importMany checks that fences of many timelines keep a buffer busy for those
// that they matter to until the last is signaled.
func importMany(t *testing.T, name string, b *prime.Buffer, timelines int, access prime.Access) {
	t.Helper()
	writes := access == prime.Write
	var all []swTimeline
	for i := range timelines {
		tl := newSWTimeline(t)
		all = append(all, tl)
		if err := b.ImportSyncFile(tl.fence(t, 1), access); err != nil {
			t.Fatal(err)
		}
		access = prime.Read
		wantIdle(t, fmt.Sprintf("%s: %d imported", name, i+1), b, !writes, false)
	}
	read, write := exportSync(t, b, prime.Read), exportSync(t, b, prime.Write)
	for i, tl := range all {
		wantIdle(t, fmt.Sprintf("%s: %d signaled", name, i), b, !writes || i > 0, false)
		wantSignaled(t, name+": for reading", read, !writes || i > 0)
		wantSignaled(t, name+": for writing", write, false)
		tl.inc(t, 1)
	}
	wantIdle(t, name+": all signaled", b, true, true)
	wantSignaled(t, name+": for writing", write, true)
}

// TestImportSyncFile passes if a fence of vgem's makes a buffer of another
// device busy until it is signaled.
//
// Case D17
func TestImportSyncFile(t *testing.T) {
	guard(t)
	for _, driver := range []string{"vgem", "vkms"} {
		d, o, b := vgem(t)
		other := drmtest.RequireDevice(t, driver)
		target := export(t, other, dumb(t, other).Handle)
		for _, access := range []prime.Access{prime.Read, prime.Write, prime.ReadWrite} {
			f := drmtest.AttachFence(t, d, o.Handle, true)
			if err := target.ImportSyncFile(exportSync(t, b, prime.Read), access); err != nil {
				t.Fatal(err)
			}
			wantIdle(t, driver+": "+access.String()+" imported", target, access == prime.Read, false)
			f.Signal(t)
			wantIdle(t, driver+": "+access.String()+" signaled", target, true, true)
		}
	}
}

// TestSyncFileRefused passes if what is no access, no sync_file or closed is
// refused, and the library does not ask the kernel what it knows.
//
// Case D18
func TestSyncFileRefused(t *testing.T) {
	guard(t)
	_, _, b := vgem(t)
	s := exportSync(t, b, prime.Read)
	for _, access := range []prime.Access{0, 4, 8, 0x81} {
		if _, err := b.ExportSyncFile(access); !errors.Is(err, prime.ErrRange) {
			t.Errorf("export for %v: %v, want ErrRange", access, err)
		}
		if err := b.ImportSyncFile(s, access); !errors.Is(err, prime.ErrRange) {
			t.Errorf("import for %v: %v, want ErrRange", access, err)
		}
		if err := b.Wait(t.Context(), access); !errors.Is(err, prime.ErrRange) {
			t.Errorf("wait for %v: %v, want ErrRange", access, err)
		}
	}
	// The kernel's own view of the same.
	raw := func(op string, call func(flags uint32, fd int32) error, flags uint32, fd int32) {
		if err := call(flags, fd); err != syscall.EINVAL {
			t.Errorf("%s with flags %#x and descriptor %d: %v, want EINVAL", op, flags, fd, err)
		}
	}
	f, err := b.File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	dmabuf, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	fd := ioctl.NewFD(dmabuf)
	defer fd.Close()
	sf, err := s.File()
	if err != nil {
		t.Fatal(err)
	}
	defer sf.Close()
	eventfd, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(eventfd)
	rawExport := func(flags uint32, _ int32) error {
		return uapi.OpExportSyncFile.Do(fd, &uapi.DMABufExportSyncFile{Flags: flags})
	}
	rawImport := func(flags uint32, n int32) error {
		return uapi.OpImportSyncFile.Do(fd, &uapi.DMABufImportSyncFile{Flags: flags, FD: n})
	}
	for _, flags := range []uint32{0, 4 | 1, 8, 1 << 31} {
		raw("EXPORT", rawExport, flags, 0)
		raw("IMPORT", rawImport, flags, int32(sf.Fd()))
	}
	for _, n := range []int{dmabuf, -1, eventfd} {
		raw("IMPORT", rawImport, 1, int32(n))
	}
	if _, err := prime.SyncFileFromFile(f); !errors.Is(err, prime.ErrNotSyncFile) {
		t.Errorf("a dma-buf as a sync_file: %v, want ErrNotSyncFile", err)
	}
	b.Close()
	s.Close()
	for name, err := range map[string]error{
		"ImportSyncFile": b.ImportSyncFile(s, prime.Read), "buffer's Wait": b.Wait(t.Context(), prime.Read),
		"Wait": s.Wait(t.Context()), "SetDeadline": s.SetDeadline(time.Now()), "Close": s.Close(),
	} {
		if !errors.Is(err, prime.ErrClosed) {
			t.Errorf("%s after Close: %v, want ErrClosed", name, err)
		}
	}
	if _, err := s.Info(); !errors.Is(err, prime.ErrClosed) {
		t.Errorf("Info after Close: %v, want ErrClosed", err)
	}
	if _, err := b.ExportSyncFile(prime.Read); !errors.Is(err, prime.ErrClosed) {
		t.Errorf("ExportSyncFile after Close: %v, want ErrClosed", err)
	}
}

// TestSyncFileInfo passes if fences are told as they are, with room for one or
// for many, merged or not.
//
// Case D22
func TestSyncFileInfo(t *testing.T) {
	guard(t)
	d, o, b := vgem(t)
	idle, err := exportSync(t, b, prime.Write).Info()
	if err != nil || idle.Status != prime.FenceSignaled || len(idle.Fences) != 1 || idle.Fences[0].Status != prime.FenceSignaled {
		t.Errorf("of an idle buffer: %+v, %v", idle, err)
	}
	// More fences than there is room for at first.
	var fences []drmtest.Fence
	before := drm.Monotonic()
	for range 9 {
		fences = append(fences, drmtest.AttachFence(t, d, o.Handle, false))
	}
	s := exportSync(t, b, prime.Write)
	info, err := s.Info()
	if err != nil {
		t.Fatal(err)
	}
	if info.Status != prime.FenceActive || len(info.Fences) != len(fences) {
		t.Errorf("%+v: want %d active fences", info, len(fences))
	}
	for _, f := range info.Fences {
		if f.Driver != "vgem" || f.Status != prime.FenceActive || f.Time != 0 {
			t.Errorf("%+v: want an active fence of vgem", f)
		}
	}
	fences[3].Signal(t)
	info, err = s.Info()
	if err != nil {
		t.Fatal(err)
	}
	if info.Status != prime.FenceActive {
		t.Errorf("with one of 9 signaled: %v", info.Status)
	}
	for i, f := range fences {
		if i != 3 {
			f.Signal(t)
		}
	}
	info, err = s.Info()
	if err != nil || info.Status != prime.FenceSignaled {
		t.Errorf("all signaled: %+v, %v", info, err)
	}
	for _, f := range info.Fences {
		if f.Status != prime.FenceSignaled || f.Time < before || f.Time > drm.Monotonic() {
			t.Errorf("%+v: want it signaled between %v and now", f, before)
		}
	}
	// The kernel's own view: too little room is EINVAL.
	f, err := s.File()
	if err != nil {
		t.Fatal(err)
	}
	n, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	fd := ioctl.NewFD(n)
	defer fd.Close()
	count := uapi.SyncFileInfo{}
	if err := uapi.OpFileInfo.Do(fd, &count); err != nil || int(count.NumFences) != len(info.Fences) {
		t.Errorf("count: %d, %v", count.NumFences, err)
	}
	if count.NumFences > 1 {
		if err := uapi.OpFileInfo.Do(fd, &uapi.SyncFileInfo{NumFences: count.NumFences - 1}); err != syscall.EINVAL {
			t.Errorf("room for one less: %v, want EINVAL", err)
		}
	}
}

// TestSyncFileInfoHostile passes if whatever a kernel answers ends in a result
// or an error.
func TestSyncFileInfoHostile(t *testing.T) {
	drmtest.CheckLeaks(t)
	p := newFence(t)
	var room []uint32
	var errno syscall.Errno
	var count uint32
	drmtest.Intercept(t, func(c drmtest.Call) (syscall.Errno, bool) {
		if c.Request != uapi.OpFileInfo.Request() {
			return 0, false
		}
		arg := drmtest.Arg[uapi.SyncFileInfo](c)
		room = append(room, arg.NumFences)
		if arg.NumFences > 0 && arg.NumFences < count {
			return errno, true
		}
		arg.NumFences = count
		for i := range arg.Name {
			arg.Name[i] = 0x1b // without a NUL
		}
		return 0, true
	})
	n, err := unix.FcntlInt(uintptr(p.r), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	s := syncFile(t, n)
	for _, test := range []struct {
		errno syscall.Errno
		count uint32
		want  error
		room  []uint32
	}{
		{syscall.EINVAL, 2, nil, []uint32{4}},
		{syscall.EINVAL, 9, nil, []uint32{4, 0, 9}},
		{syscall.EINVAL, 1 << 31, prime.ErrRange, []uint32{4, 0}},
		{syscall.ENOMEM, 9, syscall.ENOMEM, []uint32{4}},
	} {
		room, errno, count = nil, test.errno, test.count
		info, err := s.Info()
		if !errors.Is(err, test.want) || !slices.Equal(room, test.room) {
			t.Errorf("%d fences: %v, asked with room for %v", test.count, err, room)
		}
		if err == nil && (len(info.Fences) != int(test.count) || info.Name != strings.Repeat("\x1b", 32)) {
			t.Errorf("%d fences: %d, name %q", test.count, len(info.Fences), info.Name)
		}
	}
	if got := prime.FenceStatus(-int32(syscall.EIO)); !errors.Is(got.Err(), syscall.EIO) || got.String() != "failed: input/output error" {
		t.Errorf("%v, %v", got, got.Err())
	}
}

// TestSyncFileMerge passes if the merge waits for both, and has a name that
// the kernel keeps.
func TestSyncFileMerge(t *testing.T) {
	guard(t)
	d, o, b := vgem(t)
	second := dumb(t, d)
	b2 := export(t, d, second.Handle)
	f1, f2 := drmtest.AttachFence(t, d, o.Handle, true), drmtest.AttachFence(t, d, second.Handle, true)
	merged, err := exportSync(t, b, prime.Read).Merge("both of them", exportSync(t, b2, prime.Read))
	if err != nil {
		t.Fatal(err)
	}
	defer merged.Close()
	if info, err := merged.Info(); err != nil || info.Name != "both of them" || len(info.Fences) != 2 {
		t.Errorf("%+v, %v", info, err)
	}
	f1.Signal(t)
	wantSignaled(t, "one of two", merged, false)
	f2.Signal(t)
	wantSignaled(t, "both", merged, true)
	for _, name := range []string{strings.Repeat("x", 32), "a\x00b"} {
		if _, err := merged.Merge(name, merged); !errors.Is(err, prime.ErrRange) {
			t.Errorf("name %q: %v, want ErrRange", name, err)
		}
	}
	closed := exportSync(t, b, prime.Read)
	closed.Close()
	if _, err := merged.Merge("", closed); !errors.Is(err, prime.ErrClosed) {
		t.Errorf("with a closed one: %v, want ErrClosed", err)
	}
}

// TestSyncFileDeadline passes if a deadline is taken, or not supported before
// Linux 6.4.
func TestSyncFileDeadline(t *testing.T) {
	guard(t)
	d, o, b := vgem(t)
	f := drmtest.AttachFence(t, d, o.Handle, true)
	defer f.Signal(t)
	s := exportSync(t, b, prime.Read)
	for _, at := range []time.Time{time.Now().Add(time.Millisecond), time.Now(), {}, time.Unix(1<<40, 0)} {
		err := s.SetDeadline(at)
		if linux61(t) {
			if !errors.Is(err, prime.ErrNotSupported) || !errors.Is(err, syscall.ENOTTY) {
				t.Errorf("%v: %v, want ErrNotSupported and ENOTTY", at, err)
			}
		} else if err != nil {
			t.Errorf("%v: %v", at, err)
		}
	}
}

// TestSyncFileWait passes if 64 goroutines that wait for one fence on one
// sync_file, and as many on the buffer, wake with its signal, and nothing is
// left.
//
// Case D24
func TestSyncFileWait(t *testing.T) {
	guard(t)
	d, o, b := vgem(t)
	f := drmtest.AttachFence(t, d, o.Handle, true)
	s := exportSync(t, b, prime.Read)
	goroutines := settled(0)
	var wg sync.WaitGroup
	errs := make(chan error, 128)
	for range 64 {
		wg.Go(func() { errs <- s.Wait(t.Context()) })
		wg.Go(func() { errs <- b.Wait(t.Context(), prime.Write) })
	}
	time.Sleep(50 * time.Millisecond)
	if len(errs) > 0 {
		t.Fatalf("%d ended before the signal", len(errs))
	}
	start := time.Now()
	f.Signal(t)
	wg.Wait()
	t.Logf("128 waiters woke within %v", time.Since(start))
	close(errs)
	for err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	if n := settled(goroutines); n > goroutines {
		t.Errorf("%d goroutines, %d before", n, goroutines)
	}
}

// TestFenceExpires passes if a fence that nobody signals lets a waiter go when
// vgem gives up on it, after ten seconds.
//
// Case D10
func TestFenceExpires(t *testing.T) {
	guard(t)
	d, o, b := vgem(t)
	id, err := attachRaw(d, vgemAttach{Handle: uint32(o.Handle), Flags: 1})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if err := b.Wait(t.Context(), prime.Read); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took < 9*time.Second || took > 20*time.Second {
		t.Errorf("let go after %v", took)
	}
	if err := opVgemSignal.Do(d.FD(), &vgemSignal{Fence: id}); err != syscall.ETIMEDOUT {
		t.Errorf("signal of an expired fence: %v, want ETIMEDOUT", err)
	}
}

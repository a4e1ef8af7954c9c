package prime_test

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"os"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/prime"
)

// TestUdmabufSizes passes if sizes are rounded up to pages, and one beyond
// the module's limit is refused with the limit's name.
func TestUdmabufSizes(t *testing.T) {
	guard(t)
	page := uint64(os.Getpagesize())
	for size, want := range map[uint64]uint64{1: page, page: page, page + 1: 2 * page, 1<<20 - 1: 1 << 20} {
		b := udmabuf(t, size)
		if b.Size() != want {
			t.Errorf("%d bytes: got %d, want %d", size, b.Size(), want)
		}
	}
	text, err := os.ReadFile("/sys/module/udmabuf/parameters/size_limit_mb")
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("this kernel does not show udmabuf's limit")
	}
	if err != nil {
		t.Fatal(err)
	}
	mib, ok := prime.ParseParameter(string(text))
	if !ok {
		t.Fatalf("limit %q", text)
	}
	limit := mib << 20
	udmabuf(t, limit)
	_, err = prime.NewUdmabuf(limit + 1)
	if !errors.Is(err, prime.ErrRange) {
		t.Errorf("%d bytes: %v, want ErrRange", limit+1, err)
	}
	t.Logf("beyond the limit: %v", err)
}

// TestPermission passes if a device that another user may not open is a
// result of its own.
func TestPermission(t *testing.T) {
	guard(t)
	udmabuf(t, 4096)
	if os.Geteuid() != 0 {
		t.Skip("only root can become another user")
	}
	// Of this thread only.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Setfsuid(1000); err != nil {
		t.Fatal(err)
	}
	defer unix.Setfsuid(0)
	_, err := prime.NewUdmabuf(4096)
	if !errors.Is(err, prime.ErrPermission) || !errors.Is(err, syscall.EACCES) || errors.Is(err, prime.ErrNotSupported) {
		t.Errorf("NewUdmabuf: %v, want ErrPermission and EACCES", err)
	}
	heaps, err := prime.Heaps()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range heaps {
		if _, err := prime.NewHeap(name, 4096); !errors.Is(err, prime.ErrPermission) {
			t.Errorf("NewHeap %s: %v, want ErrPermission", name, err)
		}
	}
}

// TestHeapSizes passes if a heap rounds up to pages, and more than all memory
// is refused: asked for it, the kernel kills this process.
func TestHeapSizes(t *testing.T) {
	guard(t)
	heaps, err := prime.Heaps()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(heaps, "system") {
		if drmtest.InVM() && !linux61(t) {
			t.Fatalf("this VM has no system heap, only %q", heaps)
		}
		t.Skip("no system heap on this machine: run in the VM (make test)")
	}
	b, err := prime.NewHeap("system", 1)
	if errors.Is(err, prime.ErrPermission) {
		t.Skipf("%v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if b.Size() != uint64(os.Getpagesize()) {
		t.Errorf("1 byte: got %d", b.Size())
	}
	b.Close()
	if _, err := prime.NewHeap("system", math.MaxInt-uint64(os.Getpagesize())); !errors.Is(err, prime.ErrRange) {
		t.Errorf("more than all memory: %v, want ErrRange", err)
	}
}

// TestDescriptorsExhausted passes if whatever comes first to find no
// descriptor left is EMFILE, leaves nothing, and the next try works.
func TestDescriptorsExhausted(t *testing.T) {
	guard(t)
	d := drmtest.RequireDevice(t, "vgem")
	o := dumb(t, d)
	b := anyBuffer(t)
	fenced := export(t, d, o.Handle)
	fence := drmtest.AttachFence(t, d, o.Handle, true)
	defer fence.Signal(t)
	f, err := b.File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	closer := func(b *prime.Buffer, err error) error {
		if err == nil {
			b.Close()
		}
		return err
	}
	for _, test := range []struct {
		name  string
		needs int // descriptors at once
		call  func() error
	}{
		{"Dup", 1, func() error { return closer(b.Dup()) }},
		{"FromFile", 1, func() error { return closer(prime.FromFile(f)) }},
		{"Export", 1, func() error { return closer(prime.Export(d, o.Handle)) }},
		{"NewUdmabuf", 3, func() error { return closer(prime.NewUdmabuf(4096)) }},
		{"NewHeap", 2, func() error { return closer(prime.NewHeap("system", 4096)) }},
		{"BeginAccess", 1, func() error {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			_, err := fenced.BeginAccess(ctx, prime.Read)
			if errors.Is(err, context.DeadlineExceeded) {
				return nil // it got what it needs for waiting
			}
			return err
		}},
	} {
		for left := range test.needs + 1 {
			err := withDescriptors(t, left, test.call)
			if (!drmtest.InVM() || linux61(t)) && (errors.Is(err, prime.ErrNotSupported) || errors.Is(err, prime.ErrPermission)) {
				t.Logf("left out: %v", err)
				break
			}
			if left < test.needs && !errors.Is(err, syscall.EMFILE) {
				t.Errorf("%s with %d descriptors left: %v, want EMFILE", test.name, left, err)
			}
			if left == test.needs && err != nil {
				t.Errorf("%s with %d descriptors left: %v", test.name, left, err)
			}
		}
	}
}

// withDescriptors calls f with so many descriptors left.
func withDescriptors(t *testing.T, left int, f func() error) error {
	t.Helper()
	// The runtime's poller has its own by now.
	free, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	unix.Close(free)
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	limit := old
	limit.Cur = uint64(free + left)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &old); err != nil {
			t.Fatal(err)
		}
	}()
	return f()
}

//go:build linux

package ioctl_test

import (
	"errors"
	"os"
	"runtime"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/drm/ioctl"
)

type arg struct{ out uint32 }

var opTest = ioctl.ReadWrite[arg]("TEST", 'd', 0xff)

// openNull returns a descriptor that takes no ioctl of type 'd'.
func openNull(t *testing.T) *ioctl.FD {
	t.Helper()
	n, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	fd := ioctl.NewFD(n)
	t.Cleanup(func() { fd.Close() })
	return fd
}

// TestNumbers passes if request numbers are those that a C compiler makes of
// the macros in <asm-generic/ioctl.h>.
func TestNumbers(t *testing.T) {
	for _, test := range []struct {
		name      string
		got, want uint32
	}{
		{"_IO('d', 0x1e)", ioctl.None("", 'd', 0x1e).Request(), 0x0000641e},
		{"_IOR('d', 0x02, 4 bytes)", ioctl.Read[uint32]("", 'd', 0x02).Request(), 0x80046402},
		{"_IOW('d', 0x09, 8 bytes)", ioctl.Write[uint64]("", 'd', 0x09).Request(), 0x40086409},
		{"_IOWR('d', 0xb2, 32 bytes)", ioctl.ReadWrite[[32]byte]("", 'd', 0xb2).Request(), 0xc02064b2},
	} {
		if test.got != test.want {
			t.Errorf("%s is %#x, want %#x", test.name, test.got, test.want)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("an argument of 16 KiB, whose size does not fit, was declared")
		}
	}()
	ioctl.Read[[1 << 14]byte]("", 'd', 0)
}

// TestRestart passes if EINTR and EAGAIN are retried with the argument as the
// kernel left it, and every other errno is returned at once.
//
// Case K01
func TestRestart(t *testing.T) {
	fd := openNull(t)
	var answers []syscall.Errno
	calls := 0
	drmtest.Intercept(t, func(c drmtest.Call) (syscall.Errno, bool) {
		if c.Request != opTest.Request() {
			return 0, false
		}
		a := drmtest.Arg[arg](c)
		if a.out != uint32(calls) {
			t.Errorf("call %d: out is %d, not what the last call left", calls, a.out)
		}
		calls++
		a.out = uint32(calls)
		return answers[calls-1], true
	})
	for _, test := range []struct {
		answers []syscall.Errno
		calls   int
		want    error
	}{
		{[]syscall.Errno{0}, 1, nil},
		{[]syscall.Errno{syscall.EINTR, syscall.EAGAIN, syscall.EINTR, 0}, 4, nil},
		{[]syscall.Errno{syscall.EINTR, syscall.EINVAL}, 2, syscall.EINVAL},
		{[]syscall.Errno{syscall.EBUSY}, 1, syscall.EBUSY},
		{[]syscall.Errno{syscall.ENOMEM}, 1, syscall.ENOMEM},
		{[]syscall.Errno{syscall.ETIME}, 1, syscall.ETIME},
	} {
		answers, calls = test.answers, 0
		if err := opTest.Do(fd, &arg{}); err != test.want {
			t.Errorf("answers %v: %v, want %v", test.answers, err, test.want)
		}
		if calls != test.calls {
			t.Errorf("answers %v: %d calls, want %d", test.answers, calls, test.calls)
		}
	}
}

// TestKernel passes if the kernel sees the ioctl: one without a handler for
// it answers ENOTTY.
func TestKernel(t *testing.T) {
	if err := opTest.Do(openNull(t), &arg{}); err != syscall.ENOTTY {
		t.Errorf("ioctl on %s: %v, want ENOTTY", os.DevNull, err)
	}
	var n int32
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	w.Write(make([]byte, 123))
	dup, err := unix.Dup(int(r.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	fd := ioctl.NewFD(dup)
	defer fd.Close()
	// FIONREAD's number is 'T', 0x1b without a direction, and it writes.
	fionread := rawRequest(t, 'T', 0x1b)
	if err := fionread(fd, &n); err != nil || n != 123 {
		t.Errorf("FIONREAD: %d, %v, want 123", n, err)
	}
}

// rawRequest issues an old-style ioctl, whose number has no size.
func rawRequest(t *testing.T, typ, nr uint8) func(*ioctl.FD, *int32) error {
	t.Helper()
	return func(fd *ioctl.FD, n *int32) error {
		return fd.Use(func(raw int) error {
			v, err := unix.IoctlGetInt(raw, uint(typ)<<8|uint(nr))
			*n = int32(v)
			return err
		})
	}
}

// TestClosed passes if a closed descriptor's number is never used again, and
// a close during calls waits for their end with giving it back.
//
// Cases H09, H10
func TestClosed(t *testing.T) {
	fd := openNull(t)
	inside := make(chan int)
	leave := make(chan struct{})
	done := make(chan error)
	go func() {
		done <- fd.Use(func(n int) error {
			inside <- n
			<-leave
			// Still ours, although Close has returned.
			_, err := unix.FcntlInt(uintptr(n), unix.F_GETFD, 0)
			return err
		})
	}()
	n := <-inside
	if err := fd.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if err := opTest.Do(fd, &arg{}); err != ioctl.ErrClosed {
		t.Errorf("Do after Close: %v, want ErrClosed", err)
	}
	close(leave)
	if err := <-done; err != nil {
		t.Errorf("the descriptor was closed under a call: %v", err)
	}
	if _, err := unix.FcntlInt(uintptr(n), unix.F_GETFD, 0); err != unix.EBADF {
		t.Errorf("the descriptor is open after the last call: %v", err)
	}
	if err := fd.Close(); err != ioctl.ErrClosed {
		t.Errorf("second Close: %v, want ErrClosed", err)
	}
}

// TestCloseRace passes if, among many goroutines that use and close one
// descriptor, exactly one Close succeeds and no call sees EBADF or another
// file.
func TestCloseRace(t *testing.T) {
	for range 200 {
		fd := openNull(t)
		var wg sync.WaitGroup
		var closes sync.Map
		for i := range 8 {
			wg.Go(func() {
				for {
					err := opTest.Do(fd, &arg{})
					if errors.Is(err, ioctl.ErrClosed) {
						return
					}
					if err != syscall.ENOTTY {
						t.Errorf("Do: %v", err)
						return
					}
					if i%4 == 0 && fd.Close() == nil {
						closes.Store(i, true)
					}
				}
			})
		}
		wg.Wait()
		n := 0
		closes.Range(func(any, any) bool { n++; return true })
		if n != 1 {
			t.Fatalf("%d closes succeeded", n)
		}
	}
}

// TestAllocations passes if a call allocates nothing, neither for its
// argument nor for a pinned buffer.
func TestAllocations(t *testing.T) {
	fd := openNull(t)
	buf := make([]byte, 100)
	if n := testing.AllocsPerRun(100, func() {
		var a arg
		opTest.Do(fd, &a)
	}); n != 0 {
		t.Errorf("Do allocates %v times", n)
	}
	if n := testing.AllocsPerRun(100, func() {
		var pin runtime.Pinner
		if ioctl.Addr(&pin, buf) == 0 {
			t.Error("address 0")
		}
		pin.Unpin()
	}); n != 0 {
		t.Errorf("Addr allocates %v times", n)
	}
	if ioctl.Addr(nil, []byte{}) != 0 {
		t.Error("an empty slice has an address")
	}
}

func BenchmarkDo(b *testing.B) {
	n, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		b.Fatal(err)
	}
	fd := ioctl.NewFD(n)
	defer fd.Close()
	b.ReportAllocs()
	for b.Loop() {
		var a arg
		opTest.Do(fd, &a)
	}
}

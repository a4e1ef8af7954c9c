//go:build amd64 || arm64 || riscv64

package gem_test

import (
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// forked is a process with a copy of this one's mappings. It makes no use of
// the copy of Go's runtime, of which it has one thread only.
type forked struct{ pid int }

// fork starts a child that maps a file so many times and stops.
func fork(t *testing.T, maps int, fd int, offset, size uint64) forked {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	// Handlers of Go's would run in the child, too.
	var all, before unix.Sigset_t
	for i := range all.Val {
		all.Val[i] = ^all.Val[i]
	}
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, &all, &before); err != nil {
		t.Fatal(err)
	}
	pid, errno := forkAndMap(maps, uintptr(fd), uintptr(offset), uintptr(size))
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, &before, nil); err != nil {
		t.Fatal(err)
	}
	if errno != 0 {
		t.Fatalf("clone: %v", errno)
	}
	c := forked{int(pid)}
	if status := c.wait(t, unix.WUNTRACED); !status.Stopped() {
		t.Fatalf("the child did not stop: %#x", status)
	}
	return c
}

//go:noinline
//go:norace
func forkAndMap(maps int, fd, offset, size uintptr) (pid uintptr, errno unix.Errno) {
	pid, _, errno = unix.RawSyscall6(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
	if errno != 0 || pid != 0 {
		return pid, errno
	}
	for ; maps > 0; maps-- {
		_, _, errno = unix.RawSyscall6(unix.SYS_MMAP, 0, size, unix.PROT_READ, unix.MAP_SHARED, fd, offset)
		if errno != 0 {
			unix.RawSyscall(unix.SYS_EXIT_GROUP, uintptr(errno), 0, 0)
		}
	}
	self, _, _ := unix.RawSyscall(unix.SYS_GETPID, 0, 0, 0)
	unix.RawSyscall(unix.SYS_KILL, self, uintptr(unix.SIGSTOP), 0)
	for {
		unix.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
	}
}

// end has the child go on and exit, or die of a signal, and waits for it.
func (c forked) end(t *testing.T, sig unix.Signal) {
	t.Helper()
	if err := unix.Kill(c.pid, sig); err != nil {
		t.Error(err)
	}
	status := c.wait(t, 0)
	if died := status.Signaled() && status.Signal() == sig; died != (sig == unix.SIGKILL) || !died && status.ExitStatus() != 0 {
		t.Errorf("the child ended with %#x", status)
	}
}

func (c forked) wait(t *testing.T, options int) (status unix.WaitStatus) {
	t.Helper()
	for {
		_, err := unix.Wait4(c.pid, &status, options, nil)
		if err == nil {
			return status
		}
		if err != unix.EINTR {
			t.Fatal(err)
		}
	}
}

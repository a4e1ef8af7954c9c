package conformance

import (
	"errors"
	"fmt"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// fork forks this process as a C program would, without an exec: os/exec
// never copies the memory map. The child does nothing until stop kills it.
func fork(t T) (stop func()) {
	t.Helper()
	runtime.LockOSThread() // the child dies with the thread that made it
	pid, errno := rawFork()
	if errno != 0 {
		runtime.UnlockOSThread()
		t.Fatalf("fork: %v", errno)
	}
	return func() {
		defer runtime.UnlockOSThread()
		_ = unix.Kill(pid, unix.SIGKILL)
		_, _ = reap(pid)
	}
}

// reap waits for the end of a child.
func reap(pid int) (status unix.WaitStatus, err error) {
	for {
		if _, err = unix.Wait4(pid, &status, 0, nil); err != unix.EINTR {
			return status, err
		}
	}
}

// rawFork returns in the parent alone. The child has one thread and no Go
// scheduler: it may only make system calls.
//
//go:norace
//go:nosplit
func rawFork() (pid int, errno syscall.Errno) {
	r, _, errno := syscall.RawSyscall6(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
	if errno != 0 || r != 0 {
		return int(r), errno
	}
	syscall.RawSyscall(unix.SYS_PRCTL, unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0)
	for {
		syscall.RawSyscall6(unix.SYS_PPOLL, 0, 0, 0, 0, 0, 0)
	}
}

// forkMmap has a fork map a file, as soon as ready has done with its process
// what it wants, and returns what the kernel said to that.
func forkMmap(fd int, size, offset uint64, ready func(pid int) error) (errno syscall.Errno, err error) {
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		return 0, err
	}
	defer unix.Close(pipe[0])
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	pid, errno := rawForkMmap(uintptr(fd), uintptr(size), uintptr(offset/offsetUnit), uintptr(pipe[0]), uintptr(pipe[1]))
	if errno != 0 {
		unix.Close(pipe[1])
		return 0, errno
	}
	err = ready(pid)
	if err != nil {
		_ = unix.Kill(pid, unix.SIGKILL)
	}
	unix.Close(pipe[1]) // it goes on
	status, waitErr := reap(pid)
	if err := errors.Join(err, waitErr); err != nil {
		return 0, err
	}
	if !status.Exited() {
		return 0, fmt.Errorf("the fork ended by %#x", status)
	}
	return syscall.Errno(status.ExitStatus()), nil
}

// rawForkMmap is rawFork with a child that waits for the end of a pipe, maps
// and exits with the errno.
//
//go:norace
//go:nosplit
func rawForkMmap(fd, size, offset, wait, write uintptr) (pid int, errno syscall.Errno) {
	r, _, errno := syscall.RawSyscall6(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
	if errno != 0 || r != 0 {
		return int(r), errno
	}
	syscall.RawSyscall(unix.SYS_PRCTL, unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0)
	syscall.RawSyscall(unix.SYS_CLOSE, write, 0, 0)
	syscall.RawSyscall(unix.SYS_READ, wait, 0, 1) // end of file: nothing is written to the address 0
	_, _, errno = syscall.RawSyscall6(sysMmap, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED, fd, offset)
	for {
		syscall.RawSyscall(unix.SYS_EXIT_GROUP, uintptr(errno), 0, 0)
	}
}

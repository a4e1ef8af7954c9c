package command

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm/fdinfo"
	"github.com/gemtool/gemtool/drm/ioctl"
)

// syncDescriptors lists the descriptors of a process that are dma-bufs and
// sync_files. Nothing is opened or taken.
func syncDescriptors(pid int) (fds []int, err error) {
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, traceError(pid, false, err)
	}
	for _, e := range entries {
		n, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if ok, _ := isFenced(pid, n); ok { // what is gone, or not ours to see, is left out
			fds = append(fds, n)
		}
	}
	slices.Sort(fds)
	return fds, nil
}

// isFenced says whether a descriptor of a process is a dma-buf or a sync_file,
// without taking it: to close a duplicate of another file can wait for whoever
// serves its file system, and nothing ends that. Files choose their names; the
// text of a dma-buf and the name that begins without a slash are the kernel's.
func isFenced(pid, n int) (bool, error) {
	target, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", pid, n))
	if err != nil || target == "anon_inode:sync_file" {
		return err == nil, err
	}
	if !strings.HasPrefix(target, "/dmabuf:") {
		return false, nil
	}
	text, err := fdinfo.Default.Read(pid, n)
	if err != nil {
		return false, err
	}
	info, err := fdinfo.Parse(text)
	return err == nil && info.Buffer != nil, nil // a text that is none is no dma-buf's
}

// takeDescriptor duplicates a descriptor of a process; 0 is this one. The name
// in /proc cannot be opened: neither kind of file has an inode that can.
func takeDescriptor(pid, n int) (*ioctl.FD, error) {
	if pid == 0 {
		dup, err := unix.FcntlInt(uintptr(n), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			return nil, usageError("descriptor %d: %w: gemtool was not started with it", n, err)
		}
		return ioctl.NewFD(dup), nil
	}
	process, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return nil, traceError(pid, false, os.NewSyscallError("pidfd_open", err))
	}
	defer unix.Close(process)
	switch ok, err := isFenced(pid, n); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, usageError("process %d has no descriptor %d: %w", pid, n, unix.EBADF)
	case err != nil:
		return nil, traceError(pid, false, err)
	case !ok:
		return nil, usageError("descriptor %d of process %d: %w", n, pid, errNotFenced)
	}
	dup, err := unix.PidfdGetfd(process, n, 0)
	switch {
	case errors.Is(err, unix.EBADF):
		return nil, usageError("process %d has no descriptor %d: %w", pid, n, err)
	case err != nil:
		return nil, traceError(pid, true, os.NewSyscallError("pidfd_getfd", err))
	}
	return ioctl.NewFD(dup), nil
}

// traceError says what is missing. Taking a descriptor is what a debugger may do
// (attach), which Yama can restrict; to list them is less.
//
// Source: ptrace_may_access, yama_ptrace_access_check.
func traceError(pid int, attach bool, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ESRCH):
		return usageError("there is no process %d", pid)
	case errors.Is(err, unix.ENOSYS):
		return fmt.Errorf("%w: descriptors of processes can be had since Linux 5.6", err)
	case !errors.Is(err, fs.ErrPermission):
		return err
	}
	scope := "0"
	if text, err := os.ReadFile("/proc/sys/kernel/yama/ptrace_scope"); attach && err == nil { // a kernel without Yama has none
		scope = strings.TrimSpace(string(text))
	}
	what := "take the capability CAP_SYS_PTRACE, as kernel.yama.ptrace_scope is " + scope
	switch scope {
	case "0":
		what = "take being its user, or the capability CAP_SYS_PTRACE"
	case "3":
		what = "can be had by nobody, as kernel.yama.ptrace_scope is 3"
	}
	return &exitError{ExitNothing, fmt.Errorf("the descriptors of process %d %s: %w", pid, what, err)}
}

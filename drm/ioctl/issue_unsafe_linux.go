//go:build linux && (386 || amd64 || arm || arm64 || loong64 || riscv64)

package ioctl

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// errnoNotSupported is what issue answers where it cannot issue anything; on
// these systems it can, and no kernel answers it.
const errnoNotSupported = ^syscall.Errno(0)

// issue is the only place of the module that issues an ioctl. The conversion
// of arg stands in the argument list of an assembly function, which keeps the
// object alive and in place for the call (rule 4 of package unsafe).
func issue(fd int, request uint32, arg unsafe.Pointer) (result int, errno syscall.Errno) {
	r, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), uintptr(request), uintptr(arg))
	return int(r), errno
}

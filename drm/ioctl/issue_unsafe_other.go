//go:build !(linux && (386 || amd64 || arm || arm64 || loong64 || riscv64))

package ioctl

import (
	"syscall"
	"unsafe"
)

const errnoNotSupported = ^syscall.Errno(0)

func issue(int, uint32, unsafe.Pointer) syscall.Errno { return errnoNotSupported }

func closeFD(int) error { return ErrNotSupported }

//go:build !(linux && (386 || amd64 || arm || arm64 || loong64 || riscv64))

package ioctl

import (
	"syscall"
	"unsafe"
)

const errnoNotSupported = ^syscall.Errno(0)

func issue(int, uint32, unsafe.Pointer) (int, syscall.Errno) { return 0, errnoNotSupported }

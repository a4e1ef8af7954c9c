// Package hook lets package drmtest stand between the library and the kernel.
package hook

import (
	"sync/atomic"
	"syscall"
	"unsafe"
)

// Ioctl, when set, sees every ioctl before the kernel does. If it says done,
// errno is the answer and the kernel is not asked.
var Ioctl atomic.Pointer[func(fd int, request uint32, arg unsafe.Pointer) (errno syscall.Errno, done bool)]

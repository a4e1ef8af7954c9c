package drmtest

import (
	"syscall"
	"unsafe"

	"github.com/gemtool/gemtool/drm/internal/hook"
)

// Call is an ioctl on its way to the kernel.
type Call struct {
	FD      int
	Request uint32
	arg     unsafe.Pointer
}

// Arg returns the argument of a call as a T, for the handler to read and
// write while it runs. T must be the type that the caller issued.
func Arg[T any](c Call) *T { return (*T)(c.arg) }

// Intercept shows every ioctl of the process to handler before the kernel
// sees it, until the test ends. If handler says done, errno is the answer, 0
// for success, and the kernel is not asked. Handler runs on the goroutine that
// issues the call. Tests that intercept cannot run in parallel.
func Intercept(t TB, handler func(c Call) (errno syscall.Errno, done bool)) {
	t.Helper()
	h := func(fd int, request uint32, arg unsafe.Pointer) (syscall.Errno, bool) {
		return handler(Call{FD: fd, Request: request, arg: arg})
	}
	if !hook.Ioctl.CompareAndSwap(nil, &h) {
		t.Fatalf("drmtest.Intercept: another test intercepts already")
	}
	t.Cleanup(func() { hook.Ioctl.Store(nil) })
}

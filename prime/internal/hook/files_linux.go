package hook

import (
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// Files, when set, stands in for the system calls on dma-bufs that are no
// ioctls, so that a memfd can pass for one.
var Files atomic.Pointer[FileCalls]

// FileCalls are all to be set.
type FileCalls struct {
	DMABuf func(fd int) bool
	Mmap   func(fd int, offset int64, size, prot, flags int) ([]byte, error)
}

// DMABuf says whether descriptor fd passes for a dma-buf.
func DMABuf(fd int) bool {
	f := Files.Load()
	return f != nil && f.DMABuf(fd)
}

// Mmap is mmap(2) of a dma-buf.
func Mmap(fd int, offset int64, size, prot, flags int) ([]byte, error) {
	if f := Files.Load(); f != nil {
		return f.Mmap(fd, offset, size, prot, flags)
	}
	return unix.Mmap(fd, offset, size, prot, flags)
}

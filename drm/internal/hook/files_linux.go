package hook

import (
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm/internal/quarantine"
)

// Files, when set, stands in for the system calls on DRM nodes that are no
// ioctls, so that a memfd can pass for a node.
var Files atomic.Pointer[FileCalls]

// FileCalls are all to be set.
type FileCalls struct {
	Node   func(fd int) (rdev uint64, ok bool)
	Mmap   func(fd int, offset int64, size, prot, flags int) ([]byte, error)
	Munmap func(b []byte) error
}

// Node says whether descriptor fd passes for the node of a device number.
func Node(fd int) (rdev uint64, ok bool) {
	if f := Files.Load(); f != nil {
		return f.Node(fd)
	}
	return 0, false
}

// Mmap is mmap(2) of a node.
func Mmap(fd int, offset int64, size, prot, flags int) ([]byte, error) {
	if f := Files.Load(); f != nil {
		return f.Mmap(fd, offset, size, prot, flags)
	}
	return unix.Mmap(fd, offset, size, prot, flags)
}

// Munmap is munmap(2) of what Mmap returned, here or in package prime.
func Munmap(b []byte) error {
	if f := Files.Load(); f != nil {
		return f.Munmap(b)
	}
	return quarantine.Munmap(b)
}

package conformance

import (
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm/ioctl"
)

// punch unmaps a part of a mapping.
func punch(part []byte) error {
	_, _, errno := unix.Syscall(unix.SYS_MUNMAP, uintptr(unsafe.Pointer(unsafe.SliceData(part))), uintptr(len(part)), 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// setName names a dma-buf. The argument of this ioctl is the text itself,
// though its number has the size of a pointer to it.
func setName(fd *ioctl.FD, name string) error {
	text := make([]byte, len(name)+64)
	copy(text, name)
	return rawOpSetName.Do(fd, (*uintptr)(unsafe.Pointer(unsafe.SliceData(text))))
}

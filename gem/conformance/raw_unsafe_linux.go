package conformance

import (
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm/ioctl"
)

// rawMmap maps a part of an object in ways that the library does not.
// unix.Munmap of the same slice ends the mapping, holes and all.
func rawMmap(fd *ioctl.FD, offset uint64, size, prot, flags int) (m []byte, err error) {
	err = fd.Use(func(n int) (err error) {
		m, err = unix.Mmap(n, int64(offset), size, prot, flags)
		return err
	})
	return m, err
}

// punch unmaps a part of a mapping.
func punch(part []byte) error {
	_, _, errno := unix.Syscall(unix.SYS_MUNMAP, uintptr(unsafe.Pointer(unsafe.SliceData(part))), uintptr(len(part)), 0)
	if errno != 0 {
		return errno
	}
	return nil
}

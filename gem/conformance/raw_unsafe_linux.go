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

// udmabufOf makes a dma-buf of many parts, which are all the start of mem. The
// ioctl's number has the size of the list without its items.
func udmabufOf(mem, parts int, size uint64) (fd int, err error) {
	node, err := unix.Open("/dev/udmabuf", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	dev := ioctl.NewFD(node)
	defer dev.Close()
	list := make([]rawUdmabufItem, 1+parts)
	head := (*rawUdmabufList)(unsafe.Add(unsafe.Pointer(&list[1]), -int(unsafe.Sizeof(rawUdmabufList{}))))
	*head = rawUdmabufList{flags: 1, count: uint32(parts)}
	for i := range parts {
		list[1+i] = rawUdmabufItem{memfd: uint32(mem), size: size}
	}
	return rawOpUdmabufList.Call(dev, head)
}

// interruptible takes SA_RESTART from Go's handler of a signal until undo, so
// that the kernel ends waits with EINTR, as it does in programs that embed Go.
func interruptible(sig unix.Signal) (undo func() error, err error) {
	// struct sigaction of the system call: the handler, the flags, and what
	// follows, which differs.
	type action struct {
		handler, flags uintptr
		rest           [64]byte
	}
	const restart, maskSize = 0x10000000, 8
	call := func(set, get *action) error {
		_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(set)), uintptr(unsafe.Pointer(get)), maskSize, 0, 0)
		if errno != 0 {
			return errno
		}
		return nil
	}
	var old action
	if err := call(nil, &old); err != nil {
		return nil, err
	}
	changed := old
	changed.flags &^= restart
	if err := call(&changed, nil); err != nil {
		return nil, err
	}
	return func() error { return call(&old, nil) }, nil
}

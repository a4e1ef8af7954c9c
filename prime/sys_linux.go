package prime

import (
	"os"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/ioctl"
	"github.com/gemtool/gemtool/prime/internal/hook"
)

// dmaBufMagic is DMA_BUF_MAGIC of <linux/magic.h>, the type of the file
// system that dma-bufs live on.
const dmaBufMagic = 0x444d4142

func inspect(n int) (attr, error) {
	var fs unix.Statfs_t
	if err := retry(func() error { return unix.Fstatfs(n, &fs) }); err != nil {
		return attr{}, err
	}
	if fs.Type != dmaBufMagic && !hook.DMABuf(n) {
		return attr{}, nil
	}
	var st unix.Stat_t
	if err := unix.Fstat(n, &st); err != nil {
		return attr{}, err
	}
	// A dma-buf has no position that this could move.
	size, err := unix.Seek(n, 0, unix.SEEK_END)
	if err != nil {
		return attr{}, err
	}
	flags, err := unix.FcntlInt(uintptr(n), unix.F_GETFL, 0)
	if err != nil {
		return attr{}, err
	}
	a := attr{dmabuf: true, size: uint64(size), inode: uint64(st.Ino)}
	switch flags & unix.O_ACCMODE {
	case unix.O_RDONLY:
		a.mode = Read
	case unix.O_WRONLY:
		a.mode = Write
	case unix.O_RDWR:
		a.mode = ReadWrite
	}
	return a, nil
}

func dup(n int) (int, error) { return unix.FcntlInt(uintptr(n), unix.F_DUPFD_CLOEXEC, 0) }

func mmap(n, size int, mode Access) (b []byte, err error) {
	prot := 0
	if mode&Read != 0 {
		prot |= unix.PROT_READ
	}
	if mode&Write != 0 {
		prot |= unix.PROT_WRITE
	}
	// Linux 6.1 takes a lock interruptibly here.
	err = retry(func() error {
		b, err = hook.Mmap(n, 0, size, prot, unix.MAP_SHARED)
		return err
	})
	return b, err
}

// munmap leaves it to package drm, where a debug build keeps the addresses.
func munmap(b []byte) error { return drm.Munmap(b) }

// pollReady asks, without waiting, whether a dma-buf or sync_file is ready:
// for reading it is when nobody writes, for writing when nobody uses it. An
// error condition counts as ready: the call that follows will say more.
func pollReady(n int, write bool) (bool, error) {
	fds := [1]unix.PollFd{{Fd: int32(n), Events: unix.POLLIN}}
	if write {
		fds[0].Events = unix.POLLOUT
	}
	for {
		ready, err := unix.Poll(fds[:], 0)
		if err != unix.EINTR {
			return ready > 0, err
		}
	}
}

// newPollable takes ownership of n and makes a file of it whose reads wait in
// the runtime's poller.
func newPollable(n int, name string) (*os.File, error) {
	if err := unix.SetNonblock(n, true); err != nil {
		unix.Close(n)
		return nil, err
	}
	return os.NewFile(uintptr(n), name), nil
}

func newEventfd() (*ioctl.FD, error) {
	n, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, err
	}
	return ioctl.NewFD(n), nil
}

// wake makes an eventfd readable.
func wake(fd *ioctl.FD) {
	fd.Use(func(n int) error {
		_, err := unix.Write(n, []byte{7: 1, 0: 1})
		return err
	})
}

// openDevice opens a device that makes buffers.
func openDevice(path string) (n int, err error) {
	err = retry(func() error {
		n, err = unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC|unix.O_NOCTTY, 0)
		return err
	})
	return n, err
}

// newMemfd makes a memory file of the shape that udmabuf asks for: it must not
// be able to shrink under the buffer.
func newMemfd(size uint64) (int, error) {
	const flags = unix.MFD_CLOEXEC | unix.MFD_ALLOW_SEALING
	n, err := unix.MemfdCreate("gemtool", flags|unix.MFD_NOEXEC_SEAL)
	if err == unix.EINVAL {
		// Linux before 6.3 does not know MFD_NOEXEC_SEAL.
		n, err = unix.MemfdCreate("gemtool", flags)
	}
	if err != nil {
		return -1, err
	}
	if _, err = unix.FcntlInt(uintptr(n), unix.F_ADD_SEALS, unix.F_SEAL_SHRINK); err == nil {
		err = retry(func() error { return unix.Ftruncate(n, int64(size)) })
	}
	if err != nil {
		unix.Close(n)
		return -1, err
	}
	return n, nil
}

// checkMemory says why n cannot be the memory of a udmabuf up to byte end.
func checkMemory(n int, end uint64) error {
	seals, err := unix.FcntlInt(uintptr(n), unix.F_GET_SEALS, 0)
	if err == unix.EINVAL {
		return unix.EBADFD // as udmabuf has it: a file without seals
	}
	if err != nil {
		return err
	}
	if seals&unix.F_SEAL_SHRINK == 0 || seals&(unix.F_SEAL_WRITE|unix.F_SEAL_FUTURE_WRITE) != 0 {
		return ErrSeals
	}
	// What is true of a sealed file stays true.
	var st unix.Stat_t
	if err := unix.Fstat(n, &st); err != nil {
		return err
	}
	if end > uint64(st.Size) {
		return ErrRange
	}
	return nil
}

func closeMemfd(n int) { unix.Close(n) }

func memoryTotal() (bytes uint64, ok bool) {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return 0, false
	}
	return uint64(info.Totalram) * uint64(info.Unit), true
}

func retry(f func() error) error {
	for {
		if err := f(); err != unix.EINTR {
			return err
		}
	}
}

// heapFDFlags are those of the descriptor that a heap makes.
const heapFDFlags = unix.O_RDWR | unix.O_CLOEXEC

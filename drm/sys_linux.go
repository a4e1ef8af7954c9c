package drm

import (
	"os"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm/internal/hook"
)

// checkNode looks at a file without opening it.
func checkNode(path string) error {
	_, err := pathRdev(path)
	return err
}

// pathRdev returns the device number of the node at path.
func pathRdev(path string) (uint64, error) {
	var st unix.Stat_t
	if err := retry(func() error { return unix.Stat(path, &st) }); err != nil {
		return 0, err
	}
	return uint64(st.Rdev), checkStat(&st)
}

func checkStat(st *unix.Stat_t) error {
	major := unix.Major(uint64(st.Rdev))
	if st.Mode&unix.S_IFMT != unix.S_IFCHR || major != majorDRM && major != majorAccel {
		return ErrNotDRM
	}
	return nil
}

func openNode(path string) (n int, err error) {
	err = retry(func() error {
		n, err = unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
		return err
	})
	return n, err
}

// statNode looks at the file that was really opened.
func statNode(n int) (rdev uint64, major, minor uint32, err error) {
	if rdev, ok := hook.Node(n); ok {
		return rdev, unix.Major(rdev), unix.Minor(rdev), nil
	}
	var st unix.Stat_t
	if err := unix.Fstat(n, &st); err != nil {
		return 0, 0, 0, err
	}
	if err := checkStat(&st); err != nil {
		return 0, 0, 0, err
	}
	rdev = uint64(st.Rdev)
	return rdev, unix.Major(rdev), unix.Minor(rdev), nil
}

func dupFile(f *os.File) (n int, err error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return -1, err
	}
	ctlErr := raw.Control(func(fd uintptr) {
		n, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0)
	})
	if ctlErr != nil {
		return -1, ErrClosed // the only reason that there is
	}
	return n, err
}

func mmap(n int, offset int64, size int) (b []byte, err error) {
	// Linux 6.1 takes a lock interruptibly here.
	err = retry(func() error {
		b, err = hook.Mmap(n, offset, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		return err
	})
	return b, err
}

func munmap(b []byte) error { return hook.Munmap(b) }

func retry(f func() error) error {
	for {
		if err := f(); err != unix.EINTR {
			return err
		}
	}
}

package drm

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

func sameFile(a, b int) bool {
	same, err := unix.FcntlInt(uintptr(a), unix.F_DUPFD_QUERY, b)
	if err != nil { // EINVAL before Linux 6.10
		const file = 0 // KCMP_FILE
		pid := uintptr(os.Getpid())
		order, _, errno := unix.Syscall6(unix.SYS_KCMP, pid, pid, file, uintptr(a), uintptr(b), 0)
		return errno == 0 && order == 0
	}
	return same == 1
}

// parentOf returns the directory in sysfs of the device that a node is of.
func parentOf(rdev uint64) (string, error) {
	major := unix.Major(rdev)
	n, err := readNode(fmt.Sprintf("/sys/dev/char/%d:%d", major, unix.Minor(rdev)), major)
	return n.parent, err
}

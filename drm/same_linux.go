package drm

import (
	"fmt"
	"os"
	"path/filepath"

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

// parentOf names the device that a node is of: its directory in sysfs, and
// which of those that were there in turn. A device that is unbound while it is
// open, and the next in its slot, have one directory, but the class directory
// between it and the nodes is made anew, with an inode of its own.
func parentOf(rdev uint64) (string, error) {
	major := unix.Major(rdev)
	dir := fmt.Sprintf("/sys/dev/char/%d:%d", major, unix.Minor(rdev))
	n, err := readNode(dir, major)
	if err != nil {
		return "", err
	}
	node, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return "", err
	}
	class := filepath.Dir(node)
	if n.parent == node {
		class = node // a node without a parent is a device of its own
	}
	var st unix.Stat_t
	if err := unix.Stat(class, &st); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s#%d", n.parent, st.Ino), nil
}

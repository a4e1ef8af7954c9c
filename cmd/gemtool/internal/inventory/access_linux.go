package inventory

import (
	"errors"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// May says whether this user may open a node, without opening it, and else
// which group would.
func May(path string) (Access, string) {
	err := unix.Faccessat(unix.AT_FDCWD, path, unix.R_OK|unix.W_OK, unix.AT_EACCESS)
	switch {
	case err == nil:
		return Permitted, ""
	case !errors.Is(err, fs.ErrPermission):
		return Missing, ""
	}
	info, err := os.Stat(path)
	if err != nil {
		return Denied, ""
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || info.Mode().Perm()&0o060 != 0o060 || stat.Gid == 0 {
		return Denied, "" // root alone
	}
	gid := strconv.Itoa(int(stat.Gid))
	if g, err := user.LookupGroupId(gid); err == nil {
		return Denied, g.Name
	}
	return Denied, gid
}

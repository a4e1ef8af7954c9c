package command

import (
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// permissions returns a node's mode, as ls shows it, and its owner and group.
func permissions(path string) (mode, owner string) {
	info, err := os.Stat(path)
	if err != nil {
		return "", ""
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "", ""
	}
	uid, gid := strconv.Itoa(int(stat.Uid)), strconv.Itoa(int(stat.Gid))
	if u, err := user.LookupId(uid); err == nil {
		uid = u.Username
	}
	if g, err := user.LookupGroupId(gid); err == nil {
		gid = g.Name
	}
	return info.Mode().Perm().String(), uid + ":" + gid
}

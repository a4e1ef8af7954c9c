package fdinfo

import (
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// The majors of device nodes: DRM_MAJOR and ACCEL_MAJOR.
const (
	majorDRM   = 226
	majorAccel = 261
)

// Files goes through a process's open files, and yields those of DRM and the
// dma-bufs. Nothing is opened. Files that are closed meanwhile are left out;
// after an error nothing follows.
//
// A dma-buf is known by its name in proc, which a file in somebody's root
// directory may have, too: with [Dir.Read] and [Parse] only a true one has a
// Buffer.
//
// Permissions: to trace the process. Errors: ErrPermission; ErrGone.
func (d Dir) Files(pid int) iter.Seq2[File, error] {
	path := d.path(pid, "fd")
	return func(yield func(File, error) bool) {
		dir, err := os.Open(path)
		if err != nil {
			yield(File{}, newError(path, err))
			return
		}
		defer dir.Close()
		for {
			names, err := dir.Readdirnames(256)
			for _, name := range names {
				if f, ok := d.file(pid, name); ok && !yield(f, nil) {
					return
				}
			}
			if errors.Is(err, io.EOF) || errors.Is(err, fs.ErrNotExist) {
				return
			}
			if err != nil {
				yield(File{}, newError(path, err))
				return
			}
		}
	}
}

// file tells what a descriptor is, and false for others and closed ones.
func (d Dir) file(pid int, name string) (File, bool) {
	fd, err := strconv.Atoi(name)
	if err != nil || fd < 0 {
		return File{}, false
	}
	path := d.path(pid, "fd", name)
	// Not stat, which asks whoever serves a file system, and waits for that.
	var st unix.Statx_t
	if unix.Statx(unix.AT_FDCWD, path, unix.AT_STATX_DONT_SYNC, unix.STATX_TYPE|unix.STATX_INO, &st) != nil {
		return File{}, false
	}
	f := File{FD: fd, Inode: st.Ino}
	if st.Mode&unix.S_IFMT == unix.S_IFCHR {
		f.Kind, f.Rdev = DRM, unix.Mkdev(st.Rdev_major, st.Rdev_minor)
		return f, st.Rdev_major == majorDRM || st.Rdev_major == majorAccel
	}
	f.Kind = DMABuf
	link, err := os.Readlink(path)
	return f, err == nil && strings.HasPrefix(link, "/dmabuf:")
}

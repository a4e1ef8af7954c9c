//go:build linux

package vm

import (
	"bufio"
	"fmt"
	"io/fs"
	"os"
	"path"

	"github.com/u-root/u-root/pkg/cpio"
	"golang.org/x/sys/unix"
)

// image writes an initramfs into a memfd: the kernel unpacks a plain cpio
// archive faster than any compressed one, and no file can be left behind.
type image struct {
	file  *os.File
	buf   *bufio.Writer
	w     cpio.RecordWriter
	names map[string]bool
	ino   uint64
}

func newImage() (*image, error) {
	fd, err := unix.MemfdCreate("gemtool-initramfs", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("initramfs: memfd_create: %w", err)
	}
	im := &image{file: os.NewFile(uintptr(fd), "initramfs"), names: map[string]bool{"/": true}}
	im.buf = bufio.NewWriterSize(im.file, 1<<20)
	im.w = cpio.Newc.Writer(im.buf)
	return im, nil
}

// finish ends the archive; the caller closes the file.
func (im *image) finish() (*os.File, error) {
	err := cpio.WriteTrailer(im.w)
	if err == nil {
		err = im.buf.Flush()
	}
	if err != nil {
		return nil, fmt.Errorf("initramfs: %w", err)
	}
	return im.file, nil
}

// add writes a record and, before it, the directories above it. The first
// record of a name wins.
func (im *image) add(rec cpio.Record) error {
	name := path.Join("/", rec.Name)
	if im.names[name] {
		return nil
	}
	if err := im.dir(path.Dir(name), 0o755); err != nil {
		return err
	}
	im.names[name] = true
	im.ino++
	rec.Name, rec.Ino = name[1:], im.ino
	if err := im.w.WriteRecord(rec); err != nil {
		return fmt.Errorf("initramfs: %s: %w", name, err)
	}
	return nil
}

func (im *image) dir(name string, mode fs.FileMode) error {
	return im.add(cpio.Directory(name, cpioMode(mode)))
}

func (im *image) symlink(name, target string) error {
	return im.add(cpio.Symlink(name, target))
}

func (im *image) text(name, content string) error {
	return im.add(cpio.StaticFile(name, content, 0o644))
}

// copy adds the host's file src as name.
func (im *image) copy(name, src string) error {
	if im.names[path.Join("/", name)] {
		return nil
	}
	f, err := os.Open(src)
	if err != nil {
		return fmt.Errorf("initramfs: %w", err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return fmt.Errorf("initramfs: %w", err)
	}
	if !st.Mode().IsRegular() {
		return fmt.Errorf("initramfs: %s is not a regular file", src)
	}
	return im.add(cpio.Record{ReaderAt: f, Info: cpio.Info{
		Name:     name,
		Mode:     cpio.S_IFREG | cpioMode(st.Mode()),
		FileSize: uint64(st.Size()),
		MTime:    uint64(st.ModTime().Unix()),
	}})
}

// cpioMode is the permission part of a mode, with the sticky bit.
func cpioMode(m fs.FileMode) uint64 {
	mode := uint64(m.Perm())
	if m&fs.ModeSticky != 0 {
		mode |= cpio.S_ISVTX
	}
	return mode
}

// skeleton adds what a kernel and programs expect of a root file system. /tmp
// is part of it and no mount of its own: a program may lie there (a test
// binary of "go test" does), and the root is a tmpfs already.
func (im *image) skeleton() error {
	for _, name := range []string{"/dev", "/proc", "/sys", "/run", "/etc", "/root", "/mnt"} {
		if err := im.dir(name, 0o755); err != nil {
			return err
		}
	}
	if err := im.dir("/tmp", 0o777|fs.ModeSticky); err != nil {
		return err
	}
	// The kernel opens it for init before anything is mounted.
	return im.add(cpio.CharDev("dev/console", 0o600, 5, 1))
}

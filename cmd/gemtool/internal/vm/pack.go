//go:build linux

package vm

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
)

// maxPacked bounds a packed directory: it lies in the VM's memory twice while
// the kernel unpacks it.
const maxPacked = 256 << 20

// maxPackedFile is the size above which a file is left out of a packed
// module: sources and test data are smaller, build outputs are not.
const maxPackedFile = 16 << 20

// skipDirs are directories at the top of a module that no test reads.
var skipDirs = []string{".git", "bin", "out"}

// pack adds a host directory's contents.
func (im *image) pack(d Dir) error {
	if err := im.dir(d.Guest, 0o755); err != nil {
		return err
	}
	_, err := os.Stat(filepath.Join(d.Host, "go.mod"))
	module := err == nil
	total := int64(0)
	return filepath.WalkDir(d.Host, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("packing %s: %w", d.Host, err)
		}
		rel, err := filepath.Rel(d.Host, name)
		if err != nil {
			return err
		}
		if rel == "." {
			return nil
		}
		if module && e.IsDir() && slices.Contains(skipDirs, rel) {
			return fs.SkipDir
		}
		info, err := e.Info()
		if err != nil {
			return fmt.Errorf("packing %s: %w", d.Host, err)
		}
		guest := path.Join(d.Guest, rel)
		switch {
		case e.IsDir():
			return im.dir(guest, info.Mode())
		case e.Type() == fs.ModeSymlink:
			target, err := os.Readlink(name)
			if err != nil {
				return fmt.Errorf("packing %s: %w", d.Host, err)
			}
			return im.symlink(guest, target)
		case !e.Type().IsRegular() || module && info.Size() > maxPackedFile:
			return nil
		}
		if total += info.Size(); total > maxPacked {
			return fmt.Errorf("packing %s: more than %d MiB; share a smaller directory, or use a kernel with 9p", d.Host, maxPacked>>20)
		}
		return im.copy(guest, name)
	})
}

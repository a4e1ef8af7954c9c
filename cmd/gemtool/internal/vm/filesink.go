//go:build linux

package vm

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// fileSink writes the files that come back from packed directories. The names
// are the guest's, so every access goes through an os.Root. A file replaces
// what was there when it is complete, and only a regular file: opening
// anything else could block or do things.
type fileSink struct {
	dirs  []Dir // the writable ones, in the order of guestConfig.Packed
	room  int64 // bytes that may still come
	root  *os.Root
	file  *os.File
	path  string // where the file goes
	fresh string // what it is called until then
}

func newFileSink(packed []Dir) *fileSink {
	s := &fileSink{room: maxPacked}
	for _, d := range packed {
		if !d.ReadOnly {
			s.dirs = append(s.dirs, d)
		}
	}
	return s
}

func (s *fileSink) begin(b []byte) error {
	var f fileFrame
	if err := json.Unmarshal(b, &f); err != nil {
		return fmt.Errorf("vm protocol: %w", err)
	}
	if s.file != nil || f.Dir < 0 || f.Dir >= len(s.dirs) {
		return fmt.Errorf("vm protocol: unexpected file %q", f.Path)
	}
	root, err := os.OpenRoot(s.dirs[f.Dir].Host)
	if err != nil {
		return fmt.Errorf("file from the guest: %w", err)
	}
	s.root = root
	if err := root.MkdirAll(filepath.Dir(f.Path), 0o755); err != nil {
		return fmt.Errorf("file from the guest: %w", err)
	}
	if info, err := root.Lstat(f.Path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("file from the guest: %s is there and no regular file", filepath.Join(root.Name(), f.Path))
	}
	s.path, s.fresh = f.Path, fmt.Sprintf("%s.new%d", f.Path, os.Getpid())
	s.file, err = root.OpenFile(s.fresh, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fs.FileMode(f.Mode).Perm())
	if err != nil {
		return fmt.Errorf("file from the guest: %w", err)
	}
	return nil
}

// data writes the next part; an empty one ends the file.
func (s *fileSink) data(b []byte) error {
	if s.file == nil {
		return fmt.Errorf("vm protocol: data without a file")
	}
	if len(b) == 0 {
		if err := s.root.Rename(s.fresh, s.path); err != nil {
			return fmt.Errorf("file from the guest: %w", err)
		}
		s.fresh = ""
		return s.close()
	}
	if s.room -= int64(len(b)); s.room < 0 {
		return fmt.Errorf("files from the guest: more than %d MiB", maxPacked>>20)
	}
	if _, err := s.file.Write(b); err != nil {
		return fmt.Errorf("file from the guest: %w", err)
	}
	return nil
}

// close ends the file, and removes it if it is not complete.
func (s *fileSink) close() (err error) {
	if s.file != nil {
		err = s.file.Close()
		s.file = nil
		if s.fresh != "" {
			s.root.Remove(s.fresh)
		}
	}
	if s.root != nil {
		s.root.Close()
		s.root = nil
	}
	return err
}

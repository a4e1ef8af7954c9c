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
// are the guest's, so every access goes through an os.Root.
type fileSink struct {
	dirs []Dir // the writable ones, in the order of guestConfig.Packed
	root *os.Root
	file *os.File
}

func newFileSink(packed []Dir) *fileSink {
	s := &fileSink{}
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
	s.file, err = root.OpenFile(f.Path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, fs.FileMode(f.Mode).Perm())
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
		return s.close()
	}
	if _, err := s.file.Write(b); err != nil {
		return fmt.Errorf("file from the guest: %w", err)
	}
	return nil
}

func (s *fileSink) close() (err error) {
	if s.file != nil {
		err = s.file.Close()
		s.file = nil
	}
	if s.root != nil {
		s.root.Close()
		s.root = nil
	}
	return err
}

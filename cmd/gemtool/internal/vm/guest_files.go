//go:build linux

package vm

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// snapshotState is the files of the packed directories before the program
// runs, to see afterwards which are new or changed.
type snapshotState struct {
	dirs  []string
	files map[string]fileState
}

type fileState struct {
	size  int64
	mtime time.Time
}

func snapshot(dirs []string) (*snapshotState, error) {
	s := &snapshotState{dirs: dirs, files: map[string]fileState{}}
	return s, s.walk(func(_ int, name string, info fs.FileInfo) error {
		s.files[name] = fileState{info.Size(), info.ModTime()}
		return nil
	})
}

// walk calls f for every regular file.
func (s *snapshotState) walk(f func(dir int, name string, info fs.FileInfo) error) error {
	for i, dir := range s.dirs {
		err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
			if err != nil || !e.Type().IsRegular() {
				return err
			}
			info, err := e.Info()
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil {
				return err
			}
			return f(i, name, info)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// sendChanges sends each file that is new or not as it was.
func (s *snapshotState) sendChanges(conn *frameConn) error {
	err := s.walk(func(dir int, name string, info fs.FileInfo) error {
		if s.files[name] == (fileState{info.Size(), info.ModTime()}) {
			return nil
		}
		rel, err := filepath.Rel(s.dirs[dir], name)
		if err != nil {
			return err
		}
		if err := conn.writeJSON(frameFile, fileFrame{dir, rel, uint32(info.Mode().Perm())}); err != nil {
			return err
		}
		return sendFile(conn, name)
	})
	if err != nil {
		return fmt.Errorf("sending files back: %w", err)
	}
	return nil
}

func sendFile(conn *frameConn, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	buf := make([]byte, streamChunk)
	for {
		n, err := f.Read(buf)
		if n > 0 {
			if err := conn.write(frameData, buf[:n]); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return conn.write(frameData, nil)
		}
		if err != nil {
			return err
		}
	}
}

//go:build linux

package vm

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// cachePath joins elem to gemtool's cache directory,
// $XDG_CACHE_HOME/gemtool.
func cachePath(elem ...string) (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no cache directory: %w", err)
	}
	return filepath.Join(append([]string{dir, "gemtool"}, elem...)...), nil
}

// writeCache writes a cache file so that a reader sees all of it or nothing,
// also with several writers at once. It writes into no other user's cache: root
// may have the environment of somebody, whose links could lead anywhere and who
// could not read what root left there.
func writeCache(path string, data []byte) error {
	if err := ownCache(); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".tmp-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// ownCache says whether the cache, or the directory that it would be made in, is
// another user's.
func ownCache() error {
	dir, err := os.UserCacheDir()
	if err != nil {
		return err
	}
	for {
		st, err := os.Stat(dir)
		switch {
		case errors.Is(err, fs.ErrNotExist) && dir != filepath.Dir(dir):
			dir = filepath.Dir(dir)
		case err != nil:
			return err
		case st.Sys().(*syscall.Stat_t).Uid != uint32(os.Geteuid()):
			return fmt.Errorf("%s is another user's", dir)
		default:
			return nil
		}
	}
}

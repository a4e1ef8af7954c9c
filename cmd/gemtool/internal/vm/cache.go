//go:build linux

package vm

import (
	"fmt"
	"os"
	"path/filepath"
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
// also with several writers at once.
func writeCache(path string, data []byte) error {
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

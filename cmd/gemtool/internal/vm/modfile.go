//go:build linux

package vm

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/u-root/u-root/pkg/kmodule"
)

// maxModule bounds a decompressed module; the largest of a distribution are a
// tenth of it.
const maxModule = 128 << 20

// read returns the decompressed module: the guest should not spend emulated
// instructions on that. The host does it once, if it can write to the cache.
func (t *moduleTree) read(name string) ([]byte, error) {
	src := t.files[name]
	if !filepath.IsAbs(src) {
		src = filepath.Join(t.dir, src)
	}
	f, err := os.Open(src)
	if err != nil {
		return nil, fmt.Errorf("kernel module: %w", err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("kernel module: %w", err)
	}
	key := sha256.Sum256(fmt.Append(nil, src, st.Size(), st.ModTime().UnixNano()))
	cache, cacheErr := cachePath("modules", fmt.Sprintf("%x.ko", key[:16]))
	packed := filepath.Ext(src) != ".ko"
	if packed && cacheErr == nil {
		if data, err := os.ReadFile(cache); err == nil {
			return data, nil
		}
	}
	r, err := kmodule.CompressionReader(f)
	if err != nil {
		return nil, fmt.Errorf("kernel module %s: %w", src, err)
	}
	data, err := io.ReadAll(io.LimitReader(r, maxModule))
	if err != nil {
		return nil, fmt.Errorf("kernel module %s: %w", src, err)
	}
	if packed && cacheErr == nil {
		_ = writeCache(cache, data) // only makes the next run faster
	}
	return data, nil
}

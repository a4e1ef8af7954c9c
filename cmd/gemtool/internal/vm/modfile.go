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

// file returns the path of the decompressed module: the guest should not
// spend emulated instructions on that, and the host does it once.
func (t *moduleTree) file(name string) (string, error) {
	src := filepath.Join(t.dir, t.files[name])
	if filepath.IsAbs(t.files[name]) {
		src = t.files[name]
	}
	if filepath.Ext(src) == ".ko" {
		return src, nil
	}
	f, err := os.Open(src)
	if err != nil {
		return "", fmt.Errorf("kernel module: %w", err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return "", fmt.Errorf("kernel module: %w", err)
	}
	key := sha256.Sum256(fmt.Append(nil, src, st.Size(), st.ModTime().UnixNano()))
	dst, err := cachePath("modules", fmt.Sprintf("%x.ko", key[:16]))
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(dst); err == nil {
		return dst, nil
	}
	r, err := kmodule.CompressionReader(f)
	if err != nil {
		return "", fmt.Errorf("kernel module %s: %w", src, err)
	}
	data, err := io.ReadAll(io.LimitReader(r, maxModule))
	if err != nil {
		return "", fmt.Errorf("kernel module %s: %w", src, err)
	}
	if err := writeCache(dst, data); err != nil {
		return "", fmt.Errorf("kernel module cache: %w", err)
	}
	return dst, nil
}

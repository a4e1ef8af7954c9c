//go:build linux

package vm

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// maxVmlinux bounds an unpacked kernel; a distribution's has 60 MB.
const maxVmlinux = 512 << 20

// errPacked says that a kernel has to unpack itself.
var errPacked = errors.New("kernel cannot be unpacked for a direct boot")

// unpackKernel returns the ELF file inside a bzImage, kept in the cache. QEMU
// boots that directly through its PVH entry, and an emulated machine is spared
// from unpacking it, which takes more than a second. With errPacked the
// bzImage itself is to be booted.
func unpackKernel(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return "", err
	}
	key := sha256.Sum256(fmt.Append(nil, path, st.Size(), st.ModTime().UnixNano()))
	dst, err := cachePath("vmlinux", fmt.Sprintf("%x", key[:16]))
	if err != nil {
		return "", err
	}
	if f, err := os.Open(dst); err == nil { // for QEMU it must be readable
		return dst, f.Close()
	}
	data, err := readVmlinux(f)
	if err != nil {
		return "", err
	}
	if err := writeCache(dst, data); err != nil {
		return "", fmt.Errorf("%w: %w", errPacked, err) // it boots without a cache, only later
	}
	return dst, nil
}

// readVmlinux unpacks a bzImage's payload and checks that it has the note that
// a direct boot needs.
func readVmlinux(r io.ReaderAt) ([]byte, error) {
	h, err := readBootHeader(r)
	if err != nil {
		return nil, err
	}
	payload := io.NewSectionReader(r, (h.setupSects+1)*512+h.payloadOffset, h.payloadLength)
	unpacked, err := decompress(payload)
	if err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	n, err := io.Copy(&buf, io.LimitReader(unpacked, maxVmlinux))
	// Behind the compressed data is its size, which is no data to the reader.
	if err != nil && n == 0 || n == maxVmlinux {
		return nil, errPacked
	}
	e, err := elf.NewFile(bytes.NewReader(buf.Bytes()))
	if err != nil || !hasPVHNote(e) || !complete(e, n) {
		return nil, errPacked
	}
	return buf.Bytes(), nil
}

func decompress(payload *io.SectionReader) (io.Reader, error) {
	var magic [6]byte
	if _, err := payload.ReadAt(magic[:], 0); err != nil {
		return nil, errPacked
	}
	switch {
	case bytes.HasPrefix(magic[:], []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return zstd.NewReader(payload, zstd.WithDecoderMaxMemory(maxVmlinux))
	case bytes.HasPrefix(magic[:], []byte("\xfd7zXZ\x00")):
		return xz.NewReader(payload)
	case bytes.HasPrefix(magic[:], []byte{0x1f, 0x8b}):
		return gzip.NewReader(payload)
	}
	return nil, errPacked
}

// hasPVHNote looks for XEN_ELFNOTE_PHYS32_ENTRY, the entry point of the PVH
// boot protocol (xen/include/public/elfnote.h).
func hasPVHNote(e *elf.File) bool {
	const physEntry = 18
	want := append([]byte{physEntry, 0, 0, 0}, "Xen\x00"...)
	for _, p := range e.Progs {
		if p.Type != elf.PT_NOTE {
			continue
		}
		if notes, err := io.ReadAll(p.Open()); err == nil && bytes.Contains(notes, want) {
			return true
		}
	}
	return false
}

// complete reports whether a file of n bytes has all of e's segments.
func complete(e *elf.File, n int64) bool {
	for _, p := range e.Progs {
		if p.Off+p.Filesz > uint64(n) {
			return false
		}
	}
	return true
}

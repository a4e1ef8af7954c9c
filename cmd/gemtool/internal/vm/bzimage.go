//go:build linux

package vm

import (
	"encoding/binary"
	"errors"
	"io"
)

// bootHeader is the part of the x86 boot protocol's setup header that tells
// where the compressed kernel lies (Documentation/arch/x86/boot.rst).
type bootHeader struct {
	setupSects                   int64
	sysSize                      int64 // of the protected-mode code, in bytes
	payloadOffset, payloadLength int64 // relative to the protected-mode code
}

// size is what a complete file has at least.
func (h bootHeader) size() int64 { return (h.setupSects+1)*512 + h.sysSize }

func readBootHeader(r io.ReaderAt) (bootHeader, error) {
	var b [0x250]byte
	if _, err := r.ReadAt(b[:], 0); err != nil && !errors.Is(err, io.EOF) {
		return bootHeader{}, err
	}
	if string(b[0x202:0x206]) != "HdrS" {
		return bootHeader{}, errors.New("not an x86 kernel image (bzImage)")
	}
	le := binary.LittleEndian
	h := bootHeader{
		setupSects:    int64(b[0x1f1]),
		sysSize:       int64(le.Uint32(b[0x1f4:])) * 16,
		payloadOffset: int64(le.Uint32(b[0x248:])),
		payloadLength: int64(le.Uint32(b[0x24c:])),
	}
	if h.setupSects == 0 {
		h.setupSects = 4
	}
	return h, nil
}

package drmtest

import (
	"encoding/binary"

	"github.com/gemtool/gemtool/drm/ioctl"
)

// SetBufferName gives a dma-buf a name of at most 31 bytes, whatever they are:
// DMA_BUF_SET_NAME_B, whose number says that it has a u64, and which reads a
// string. Package prime, which has it, too, is above some of the tests.
func SetBufferName(t TB, fd *ioctl.FD, name string) {
	t.Helper()
	var text [32]byte
	copy(text[:31], name)
	var words [4]uint64
	for i := range words {
		words[i] = binary.NativeEndian.Uint64(text[8*i:])
	}
	if err := ioctl.Write[uint64]("DMA_BUF_SET_NAME_B", 'b', 1).Do(fd, &words[0]); err != nil {
		t.Fatalf("DMA_BUF_SET_NAME_B: %v", err)
	}
}

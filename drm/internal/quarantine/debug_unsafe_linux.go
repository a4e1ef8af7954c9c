//go:build gemdebug

package quarantine

import (
	"math"
	"slices"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What is kept at most. No memory stands behind it, only addresses, of which
// a 32-bit process has few.
const (
	maxRanges = 1024
	maxBytes  = min(16<<30, math.MaxInt/32)
)

// kept has the ranges that nobody may touch, the oldest first.
var kept struct {
	mu     sync.Mutex
	ranges [][]byte
	bytes  int
}

// Munmap is [unix.Munmap], after which touching b faults. The kernel drops
// its mapping at once. Package unix still knows b, as it unmaps it in the end.
func Munmap(b []byte) error {
	kept.mu.Lock()
	defer kept.mu.Unlock()
	if len(b) == 0 || slices.ContainsFunc(kept.ranges, func(k []byte) bool { return &k[0] == &b[0] }) {
		return unix.EINVAL
	}
	// A change to the size that it has does nothing, and is refused for what
	// is not a whole mapping.
	if _, err := unix.Mremap(b, len(b), 0); err != nil {
		return unix.EINVAL
	}
	const flags = unix.MAP_PRIVATE | unix.MAP_ANONYMOUS | unix.MAP_NORESERVE | unix.MAP_FIXED
	if _, err := unix.MmapPtr(-1, 0, unsafe.Pointer(&b[0]), uintptr(len(b)), unix.PROT_NONE, flags); err != nil {
		return unix.Munmap(b) // the process has too many mappings already
	}
	kept.ranges = append(kept.ranges, b)
	kept.bytes += len(b)
	for len(kept.ranges) > maxRanges || kept.bytes > maxBytes {
		if err := unix.Munmap(kept.ranges[0]); err != nil {
			return err
		}
		kept.bytes -= len(kept.ranges[0])
		kept.ranges = slices.Delete(kept.ranges, 0, 1)
	}
	return nil
}

package conformance

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// checkBufinfo fails a case after which the system has another number of
// dma-bufs than now. It is for a system where nobody else makes any, and does
// nothing where the kernel does not say (root only).
func checkBufinfo(t T) {
	t.Helper()
	before, ok := dmaBufs()
	if !ok {
		return
	}
	t.Cleanup(func() {
		t.Helper()
		// The kernel's last reference may go in a worker of its own.
		var after int
		for wait := time.Millisecond; wait < 200*time.Millisecond; wait *= 2 {
			if after, ok = dmaBufs(); !ok || after == before {
				return
			}
			time.Sleep(wait)
		}
		t.Errorf("the system had %d dma-bufs and has %d", before, after)
	})
}

// dmaBufs reads the system's number of dma-bufs.
func dmaBufs() (n int, ok bool) {
	text, err := os.ReadFile("/sys/kernel/debug/dma_buf/bufinfo")
	if err != nil {
		return 0, false
	}
	return parseBufinfo(string(text))
}

// parseBufinfo reads the last line. The lines before it carry names that
// anybody chose; the last one is the kernel's own.
func parseBufinfo(text string) (n int, ok bool) {
	text = strings.TrimSpace(text)
	_, err := fmt.Sscanf(text[strings.LastIndexByte(text, '\n')+1:], "Total %d objects", &n)
	return n, err == nil
}

package conformance

import (
	"time"

	"github.com/gemtool/gemtool/drm/debugfs"
)

// checkBufinfo fails a case after which the system has another number of
// dma-bufs or of attachments to them than now. It is for a system where nobody
// else makes any, and does nothing where the kernel does not say (root only).
func checkBufinfo(t T) {
	t.Helper()
	before, ok := dmaBufs()
	if !ok {
		return
	}
	t.Cleanup(func() {
		t.Helper()
		// The kernel's last reference may go in a worker of its own.
		var after shared
		for wait := time.Millisecond; wait < time.Second; wait *= 2 {
			if after, ok = dmaBufs(); !ok || after == before {
				return
			}
			time.Sleep(wait)
		}
		t.Errorf("the system had %+v and has %+v", before, after)
	})
}

// shared counts what devices and processes share, of the whole system.
type shared struct{ buffers, attachments int }

func dmaBufs() (n shared, ok bool) {
	text, err := debugfs.Default.Bufinfo()
	if err != nil {
		return n, false
	}
	info, err := debugfs.ParseBufinfo(text)
	if err != nil {
		return n, false
	}
	n.buffers = len(info.Buffers)
	for _, b := range info.Buffers {
		n.attachments += len(b.Attachments)
	}
	return n, true
}

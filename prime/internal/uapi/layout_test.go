package uapi

import (
	"strings"
	"testing"

	"github.com/gemtool/gemtool/testdata/uapi/layout"
)

//go:generate go run ../../../testdata/uapi/generate ../../../testdata/uapi

// TestLayout passes if structures, request numbers and constants are those
// that a C compiler makes of the headers of Linux 7.2 for this architecture,
// and none of the ioctls of dma-bufs, sync files, udmabuf and dma-heaps is
// missing. What is checked at compile time, for the other architectures, too,
// is in layout_unsafe_GOARCH_test.go.
func TestLayout(t *testing.T) {
	layout.Check(t, "../../../testdata/uapi", bound, func(c string) bool {
		c = strings.ToLower(c)
		return strings.HasPrefix(c, "dma_") || strings.HasPrefix(c, "sync_") || strings.HasPrefix(c, "udmabuf_")
	})
}

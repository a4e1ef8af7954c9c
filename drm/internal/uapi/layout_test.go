package uapi

import (
	"strings"
	"testing"

	"github.com/gemtool/gemtool/testdata/uapi/layout"
)

//go:generate go run ../../../testdata/uapi/generate ../../../testdata/uapi

// TestLayout passes if structures, request numbers and constants are those
// that a C compiler makes of the headers of Linux 7.2 for this architecture,
// and nothing of groups A to D is missing. What is checked at compile time, for
// the other architectures, too, is in layout_unsafe_GOARCH_test.go.
//
// Case N33
func TestLayout(t *testing.T) {
	layout.Check(t, "../../../testdata/uapi", bound, func(c string) bool {
		return strings.HasPrefix(c, "drm_") || strings.HasPrefix(c, "hdr_") || strings.HasPrefix(c, "DRM_")
	})
}

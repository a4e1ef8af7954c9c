//go:build !linux

package drm

import "time"

// Monotonic returns 0: without DRM there are no times to compare it with.
func Monotonic() time.Duration { return 0 }

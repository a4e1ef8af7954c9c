//go:build !linux

package conformance

// All returns nothing: this system has no DRM.
func All() []Case { return nil }

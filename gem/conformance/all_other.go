//go:build !linux

package conformance

// All returns nothing: this system has no DRM.
func All() []Case { return nil }

// RunChild does nothing: no case starts a process on this system.
func RunChild() {}

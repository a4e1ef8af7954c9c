// Package drmtest helps to test code that uses DRM devices: it finds them,
// notices what a test left behind and what the kernel complained of, and
// stands between the library and the kernel where a test needs an answer
// that no kernel can be made to give.
package drmtest

// TB is what this package needs of a *testing.T. It is an interface of its
// own so that the conformance cases run outside of go test, too.
type TB interface {
	Helper()
	Cleanup(func())
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Skipf(format string, args ...any)
}

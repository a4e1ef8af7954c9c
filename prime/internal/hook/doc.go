// Package hook lets package primetest stand between the library and the
// kernel. It stands beside that of package drm, as neither may import the
// other's internals.
package hook

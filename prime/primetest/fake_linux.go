package primetest

import (
	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/prime/internal/hook"
)

// NewFake installs the fake kernel of package drmtest, with dma-bufs that
// package prime takes for such, until the test ends.
func NewFake(t drmtest.TB) *drmtest.Fake {
	t.Helper()
	f := drmtest.NewFake(t)
	hook.Files.Store(&hook.FileCalls{DMABuf: f.DMABuf, Mmap: f.Mmap})
	t.Cleanup(func() { hook.Files.Store(nil) })
	return f
}

//go:build !gemdebug

package resv

const debug = false

// watched is what a lock has for a debug build: see debug.go.
type watched struct{}

func (*watched) wants(kind, *Set) {}
func (*watched) took(kind, *Set)  {}
func (*watched) ends()            {}
func (*watched) gives()           {}
func (*watched) stale()           {}

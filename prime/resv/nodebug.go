//go:build !gemdebug

package resv

const debug = false

// watched is what a lock has for a debug build: see debug.go.
type watched struct{}

type place struct{}

func (*watched) wants(kind, *Set) place { return place{} }
func (*watched) tries() place           { return place{} }
func (*watched) took(kind, *Set, place) {}
func (*watched) ends()                  {}
func (*watched) gives()                 {}
func (*watched) stale()                 {}

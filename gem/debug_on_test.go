//go:build gemdebug

package gem_test

// debugBuild says that locks are watched and allocations are not rare.
const debugBuild = true

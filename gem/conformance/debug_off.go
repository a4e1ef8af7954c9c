//go:build !gemdebug

package conformance

// debugBuild says that ended mappings are memory that faults.
const debugBuild = false

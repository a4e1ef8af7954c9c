// Package conformance holds what buffers must do on a real driver, as values:
// each [Case] has an id, what it needs, and a function over the small
// interface [T], which *testing.T satisfies. "go test" iterates over them and
// so does "gemtool selftest", on whatever devices a machine has.
//
// A case runs once on every device it applies to. Where it applies to none,
// or finds that the device lacks something, it is skipped, and skips.txt must
// say that this is known and why: a skip that nobody wrote down is a failure.
package conformance

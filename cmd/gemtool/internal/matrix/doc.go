// Package matrix shares a buffer between every pair of devices and says how
// deep each pair was proven. It finds the endpoints, runs the pairs one after
// the other, and tells what the failures mean; it prints nothing.
package matrix

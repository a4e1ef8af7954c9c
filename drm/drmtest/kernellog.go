package drmtest

import "regexp"

// complaint matches what the kernel prints when something is wrong with it, and
// what kernels say that were built to find faults: KASAN, SLUB, lockdep,
// kmemleak.
var complaint = regexp.MustCompile(`\b(WARNING:|BUG:|Oops\b|KASAN:|UBSAN:|Kernel panic|Call Trace:|refcount_t:|general protection fault|kernel BUG at|blocked for more than)` +
	`|\bBUG \S+ \(|possible (circular|recursive) locking|inconsistent lock state|suspicious RCU usage|\*\*\* DEADLOCK|kmemleak: \d+ new suspected`)

// KernelComplaint says whether a line of the kernel's log reports a fault of
// the kernel. Lines that tests provoke on purpose and that are harmless are
// not such.
func KernelComplaint(line string) bool { return complaint.MatchString(line) }

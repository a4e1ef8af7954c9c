package resv

import "sync/atomic"

// Rule is what a debug build watches.
type Rule string

// The rules.
const (
	// RuleOutermost: no other lock is held when a reservation is taken.
	RuleOutermost Rule = "a reservation is the outermost lock"
	// RuleOne: a second reservation is taken by the Set that took the first.
	RuleOne Rule = "several reservations are taken with one Set"
	// RuleSelf: nobody waits for what he holds himself.
	RuleSelf Rule = "a goroutine that waits for what it holds waits for ever"
	// RuleOrder: two locks are always taken in the same order.
	RuleOrder Rule = "locks are taken in one order"
	// RuleOnce: a hold ends once.
	RuleOnce Rule = "a hold is unlocked once"
)

// Report is a broken rule and the two places in the program that broke it.
type Report struct {
	Rule Rule
	Lock string // what was taken or unlocked, such as a Mutex's Name

	// Stack is where that was.
	Stack string
	// Other and OtherStack are the lock in conflict, and where it was taken.
	// For RuleOrder it is where the two were taken the other way round, by
	// whichever goroutine, and for RuleOnce where the hold was unlocked
	// before, which is empty if that is too long ago.
	Other, OtherStack string
}

// String is the whole report, in several lines.
func (r Report) String() string {
	s := "resv: " + string(r.Rule) + "\n" + r.Lock + ":\n" + r.Stack
	if r.OtherStack != "" {
		s += "after " + r.Other + ":\n" + r.OtherStack
	}
	return s
}

// reporter is nil unless OnReport has set it.
var reporter atomic.Pointer[func(Report)]

// OnReport has f called with every report, on the goroutine that broke the
// rule and before it goes on, until restore. With nil, and without a call, a
// report is printed to standard error, once for each place. Only debug builds
// have reports.
func OnReport(f func(Report)) (restore func()) {
	now := &f
	if f == nil {
		now = nil
	}
	old := reporter.Swap(now)
	return func() { reporter.Store(old) }
}

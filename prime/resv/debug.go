//go:build gemdebug

package resv

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// debug keeps a hold from ending where nobody watches.
const debug = true

// watched is what the checker knows of a lock.
type watched struct {
	by    *taken // nil while nobody has it
	ended stack  // where its last hold was unlocked
}

// taken is a lock that a goroutine has.
type taken struct {
	lock *watched
	kind kind
	set  *Set
	place
}

// place is a goroutine and where in the program it is.
type place struct {
	goroutine uint64
	at        stack
}

// checker follows the example of the kernel's lockdep. It knows of each
// goroutine what it has, which decides all rules but one, and of all pairs of
// kinds in which order they were ever taken, which decides that one.
var checker struct {
	mu    sync.Mutex // guards every watched, too
	has   map[uint64][]*taken
	inner map[kind]map[kind]stack // what was taken inside of what, and where first
}

// wants checks what it means that this goroutine now waits for w, and returns
// where that is.
func (w *watched) wants(k kind, set *Set) place {
	me := place{goroutine(), callers()}
	var reports []Report
	checker.mu.Lock()
	for _, t := range checker.has[me.goroutine] {
		if k == aReservation && t.kind == aReservation && set != nil && t.set == set {
			continue // also if it is the same: that is EALREADY, no wait
		}
		r := Report{Lock: k.String(), Stack: me.at.String(), Other: t.kind.String(), OtherStack: t.at.String()}
		switch {
		case t.lock == w:
			r.Rule = RuleSelf
		case k == aReservation && t.kind == aReservation:
			r.Rule = RuleOne
		case k == aReservation:
			r.Rule = RuleOutermost
		}
		if r.Rule != "" {
			reports = append(reports, r)
		}
		if before := order(t.kind, k, me.at); before != nil {
			r.Rule, r.OtherStack = RuleOrder, before.String()
			r.Lock, r.Other = k.String()+" inside of "+t.kind.String(), "the other way round"
			reports = append(reports, r)
		}
	}
	checker.mu.Unlock()
	for _, r := range reports {
		report(r)
	}
	return me
}

// order remembers that inner was taken inside of outer, and returns where
// outer was taken inside of inner, or inside of what was inside of it, and so
// on.
func order(outer, inner kind, here stack) (before stack) {
	if outer == inner || outer == "" || inner == "" {
		return nil
	}
	if outer == aCall && inner == aReservation {
		return nil // the wrong one of the two is known
	}
	seen := map[kind]bool{}
	var find func(from kind) bool
	find = func(from kind) bool {
		seen[from] = true
		for k := range checker.inner[from] {
			if k == outer || !seen[k] && find(k) {
				before = checker.inner[from][k]
				return true
			}
		}
		return false
	}
	find(inner)
	if checker.inner == nil {
		checker.inner = make(map[kind]map[kind]stack)
	}
	if checker.inner[outer] == nil {
		checker.inner[outer] = make(map[kind]stack)
	}
	if checker.inner[outer][inner] == nil {
		checker.inner[outer][inner] = here
	}
	return before
}

// tries returns where this goroutine tries to take w, which is never wrong.
func (w *watched) tries() place { return place{goroutine(), callers()} }

// took notes who has taken w.
func (w *watched) took(k kind, set *Set, by place) {
	t := &taken{w, k, set, by}
	checker.mu.Lock()
	defer checker.mu.Unlock()
	if checker.has == nil {
		checker.has = make(map[uint64][]*taken)
	}
	checker.has[t.goroutine] = append(checker.has[t.goroutine], t)
	w.by = t
}

// ends notes that the hold of w is over, though w is not given back yet.
func (w *watched) ends() {
	here := callers()
	checker.mu.Lock()
	defer checker.mu.Unlock()
	w.ended = here
}

// gives notes that w is given back, by whichever goroutine.
func (w *watched) gives() {
	checker.mu.Lock()
	defer checker.mu.Unlock()
	t := w.by
	if t == nil {
		return // handed over to a wait that had been cancelled
	}
	w.by = nil
	left := slices.DeleteFunc(checker.has[t.goroutine], func(o *taken) bool { return o == t })
	if checker.has[t.goroutine] = left; len(left) == 0 {
		delete(checker.has, t.goroutine)
	}
}

// stale reports that a hold of w was unlocked that had ended.
func (w *watched) stale() {
	r := Report{Rule: RuleOnce, Lock: "an ended hold", Stack: callers().String(), Other: "its reservation was last unlocked"}
	checker.mu.Lock()
	r.OtherStack = w.ended.String()
	checker.mu.Unlock()
	report(r)
}

// printed has the reports that stand on standard error.
var printed sync.Map

func report(r Report) {
	if f := reporter.Load(); f != nil {
		(*f)(r)
	} else if _, again := printed.LoadOrStore(r, nil); !again {
		fmt.Fprintln(os.Stderr, r)
	}
}

// goroutine returns the number of this goroutine, which the runtime tells in
// stack traces only, and which comes back no more.
func goroutine() uint64 {
	var buf [64]byte
	text := buf[:runtime.Stack(buf[:], false)] // "goroutine 42 [running]:..."
	n, _ := strconv.ParseUint(strings.Fields(string(text))[1], 10, 64)
	return n
}

// stack is a list of program counters.
type stack []uintptr

// callers returns the stack of whoever called the checker.
func callers() stack {
	var pcs [32]uintptr
	return slices.Clone(pcs[:runtime.Callers(3, pcs[:])])
}

// String formats the stack as a panic does, but for the arguments.
func (s stack) String() string {
	var b strings.Builder
	for frames := runtime.CallersFrames(s); len(s) > 0; {
		f, more := frames.Next()
		fmt.Fprintf(&b, "\t%s\n\t\t%s:%d\n", f.Function, f.File, f.Line)
		if !more {
			break
		}
	}
	return b.String()
}

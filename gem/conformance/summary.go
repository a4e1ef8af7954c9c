package conformance

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// result is what came of a case on all of its devices.
type result struct {
	passed, failed, skipped int
	reason                  string // of a skip
}

// record has t tell the suite what comes of one run of a case.
func (s *Suite) record(t T, id string) T {
	if s.results == nil {
		s.results = make(map[string]*result)
	}
	r := s.results[id]
	if r == nil {
		r = new(result)
		s.results[id] = r
	}
	rt := &recordT{T: t}
	// The first cleanup runs last.
	t.Cleanup(func() {
		switch {
		case t.Failed():
			r.failed++
		case rt.skipped != "":
			r.skipped++
			r.reason = rt.skipped
		default:
			r.passed++
		}
	})
	return rt
}

// recordT remembers why a case skips.
type recordT struct {
	T
	skipped string
}

func (t *recordT) Skipf(format string, args ...any) {
	t.Helper()
	t.skipped = fmt.Sprintf(format, args...)
	t.T.Skipf("%s", t.skipped)
}

// Summary counts the ids of the cases that ran: an id passed if it passed on
// one device and failed on none. It has a line for the counts, and one for
// each id that was skipped everywhere or is proven elsewhere:
//
//	conformance: kernel 6.12: 120 ids passed, 0 failed, 3 skipped
//	conformance: kernel 6.12: A16 skipped: guessing a colour mode came with Linux 7.2
func (s *Suite) Summary() string {
	var passed, failed, skipped int
	var lines strings.Builder
	for _, id := range slices.Sorted(maps.Keys(s.results)) {
		switch r := s.results[id]; {
		case r.failed > 0:
			failed++
			fmt.Fprintf(&lines, "conformance: kernel %v: %s failed\n", s.Kernel, id)
		case r.passed > 0:
			passed++
		case r.skipped > 0:
			skipped++
			reason, ok := allowedSkip(id, s.Kernel, noDevice)
			if !ok {
				reason = r.reason
			}
			fmt.Fprintf(&lines, "conformance: kernel %v: %s skipped: %s\n", s.Kernel, id, reason)
		}
	}
	return fmt.Sprintf("conformance: kernel %v: %d ids passed, %d failed, %d skipped\n%s", s.Kernel, passed, failed, skipped, lines.String())
}

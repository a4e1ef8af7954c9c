// Package kunit runs the test suites that are built into a kernel. What gem
// mirrors is compared with a kernel whose own tests pass.
package kunit

import (
	"errors"
	"fmt"
	"strings"
)

// result is what came of the tests of a suite, by name.
type result struct {
	passed, failed, skipped []string
}

var errNoKTAP = errors.New("no KTAP")

// parse reads what a suite's "results" in debugfs says: KTAP, where the lines
// of tests are indented by the level of what they are a part of.
//
//	KTAP version 1
//	1..1
//	    KTAP version 1
//	    # Subtest: drm_exec
//	    1..2
//	    ok 1 sanitycheck
//	        KTAP version 1
//	        # Subtest: test_lock
//	        1..1
//	        ok 1 a parameter
//	    ok 2 test_lock # SKIP reason
//	# drm_exec: pass:1 fail:0 skip:1 total:2
//	ok 1 drm_exec
func parse(text, suite string) (r result, err error) {
	const level = "    " // of the suite's own tests
	planned, verdict := -1, false
	for line := range strings.Lines(text) {
		if strings.HasSuffix(strings.TrimRight(line, "\n"), " "+suite) && !strings.HasPrefix(line, " ") {
			verdict = true
		}
		line, ok := strings.CutPrefix(line, level)
		if !ok || strings.HasPrefix(line, " ") {
			continue
		}
		if _, err := fmt.Sscanf(line, "1..%d", &planned); err == nil {
			continue
		}
		rest, failed := strings.CutPrefix(line, "not ")
		f := strings.Fields(rest)
		if len(f) < 3 || f[0] != "ok" {
			continue
		}
		switch name := f[2]; {
		case failed:
			r.failed = append(r.failed, name)
		case strings.Contains(rest, "# SKIP"):
			r.skipped = append(r.skipped, name)
		default:
			r.passed = append(r.passed, name)
		}
	}
	if !verdict {
		return r, fmt.Errorf("%w: the end is missing", errNoKTAP)
	}
	if got := len(r.passed) + len(r.failed) + len(r.skipped); got != planned {
		return r, fmt.Errorf("%w: %d tests of %d", errNoKTAP, got, planned)
	}
	return r, nil
}

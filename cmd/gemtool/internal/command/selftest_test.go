package command

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/gemtool/gemtool/gem/conformance"
)

// gemtool runs a command line and returns what it wrote.
func gemtool(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = Main(t.Context(), args, strings.NewReader(""), &out, &err)
	return code, out.String(), err.String()
}

// TestUsage passes if a wrong command line is exit code 2 and one line on
// stderr, whoever notices it.
func TestUsage(t *testing.T) {
	for _, args := range [][]string{
		{"no-such-command"}, {"selftest", "--no-such-flag"}, {"selftest", "argument"},
		{"selftest", "--run", "("}, {"vm"}, {"vm", "--accel", "warp", "--", "true"},
	} {
		code, stdout, stderr := gemtool(t, args...)
		if code != ExitUsage || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.HasPrefix(stderr, "gemtool: ") {
			t.Errorf("%q: exit code %d, stdout %q, stderr %q", args, code, stdout, stderr)
		}
	}
}

func TestSelftestList(t *testing.T) {
	code, stdout, stderr := gemtool(t, "selftest", "--list")
	if code != ExitOK || stderr != "" {
		t.Fatalf("exit code %d, stderr %q", code, stderr)
	}
	if got, want := strings.Count(stdout, "\n"), len(conformance.All()); got != want {
		t.Errorf("%d lines for %d cases", got, want)
	}
}

// TestSelfT passes if a case outside of go test behaves as inside: Fatalf and
// Skipf end it, cleanups run last first in any case, a panic is a failure.
func TestSelfT(t *testing.T) {
	for _, test := range []struct {
		name            string
		run             func(conformance.T)
		failed, skipped bool
	}{
		{"pass", func(conformance.T) {}, false, false},
		{"error", func(t conformance.T) { t.Errorf("e") }, true, false},
		{"fatal", func(t conformance.T) { t.Fatalf("f"); panic("reached") }, true, false},
		{"skip", func(t conformance.T) { t.Skipf("s"); panic("reached") }, false, true},
		{"panic", func(conformance.T) { panic("p") }, true, false},
		{"fatal cleanup", func(t conformance.T) { t.Cleanup(func() { t.Fatalf("c") }) }, true, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			var order []int
			var ctx context.Context
			st := &selfT{ctx: t.Context()}
			st.run(func(t conformance.T) {
				ctx = t.Context()
				t.Cleanup(func() { order = append(order, 1) })
				t.Cleanup(func() { order = append(order, 2) })
				test.run(t)
			})
			if st.failed != test.failed || st.skipped != test.skipped {
				t.Errorf("failed %v, skipped %v; lines %q", st.failed, st.skipped, st.lines)
			}
			if !slices.Equal(order, []int{2, 1}) {
				t.Errorf("cleanups ran as %v", order)
			}
			if ctx.Err() == nil {
				t.Error("the case's context outlives it")
			}
		})
	}
}

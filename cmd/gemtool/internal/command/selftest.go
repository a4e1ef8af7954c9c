package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/gem/conformance"
)

func newSelftest() *cobra.Command {
	var (
		list    bool
		pattern string
		devices []string
		soak    bool
	)
	cmd := &cobra.Command{
		Use:   "selftest",
		Short: "Run the conformance cases on this machine's devices",
		Long: `Selftest runs the conformance cases on the DRM devices of this machine, the same
that the project's own tests run in a VM. It makes buffers, maps and shares
them; it does not touch a display.

A case that applies to no device here is skipped. Exit codes: 0 every case
that ran passed, 1 one failed, 77 none could run.`,
		Args: cobra.NoArgs,
	}
	cmd.Flags().BoolVar(&list, "list", false, "list the cases and run none")
	cmd.Flags().StringVar(&pattern, "run", "", "run only the cases whose name (ID/DEVICE) matches this regular `expression`")
	cmd.Flags().StringArrayVar(&devices, "device", nil, "test only this `device`: card0, a path, driver:NAME or bus:ID (repeatable)")
	cmd.Flags().BoolVar(&soak, "soak", false, "take the time for long cases")
	cmd.RunE = run(func(cmd *cobra.Command, _ []string) error {
		match, err := regexp.Compile(pattern)
		if err != nil {
			return usageError("--run: %w", err)
		}
		if list {
			for _, c := range conformance.All() {
				fmt.Fprintf(cmd.OutOrStdout(), "%s\t%s\n", c.ID, c.Title)
			}
			return nil
		}
		return selftest(cmd, match, devices, soak)
	})
	return cmd
}

func selftest(cmd *cobra.Command, match *regexp.Regexp, devices []string, soak bool) error {
	kernel, err := conformance.RunningKernel()
	if err != nil {
		return err
	}
	targets, denied, err := conformance.Targets()
	if err != nil {
		return err
	}
	if len(targets) == 0 {
		return &exitError{ExitNothing, nothingToTest(denied)}
	}
	if targets, err = selectTargets(targets, devices); err != nil {
		return err
	}
	for _, err := range denied {
		fmt.Fprintf(cmd.ErrOrStderr(), "gemtool: left out: %v\n", err)
	}
	suite := conformance.Suite{Kernel: kernel, Targets: targets, Children: true} // main calls RunChild
	if soak {
		suite.Effort = conformance.Soak
	}
	var count struct{ passed, failed, skipped int }
	for _, c := range conformance.All() {
		suite.Run(c, func(name string, f func(conformance.T)) {
			if !match.MatchString(name) || cmd.Context().Err() != nil {
				return
			}
			t := &selfT{ctx: cmd.Context()}
			t.run(f)
			verdict := "ok  "
			switch {
			case t.failed:
				verdict = "FAIL"
				count.failed++
			case t.skipped:
				verdict = "skip"
				count.skipped++
			default:
				count.passed++
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s %-16s %s\n", verdict, name, c.Title)
			t.print(cmd.OutOrStdout())
		})
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%d passed, %d failed, %d skipped\n", count.passed, count.failed, count.skipped)
	switch {
	case cmd.Context().Err() != nil:
		return fmt.Errorf("interrupted: the cases that follow did not run")
	case count.failed > 0:
		return &exitError{code: ExitFailed}
	case count.passed == 0:
		return &exitError{ExitNothing, fmt.Errorf("no case could run")}
	}
	return nil
}

// nothingToTest says why no device can be opened.
func nothingToTest(denied []error) error {
	if len(denied) == 0 {
		return errors.New("no DRM device to test")
	}
	return fmt.Errorf("none of %d DRM nodes can be opened, the first because: %w", len(denied), denied[0])
}

// selectTargets returns the targets that one of the filters selects, or all
// without a filter.
func selectTargets(targets []conformance.Target, filters []string) ([]conformance.Target, error) {
	if len(filters) == 0 {
		return targets, nil
	}
	var selected []conformance.Target
	for _, text := range filters {
		filter, err := drm.ParseFilter(text)
		if err != nil {
			return nil, usageError("--device: %w", err)
		}
		// A node's own name selects that node, anything else all nodes of
		// the device.
		found := slices.DeleteFunc(slices.Clone(targets), func(t conformance.Target) bool {
			return t.Path != text && filepath.Base(t.Path) != text
		})
		if len(found) == 0 {
			found = slices.DeleteFunc(slices.Clone(targets), func(t conformance.Target) bool {
				return !filter.Match(t.Device, t.Driver)
			})
		}
		if len(found) == 0 {
			return nil, usageError("--device %s: no such device can be opened", text)
		}
		selected = append(selected, found...)
	}
	slices.SortFunc(selected, func(a, b conformance.Target) int { return strings.Compare(a.Path, b.Path) })
	return slices.CompactFunc(selected, func(a, b conformance.Target) bool { return a.Path == b.Path }), nil
}

// selfT is a conformance.T outside of go test. A case runs on a goroutine of
// its own, which Fatalf and Skipf end.
type selfT struct {
	ctx      context.Context
	cleanups []func()

	mu              sync.Mutex // cases report from several goroutines
	failed, skipped bool
	lines           []string
}

func (t *selfT) run(f func(conformance.T)) {
	ctx, cancel := context.WithCancel(t.ctx)
	t.ctx = ctx
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer t.cleanup()
		defer cancel()
		f(t)
	}()
	<-done
}

// cleanup runs what was registered, last first, whatever the case did.
func (t *selfT) cleanup() {
	if r := recover(); r != nil {
		t.Errorf("panic: %v\n%s", r, debug.Stack())
	}
	if n := len(t.cleanups); n > 0 {
		f := t.cleanups[n-1]
		t.cleanups = t.cleanups[:n-1]
		defer t.cleanup() // also when f ends the goroutine
		f()
	}
}

func (t *selfT) print(w io.Writer) {
	for _, line := range t.lines {
		fmt.Fprintf(w, "     %s\n", strings.ReplaceAll(line, "\n", "\n     "))
	}
}

func (t *selfT) log(format string, args []any, outcome *bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lines = append(t.lines, fmt.Sprintf(format, args...))
	if outcome != nil {
		*outcome = true
	}
}

func (t *selfT) Helper()                  {}
func (t *selfT) Context() context.Context { return t.ctx }
func (t *selfT) Cleanup(f func())         { t.cleanups = append(t.cleanups, f) }

func (t *selfT) Failed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.failed
}

func (t *selfT) Logf(format string, args ...any)   { t.log(format, args, nil) }
func (t *selfT) Errorf(format string, args ...any) { t.log(format, args, &t.failed) }

func (t *selfT) Fatalf(format string, args ...any) {
	t.log(format, args, &t.failed)
	runtime.Goexit()
}

func (t *selfT) Skipf(format string, args ...any) {
	t.log(format, args, &t.skipped)
	runtime.Goexit()
}

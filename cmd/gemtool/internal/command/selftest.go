package command

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

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
		format  string
	)
	cmd := &cobra.Command{
		Use:   "selftest",
		Short: "Run the conformance cases on this machine's devices",
		Long: `Selftest runs the conformance cases on the DRM devices of this machine, the same
that the project's own tests run in a VM. It makes buffers, maps and shares
them; it does not touch a display.

A case that applies to no device here is skipped. Exit codes: 0 every case
that ran passed, 1 one failed, 77 none could run.`,
		Example: `  gemtool selftest --device driver:vkms --run '^A'
  gemtool selftest --format tap | prove -
  gemtool selftest --format junit > report.xml`,
		Args:              arguments,
		ValidArgsFunction: nothing,
	}
	cmd.Flags().BoolVar(&list, "list", false, "list the cases and run none")
	cmd.Flags().StringVar(&pattern, "run", "", "run only the cases whose name (ID/DEVICE) matches this regular `expression`")
	addDevices(cmd, &devices, "test only this")
	cmd.Flags().BoolVar(&soak, "soak", false, "take the time for long cases")
	cmd.Flags().StringVar(&format, "format", "text", "`text|tap|junit|json`: how results are printed; text and tap as they come")
	// There are no other names than these four.
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(reportFormats, cobra.ShellCompDirectiveNoFileComp))
	addJSON(cmd)
	cmd.RunE = run(func(cmd *cobra.Command, _ []string) error {
		match, err := regexp.Compile(pattern)
		if err != nil {
			return usageError("--run: %w", err)
		}
		if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
			if cmd.Flags().Changed("format") && format != "json" {
				return usageError("--format %s and --json exclude each other", format)
			}
			format = "json"
		}
		if !slices.Contains(reportFormats, format) {
			return usageError("--format %q: want text, tap, junit or json", format)
		}
		if list {
			return show(cmd, listCases())
		}
		return selftest(cmd, match, devices, soak, format)
	})
	return cmd
}

type casesJSON struct {
	Schema string     `json:"schema"`
	Cases  []caseJSON `json:"cases"`
}

type caseJSON struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

func listCases() *casesJSON {
	doc := &casesJSON{Schema: "gemtool.cases/v1"}
	for _, c := range conformance.All() {
		doc.Cases = append(doc.Cases, caseJSON{c.ID, c.Title})
	}
	return doc
}

func (c *casesJSON) text(p *page) {
	for _, x := range c.Cases {
		fmt.Fprintf(p, "%s\t%s\n", x.ID, x.Title)
	}
}

func selftest(cmd *cobra.Command, match *regexp.Regexp, devices []string, soak bool, format string) error {
	kernel, err := conformance.RunningKernel()
	if err != nil {
		return err
	}
	targets, denied, err := conformance.Targets()
	if err != nil {
		return err
	}
	if len(targets) == 0 {
		if format != "text" { // whose reader has the words
			if err := newReport(cmd.OutOrStdout(), format, kernel.String()).end(); err != nil {
				return err
			}
		}
		return &exitError{ExitNothing, nothingToTest(denied)}
	}
	if targets, err = selectTargets(targets, denied, devices); err != nil {
		return err
	}
	for _, err := range denied {
		say(cmd.ErrOrStderr(), "left out: %v", err)
	}
	suite := conformance.Suite{Kernel: kernel, Targets: targets, Children: true} // main calls RunChild
	if soak {
		suite.Effort = conformance.Soak
	}
	all := 0
	for _, c := range conformance.All() {
		suite.Run(c, func(name string, _ func(conformance.T)) {
			if match.MatchString(name) {
				all++
			}
		})
	}
	if all == 0 {
		return usageError("--run %q: no case here has such a name", match)
	}
	out := newReport(cmd.OutOrStdout(), format, kernel.String())
	step, end := progress(cmd, all)
	for _, c := range conformance.All() {
		suite.Run(c, func(name string, f func(conformance.T)) {
			if !match.MatchString(name) || cmd.Context().Err() != nil || out.err != nil {
				return
			}
			step(name + " " + c.Title)
			start := time.Now()
			t := &selfT{ctx: cmd.Context()}
			t.run(f)
			end()
			out.add(t.result(c, name, time.Since(start)))
		})
	}
	out.Interrupted = cmd.Context().Err() != nil
	if err := out.end(); err != nil {
		return err
	}
	switch {
	case out.Interrupted:
		return fmt.Errorf("interrupted: the cases that follow did not run")
	case out.Failed > 0:
		return &exitError{code: ExitFailed}
	case out.Passed == 0:
		return &exitError{ExitNothing, fmt.Errorf("no case could run")}
	}
	return nil
}

// nothingToTest says why no device can be opened.
func nothingToTest(denied []error) error {
	if len(denied) == 0 {
		return errNoDRM
	}
	return fmt.Errorf("none of %d DRM nodes can be opened, the first because: %w", len(denied), denied[0])
}

// selectTargets returns the targets that one of the filters selects, or all
// without a filter.
func selectTargets(targets []conformance.Target, denied []error, filters []string) ([]conformance.Target, error) {
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
			if !strings.HasPrefix(text, "driver:") {
				denied = nil // its name is in sysfs
			}
			return nil, noDevice(strconv.Quote(text), len(targets), denied)
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

func (t *selfT) result(c conformance.Case, name string, took time.Duration) resultJSON {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, device, _ := strings.Cut(name, "/")
	r := resultJSON{ID: c.ID, Device: device, Title: c.Title, Verdict: "passed", Seconds: took.Seconds(), Log: t.lines}
	switch {
	case t.failed:
		r.Verdict = "failed"
	case t.skipped:
		r.Verdict = "skipped"
	}
	return r
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

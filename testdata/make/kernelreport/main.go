// Kernelreport says what the tests of several kernels came to, from the events
// of `go test -json`: which cases passed, failed and were skipped and why, and
// how many steps of the lock-step test agreed, and whether IGT's subtests did
// what testdata/igt/list.txt says.
//
// usage: go run ./testdata/make/kernelreport KERNEL.json...
//
// Run it in the module's root. It fails if a test failed or was not there.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

func main() {
	cases, err := namedCases(".")
	rows, igtErr := readIGT(".")
	if err := errors.Join(err, igtErr); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	ok := true
	for _, file := range os.Args[1:] {
		if err := report(os.Stdout, file, cases, rows); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", file, err)
			ok = false
		}
	}
	if !ok {
		os.Exit(1)
	}
}

// event is a line of `go test -json`.
type event struct {
	Time                          time.Time
	Action, Package, Test, Output string
}

// report prints what one kernel's tests came to.
func report(w io.Writer, file string, cases map[string][]string, rows []igtRow) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	k := newKernel(cases)
	dec := json.NewDecoder(f)
	for {
		var e event
		if err := dec.Decode(&e); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		k.add(e)
	}
	name := strings.TrimSuffix(filepath.Base(file), ".json")
	return errors.Join(k.print(w, name), k.printIGT(w, name, rows))
}

// kernel is what one kernel's tests came to.
type kernel struct {
	cases       map[string][]string        // ids that a test's comment names
	outcome     map[string]map[string]bool // id → actions seen
	reasons     map[string]string          // of ids that were skipped
	tests       map[string]string          // "PACKAGE TEST" → action that ended it
	parents     map[string]bool            // of tests that have subtests
	lockstep    []string
	failed      []string // tests and packages
	first, last time.Time
}

func newKernel(cases map[string][]string) *kernel {
	return &kernel{cases: cases, outcome: map[string]map[string]bool{}, reasons: map[string]string{},
		tests: map[string]string{}, parents: map[string]bool{}}
}

func (k *kernel) add(e event) {
	if k.first.IsZero() {
		k.first = e.Time
	}
	if !e.Time.IsZero() {
		k.last = e.Time
	}
	switch e.Action {
	case "output":
		k.addOutput(e)
	case "pass", "fail", "skip":
		if e.Action == "fail" {
			k.failed = append(k.failed, strings.TrimSuffix(e.Package+" "+e.Test, " "))
		}
		k.tests[e.Package+" "+e.Test] = e.Action
		if i := strings.LastIndex(e.Test, "/"); i > 0 {
			k.parents[e.Package+" "+e.Test[:i]] = true
		}
		for _, id := range k.ids(e) {
			if k.outcome[id] == nil {
				k.outcome[id] = map[string]bool{}
			}
			k.outcome[id][e.Action] = true
		}
	}
}

// ids are the cases that an event is about: the one that a conformance test is
// named after, or those in the test's comment.
func (k *kernel) ids(e event) []string {
	if path := strings.Split(e.Test, "/"); len(path) > 1 && path[0] == "TestConformance" {
		return path[1:2]
	}
	return k.cases[e.Package+" "+e.Test]
}

func (k *kernel) addOutput(e event) {
	line := strings.TrimSpace(e.Output)
	switch {
	case strings.HasPrefix(line, "lockstep: "):
		k.lockstep = append(k.lockstep, line)
	case strings.HasPrefix(line, "conformance: "):
		// conformance: kernel 6.12: A16 skipped: REASON
		if head, reason, ok := strings.Cut(line, " skipped: "); ok {
			k.reasons[head[strings.LastIndex(head, " ")+1:]] = reason
		}
	case e.Test != "" && !strings.HasPrefix(line, "---") && !strings.HasPrefix(line, "==="):
		// The last words of a test that skips are the reason.
		for _, id := range k.ids(e) {
			if _, place, ok := strings.Cut(line, ".go:"); ok {
				_, k.reasons[id], _ = strings.Cut(place, ": ")
			}
		}
	}
}

// print prints the totals, each skip with its reason, and each failure.
func (k *kernel) print(w io.Writer, name string) error {
	var passed, failed int
	var skipped []string
	for id, seen := range k.outcome {
		switch {
		case seen["fail"]:
			failed++
		case seen["pass"]:
			passed++
		default:
			skipped = append(skipped, fmt.Sprintf("%s skipped: %s", id, k.reasons[id]))
		}
	}
	fmt.Fprintf(w, "kernel %s: %d case ids passed, %d failed, %d skipped, in %v\n", name, passed, failed, len(skipped), k.last.Sub(k.first).Round(time.Second))
	for _, s := range k.lockstep {
		fmt.Fprintf(w, "kernel %s: %s\n", name, s)
	}
	slices.Sort(skipped)
	for _, s := range skipped {
		fmt.Fprintf(w, "kernel %s: %s\n", name, s)
	}
	slices.Sort(k.failed)
	for _, s := range k.failed {
		fmt.Fprintf(w, "kernel %s: FAILED %s\n", name, s)
	}
	switch {
	case len(k.failed) > 0:
		return fmt.Errorf("%d tests and packages failed", len(k.failed))
	case passed == 0:
		return errors.New("no case passed")
	case len(k.lockstep) == 0:
		return errors.New("no lock-step test ran")
	}
	return nil
}

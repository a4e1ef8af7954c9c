// Verdicts compares what `gemtool selftest --json` says of the conformance cases
// with what the Go tests say, from the events of `go test -json`.
//
// usage: go run ./testdata/make/verdicts NAME EVENTS.json SELFTEST.json
//
// It prints how many verdicts are the same under the NAME, and fails if one is
// not, or if there are none. Cases that only the Go tests run, as they take
// things from the whole system, must be skipped by selftest for that reason.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/gemtool/gemtool/gem/conformance"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: verdicts NAME EVENTS.json SELFTEST.json")
		os.Exit(2)
	}
	if err := run(os.Stdout, os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintf(os.Stderr, "verdicts: %s: %v\n", os.Args[1], err)
		os.Exit(1)
	}
}

func run(w io.Writer, name, eventsFile, selftestFile string) error {
	tests, err := readEvents(eventsFile)
	if err != nil {
		return err
	}
	self, err := readSelftest(selftestFile)
	if err != nil {
		return err
	}
	return compare(w, name, tests, self)
}

// verdict is what became of a case: passed, failed or skipped, and why.
type verdict struct{ what, why string }

// readEvents reads the verdicts of TestConformance, by ID/DEVICE.
func readEvents(file string) (map[string]verdict, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	verdicts := map[string]verdict{}
	words := map[string]string{"pass": "passed", "fail": "failed", "skip": "skipped"}
	for dec := json.NewDecoder(f); ; {
		var e struct{ Action, Test string }
		if err := dec.Decode(&e); errors.Is(err, io.EOF) {
			return verdicts, nil
		} else if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		name, ok := strings.CutPrefix(e.Test, "TestConformance/")
		if what := words[e.Action]; ok && what != "" {
			verdicts[name] = verdict{what: what}
		}
	}
}

// readSelftest reads those of gemtool selftest.
func readSelftest(file string) (map[string]verdict, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var doc struct {
		Schema  string
		Results []struct {
			ID, Device, Verdict string
			Log                 []string
		}
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if doc.Schema != "gemtool.selftest/v1" {
		return nil, fmt.Errorf("%s: schema %q", file, doc.Schema)
	}
	verdicts := map[string]verdict{}
	for _, r := range doc.Results {
		name := r.ID
		if r.Device != "" {
			name += "/" + r.Device
		}
		verdicts[name] = verdict{r.Verdict, strings.Join(r.Log, "; ")}
	}
	return verdicts, nil
}

func compare(w io.Writer, name string, tests, self map[string]verdict) error {
	// A case of several devices has a test of its own above theirs.
	parents := map[string]bool{}
	for test := range tests {
		if i := strings.Index(test, "/"); i > 0 {
			parents[test[:i]] = true
		}
	}
	all := maps.Clone(tests)
	maps.Copy(all, self)
	same, left, different := map[string]int{}, 0, 0
	for _, test := range slices.Sorted(maps.Keys(all)) {
		if parents[test] {
			continue
		}
		t, s := tests[test].what, self[test].what
		switch {
		case t == s:
			same[t]++
			if t == "failed" {
				fmt.Fprintf(w, "%s: %s failed: %s\n", name, test, self[test].why)
			}
		case t == "passed" && s == "skipped" && strings.Contains(self[test].why, conformance.VMOnly):
			left++
		default:
			different++
			fmt.Fprintf(w, "%s: %s: go test says %q, selftest %q (%s)\n", name, test, t, s, self[test].why)
		}
	}
	fmt.Fprintf(w, "%s: selftest and go test agree on %d passed, %d failed, %d skipped; %d are for go test alone\n",
		name, same["passed"], same["failed"], same["skipped"], left)
	switch {
	case different > 0:
		return fmt.Errorf("%d verdicts differ", different)
	case same["passed"] == 0:
		return errors.New("no case passed")
	}
	return nil
}

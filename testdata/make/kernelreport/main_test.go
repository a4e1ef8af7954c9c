package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const recorded = `{"Time":"2026-11-22T19:20:08Z","Action":"start","Package":"m/gem"}
{"Time":"2026-11-22T19:20:09Z","Action":"output","Package":"m/gem","Test":"TestLockstep","Output":"lockstep: kernel 6.12: 10000 steps agreed, seed 7\n"}
{"Time":"2026-11-22T19:20:10Z","Action":"pass","Package":"m/gem","Test":"TestLockstep","Elapsed":1}
{"Time":"2026-11-22T19:20:10Z","Action":"output","Package":"m/gem","Test":"TestNothing","Output":"    a_test.go:7: no udmabuf: not here\n"}
{"Time":"2026-11-22T19:20:10Z","Action":"skip","Package":"m/gem","Test":"TestNothing"}
{"Time":"2026-11-22T19:20:11Z","Action":"pass","Package":"m/gem/conformance","Test":"TestConformance/A01/vkms"}
{"Time":"2026-11-22T19:20:11Z","Action":"skip","Package":"m/gem/conformance","Test":"TestConformance/A01/vgem"}
{"Time":"2026-11-22T19:20:11Z","Action":"skip","Package":"m/gem/conformance","Test":"TestConformance/A16"}
{"Time":"2026-11-22T19:20:12Z","Action":"output","Package":"m/gem/conformance","Output":"conformance: kernel 6.12: A16 skipped: came with Linux 7.2\n"}
{"Time":"2026-11-22T19:22:08Z","Action":"pass","Package":"m/gem"}
`

const failure = `{"Time":"2026-11-22T19:23:08Z","Action":"fail","Package":"m/gem/conformance","Test":"TestConformance/A01/bochs"}
{"Time":"2026-11-22T19:23:08Z","Action":"fail","Package":"m/gem/conformance"}
`

// write makes a module with tests, and a file of events.
func write(t *testing.T, events string) (file string, cases map[string][]string) {
	t.Helper()
	dir := t.TempDir()
	tests := `package gem

// TestLockstep passes if all is well.
// Cases F03, F04
func TestLockstep(t *testing.T) {}

// Case G01

// TestNothing needs a device.
// Case C20
func TestNothing(t *testing.T) {}
`
	for name, text := range map[string]string{"go.mod": "module m\n", "gem/a_test.go": tests, "6.12.json": events} {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cases, err := namedCases(dir)
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "6.12.json"), cases
}

func TestReport(t *testing.T) {
	file, cases := write(t, recorded)
	var out strings.Builder
	err := report(&out, file, cases, nil)
	want := `kernel 6.12: 3 case ids passed, 0 failed, 2 skipped, in 2m0s
kernel 6.12: lockstep: kernel 6.12: 10000 steps agreed, seed 7
kernel 6.12: A16 skipped: came with Linux 7.2
kernel 6.12: C20 skipped: no udmabuf: not here
kernel 6.12: IGT: 0 subtests passed, 0 not as listed, 0 skipped, 0 have nothing here to show them
`
	if err != nil || out.String() != want {
		t.Errorf("%v, got:\n%swant:\n%s", err, out.String(), want)
	}
}

// A failure, a lock-step test that did not run and tests that did not are no
// success.
func TestReportFails(t *testing.T) {
	for name, test := range map[string]struct{ events, out, err string }{
		"failure":     {recorded + failure, "FAILED m/gem/conformance TestConformance/A01/bochs\n", "2 tests and packages failed"},
		"no lockstep": {strings.ReplaceAll(recorded, "lockstep:", "stepped:"), "3 case ids passed", "no lock-step test ran"},
		"nothing":     {"", "0 case ids passed", "no case passed"},
	} {
		file, cases := write(t, test.events)
		var out strings.Builder
		err := report(&out, file, cases, nil)
		if err == nil || err.Error() != test.err || !strings.Contains(out.String(), test.out) {
			t.Errorf("%s: got %v, want %s, and:\n%s", name, err, test.err, out.String())
		}
	}
	if err := report(&strings.Builder{}, "nosuch.json", nil, nil); err == nil {
		t.Error("a file that is not there was reported on")
	}
}

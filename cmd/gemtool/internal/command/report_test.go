package command

import (
	"bytes"
	"encoding/xml"
	"errors"
	"strings"
	"testing"
)

// TestReport passes if each format says the same of the cases, whatever a case
// had to say.
func TestReport(t *testing.T) {
	for _, format := range reportFormats {
		var b bytes.Buffer
		r := newReport(&b, format, "6.12")
		r.add(resultJSON{ID: "A01", Device: "vkms", Title: "a buffer", Verdict: "passed", Seconds: 0.25})
		r.add(resultJSON{ID: "A02", Device: "vkms\x1b", Title: "# a title", Verdict: "failed", Seconds: 1, Log: []string{"got <1>\nwant 2", "\x1b[31m \x00", "\u009b2J\u202e"}})
		r.add(resultJSON{ID: "A03", Title: "none", Verdict: "skipped", Log: []string{"no device # here"}})
		if err := r.end(); err != nil {
			t.Fatal(err)
		}
		if format == "junit" {
			var suite junitSuite
			if err := xml.Unmarshal(b.Bytes(), &suite); err != nil || len(suite.Cases) != 3 || suite.Cases[1].Failure == nil || suite.Cases[2].Skipped == nil || suite.Cases[0].Failure != nil {
				t.Errorf("%v: %+v", err, suite)
			}
		}
		golden(t, "selftest."+format, b.String())
	}
}

// full is a disk.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

// TestReportFull passes if a report that cannot be written is an error.
func TestReportFull(t *testing.T) {
	for _, format := range reportFormats {
		r := newReport(full{}, format, "6.12")
		r.add(resultJSON{ID: "A01"})
		if r.end() == nil {
			t.Errorf("%s: no error", format)
		}
	}
}

// TestReportInterrupted passes if no reader of a report takes the cases that ran
// before an interrupt for all there were.
func TestReportInterrupted(t *testing.T) {
	for format, want := range map[string]string{
		"tap": "ok 1 - A01 \nBail out! interrupted\n", "junit": `tests="2" failures="0" errors="1"`, "json": `"interrupted": true`,
	} {
		var b bytes.Buffer
		r := newReport(&b, format, "6.12")
		r.add(resultJSON{ID: "A01", Verdict: "passed"})
		r.Interrupted = true
		if err := r.end(); err != nil || !strings.Contains(b.String(), want) || strings.Contains(b.String(), "1..1") {
			t.Errorf("%s: %v, got\n%s", format, err, &b)
		}
	}
}

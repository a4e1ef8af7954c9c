package command

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/gemtool/gemtool/cmd/gemtool/internal/words"
)

var reportFormats = []string{"text", "tap", "junit", "json"}

// report prints what became of the conformance cases. After the first error in
// writing it writes no more.
type report struct {
	Schema  string `json:"schema"`
	Kernel  string `json:"kernel"`
	Passed  int    `json:"passed"`
	Failed  int    `json:"failed"`
	Skipped int    `json:"skipped"`
	// Interrupted: the cases that follow did not run.
	Interrupted bool         `json:"interrupted"`
	Results     []resultJSON `json:"results"`

	w      io.Writer
	format string
	color  bool
	err    error
}

type resultJSON struct {
	ID      string   `json:"id"`
	Device  string   `json:"device,omitempty"` // empty for a case that applies to none
	Title   string   `json:"title"`
	Verdict string   `json:"verdict"` // passed, failed or skipped
	Seconds float64  `json:"seconds"`
	Log     []string `json:"log,omitempty"`
}

func newReport(w io.Writer, format, kernel string) *report {
	r := &report{Schema: "gemtool.selftest/v1", Kernel: kernel, Results: []resultJSON{}, w: w, format: format, color: inColor(w)}
	if format == "tap" {
		r.printf("TAP version 14\n")
	}
	return r
}

func (r *report) printf(format string, args ...any) {
	if r.err == nil {
		_, r.err = fmt.Fprintf(r.w, format, args...)
	}
}

func (c *resultJSON) name() string {
	if c.Device == "" {
		return c.ID
	}
	return c.ID + "/" + words.Escape(c.Device)
}

func (r *report) add(c resultJSON) {
	r.Results = append(r.Results, c)
	p := page{color: r.color}
	verdict, ok := "ok  ", "ok"
	switch c.Verdict {
	case "failed":
		r.Failed++
		verdict, ok = p.paint(red, "FAIL"), "not ok"
	case "skipped":
		r.Skipped++
		verdict = "skip"
	default:
		r.Passed++
	}
	switch r.format {
	case "text":
		r.printf("%s %-16s %s\n", verdict, c.name(), c.Title)
		r.log(c, "     ")
	case "tap":
		// A # would begin a directive, and a \ escapes one.
		r.printf("%s %d - %s", ok, len(r.Results), tapEscape.Replace(c.name()+" "+c.Title))
		if c.Verdict == "skipped" {
			r.printf(" # SKIP %s", tapEscape.Replace(escapeLines(c.Log)))
		}
		r.printf("\n")
		if c.Verdict != "skipped" {
			r.log(c, "# ")
		}
	}
}

var tapEscape = strings.NewReplacer(`\`, `\\`, `#`, `\#`)

func (r *report) log(c resultJSON, indent string) {
	for _, entry := range c.Log {
		for line := range strings.SplitSeq(entry, "\n") {
			r.printf("%s%s\n", indent, words.Escape(line))
		}
	}
}

// end prints what comes last, and returns the first error in writing.
func (r *report) end() error {
	switch r.format {
	case "text":
		r.printf("%d passed, %d failed, %d skipped\n", r.Passed, r.Failed, r.Skipped)
	case "tap":
		if r.Interrupted { // without a plan, which could look like all there was
			r.printf("Bail out! interrupted\n")
		} else if len(r.Results) == 0 {
			r.printf("1..0 # SKIP no case could run\n")
		} else {
			r.printf("1..%d\n", len(r.Results))
		}
	case "junit":
		r.junit()
	case "json":
		if r.err == nil {
			r.err = writeJSON(r.w, r)
		}
	}
	return r.err
}

func escapeLines(lines []string) string { return words.Escape(strings.Join(lines, "; ")) }

// escapeText keeps the lines.
func escapeText(log []string) string {
	lines := strings.Split(strings.Join(log, "\n"), "\n")
	for i := range lines {
		lines[i] = words.Escape(lines[i])
	}
	return strings.Join(lines, "\n")
}

type junitSuite struct {
	XMLName  xml.Name    `xml:"testsuite"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Time     string      `xml:"time,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Time    string        `xml:"time,attr"`
	Failure *junitMessage `xml:"failure"`
	Error   *junitMessage `xml:"error"`
	Skipped *junitMessage `xml:"skipped"`
}

type junitMessage struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

func (r *report) junit() {
	suite := junitSuite{Name: "gemtool selftest, Linux " + r.Kernel, Tests: len(r.Results), Failures: r.Failed, Skipped: r.Skipped}
	total := 0.0
	for _, c := range r.Results {
		total += c.Seconds
		j := junitCase{Class: "gemtool." + c.ID, Name: c.name() + " " + c.Title, Time: fmt.Sprintf("%.3f", c.Seconds)}
		m := &junitMessage{Message: escapeLines(c.Log)}
		switch c.Verdict {
		case "failed":
			m.Text = escapeText(c.Log)
			j.Failure = m
		case "skipped":
			j.Skipped = m
		}
		suite.Cases = append(suite.Cases, j)
	}
	if r.Interrupted {
		suite.Tests, suite.Errors = suite.Tests+1, 1
		suite.Cases = append(suite.Cases, junitCase{Class: "gemtool", Name: "interrupted", Time: "0",
			Error: &junitMessage{Message: "the cases that follow did not run"}})
	}
	suite.Time = fmt.Sprintf("%.3f", total)
	// Encoding to a string cannot fail, and XML takes every character or has
	// another for it.
	b, err := xml.MarshalIndent(suite, "", "  ")
	if err != nil {
		r.err = err
		return
	}
	r.printf("%s%s\n", xml.Header, b)
}

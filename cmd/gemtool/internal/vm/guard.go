//go:build linux

package vm

import (
	_ "embed"
	"fmt"
	"regexp"
	"strings"

	"github.com/gemtool/gemtool/drm/drmtest"
)

//go:embed allow.txt
var allowText string

// warnReport matches the first line of a WARN's report, as it was until Linux
// 6.18 and as it is since.
var warnReport = regexp.MustCompile(`WARNING: (CPU: \d+ PID: |.*\bat .*, CPU#\d+: )`)

// guard looks for the first line of a log that proves a broken kernel.
type guard struct {
	allow   []*regexp.Regexp
	passing bool   // inside the report of an allowed WARNING
	problem string // the first bad line
	panic   string // the line of a kernel panic
}

func newGuard() guard {
	allow, err := parseAllow(allowText)
	if err != nil {
		panic(err) // the file is part of the executable, and a test reads it
	}
	return guard{allow: allow}
}

func (g *guard) check(line string) {
	if strings.Contains(line, "Kernel panic") && g.panic == "" {
		g.panic = line
	}
	if g.passing {
		g.passing = !strings.Contains(line, "---[ end trace")
		return
	}
	if g.problem != "" || !drmtest.KernelComplaint(line) {
		return
	}
	for _, re := range g.allow {
		if re.MatchString(line) {
			// Only a WARN has a report that ends with a mark of its own.
			g.passing = warnReport.MatchString(line)
			return
		}
	}
	g.problem = line
}

// parseAllow reads an allow-list: "REGEXP<tab>REASON" a line, # for comments.
func parseAllow(text string) ([]*regexp.Regexp, error) {
	var allow []*regexp.Regexp
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		expr, reason, _ := strings.Cut(line, "\t")
		if strings.TrimSpace(reason) == "" {
			return nil, fmt.Errorf("allow-list: no reason given for %q", expr)
		}
		re, err := regexp.Compile(expr)
		if err != nil {
			return nil, fmt.Errorf("allow-list: %w", err)
		}
		allow = append(allow, re)
	}
	return allow, nil
}

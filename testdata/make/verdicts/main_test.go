package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gemtool/gemtool/gem/conformance"
)

const (
	events = `{"Action":"run","Test":"TestConformance/A01"}
{"Action":"pass","Test":"TestConformance/A01/vkms"}
{"Action":"skip","Test":"TestConformance/A01/vgem"}
{"Action":"pass","Test":"TestConformance/A01"}
{"Action":"skip","Test":"TestConformance/A16"}
{"Action":"pass","Test":"TestConformance/M01/bochs-drm"}
{"Action":"pass","Test":"TestConformance/M01"}
{"Action":"pass","Test":"TestOther"}
`
	same = `{"ID":"A01","device":"vkms","verdict":"passed"},{"ID":"A01","device":"vgem","verdict":"skipped","log":["why"]},{"ID":"A16","verdict":"skipped"}`
	only = `,{"ID":"M01","device":"bochs-drm","verdict":"skipped","log":["it takes: ` + conformance.VMOnly + `"]}`
)

// TestRun passes if the same verdicts are counted, and every other one is named
// and an error.
func TestRun(t *testing.T) {
	for name, test := range map[string]struct{ events, results, out, err string }{
		"same":        {events, same + only, "x: selftest and go test agree on 1 passed, 0 failed, 2 skipped; 1 are for go test alone\n", ""},
		"other":       {events, strings.Replace(same, "passed", "failed", 1) + only, `x: A01/vkms: go test says "passed", selftest "failed"`, "1 verdicts differ"},
		"did not run": {events, same, `x: M01/bochs-drm: go test says "passed", selftest ""`, "1 verdicts differ"},
		"a skip":      {events, same + strings.Replace(only, "Go tests", "tests", 1), `selftest "skipped" (it takes`, "1 verdicts differ"},
		"one more":    {events, same + only + `,{"ID":"Z01","verdict":"passed"}`, `x: Z01: go test says "", selftest "passed"`, "1 verdicts differ"},
		"both failed": {strings.Replace(events, "pass", "fail", 1), strings.Replace(same, `"passed"`, `"failed","log":["why"]`, 1), "x: A01/vkms failed: why\n", "1 verdicts differ"},
		"nothing":     {"", "", "agree on 0 passed", "no case passed"},
		"no events":   {"x", same, "", "invalid character"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			e, s := filepath.Join(dir, "events"), filepath.Join(dir, "selftest")
			for file, text := range map[string]string{e: test.events, s: `{"schema":"gemtool.selftest/v1","results":[` + test.results + `]}`} {
				if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			var out strings.Builder
			err := run(&out, "x", e, s)
			if !strings.Contains(out.String(), test.out) || (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
				t.Errorf("%v, got:\n%s", err, out.String())
			}
		})
	}
}

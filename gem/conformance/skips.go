package conformance

import (
	_ "embed"
	"strings"
)

//go:embed skips.txt
var skipsText string

// noDevice stands in skips.txt for "applies to no device of the VM".
const noDevice = "-"

// skip is a line of skips.txt.
type skip struct{ id, kernel, device, reason string }

func parseSkips(text string) []skip {
	var all []skip
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		f := strings.Fields(line)
		if len(f) < 4 {
			continue
		}
		all = append(all, skip{f[0], f[1], f[2], strings.Join(f[3:], " ")})
	}
	return all
}

// allowedSkip says whether a case may skip, and why.
func allowedSkip(id string, k Kernel, device string) (reason string, ok bool) {
	for _, s := range parseSkips(skipsText) {
		if s.id == id && (s.kernel == "*" || s.kernel == k.String()) && (s.device == "*" || s.device == device) {
			return s.reason, true
		}
	}
	return "", false
}

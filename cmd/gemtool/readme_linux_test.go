package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gemtool/gemtool/cmd/gemtool/internal/command"
	"github.com/gemtool/gemtool/drm/drmtest"
)

// TestReadmeDevices passes if README.md shows what commands print in the VM:
// below a line "$ gemtool …", up to the end of the block, where a line "…" stands
// for any. Numbers of nodes and the order of devices may be others.
func TestReadmeDevices(t *testing.T) {
	if !drmtest.InVM() {
		t.Skip("needs the devices of the VM")
	}
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(release), "6.12.") {
		t.Skipf("README shows Linux 6.12, this is %s", strings.TrimSpace(string(release)))
	}
	t.Setenv("COLUMNS", "100")
	blocks := regexp.MustCompile(`(?m)^    \$ gemtool (.*)\n((?:    .*\n)+)`).FindAllStringSubmatch(readFile(t, "README.md"), -1)
	if len(blocks) == 0 {
		t.Fatal("README shows no command")
	}
	for _, block := range blocks {
		var out, words strings.Builder
		if code := command.Main(t.Context(), strings.Fields(block[1]), nil, &out, &words); code != 0 {
			t.Errorf("gemtool %s: exit code %d: %s", block[1], code, words.String())
			continue
		}
		printed := sameNumbers(out.String())
		for line := range strings.Lines(sameNumbers(block[2])) {
			line = strings.TrimPrefix(line, "    ")
			if strings.TrimLeft(line, " │") == "…\n" {
				continue
			}
			if !slices.Contains(slices.Collect(strings.Lines(printed)), line) {
				t.Errorf("gemtool %s does not print: %s", block[1], line)
			}
		}
	}
}

// sameNumbers makes one number of all that differ from boot to boot.
func sameNumbers(text string) string {
	text = regexp.MustCompile(`card\d|Virtual-\d|D\d{3}|: \d+ of \{\d+\}|ID: \d+|0000:00:0\d`).ReplaceAllStringFunc(text, func(s string) string {
		return regexp.MustCompile(`\d`).ReplaceAllString(s, "#")
	})
	return text
}

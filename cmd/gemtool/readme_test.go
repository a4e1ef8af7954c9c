package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/gemtool/gemtool/cmd/gemtool/internal/command"
)

const top = "../../" // of the module

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(top + path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// indent makes a code block as README.md has them.
func indent(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if line != "\n" {
			b.WriteString("    ")
		}
		b.WriteString(strings.ReplaceAll(line, "\t", "    "))
	}
	return b.String()
}

// TestReadme passes if what README.md shows is what the project has: the
// matrix that the VM's test expects, the example that is compiled, and
// commands and targets that exist.
func TestReadme(t *testing.T) {
	readme := readFile(t, "README.md")

	golden := readFile(t, "testdata/golden/matrix-6.12.txt")
	if !strings.Contains(readme, indent(golden)) {
		t.Error("the matrix is not that of testdata/golden/matrix-6.12.txt")
	}

	_, example, _ := strings.Cut(readFile(t, "gem/example_test.go"), "\n// Share draws")
	example, _, ok := strings.Cut(example, "\n}\n")
	if !ok || !strings.Contains(readme, indent("// Share draws"+example+"\n}\n")) {
		t.Error("the example is not that of gem/example_test.go")
	}

	makefile := readFile(t, "Makefile")
	for _, m := range regexp.MustCompile(`(?m)^    make ([a-z-]+)`).FindAllStringSubmatch(readme, -1) {
		if !regexp.MustCompile(`(?m)^` + m[1] + `:`).MatchString(makefile) {
			t.Errorf("make %s is no target", m[1])
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^    gemtool ([a-z]+)`).FindAllStringSubmatch(readme, -1) {
		var out strings.Builder
		if code := command.Main(t.Context(), []string{m[1], "--help"}, nil, &out, &out); code != 0 {
			t.Errorf("gemtool %s --help: exit code %d", m[1], code)
		}
	}
}

package conformance

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gemtool/gemtool/drm/drmtest"
)

// TestIGT passes if every subtest of IGT that was promised has its row in
// testdata/igt/list.txt, and the row names a Go test that has a subtest of that
// name, or says why there can be none. Whether it ran is for "make
// test-kernels" to see.
func TestIGT(t *testing.T) {
	if drmtest.InVM() {
		t.Skip("about this module's sources, which are slow to read from here: on the host")
	}
	read := func(name string) (lines []string) {
		text, err := os.ReadFile(filepath.Join("../../testdata/igt", name))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
				lines = append(lines, line)
			}
		}
		return lines
	}
	rows := make(map[string][]string)
	for _, line := range read("list.txt") {
		f := strings.Fields(line)
		if _, twice := rows[f[0]]; twice {
			t.Errorf("list.txt: %s stands there twice", f[0])
		}
		rows[f[0]] = f[1:]
	}
	sources := make(map[string]string) // by "PACKAGE TEST"
	subtests := read("subtests.txt")
	for _, name := range subtests {
		row, ok := rows[name]
		if !ok {
			t.Errorf("list.txt: no row for %s", name)
			continue
		}
		if err := checkRow(name, row, sources); err != nil {
			t.Errorf("list.txt: %s: %v", name, err)
		}
	}
	for name := range rows {
		if !slices.Contains(subtests, name) {
			t.Errorf("list.txt: IGT has no %s", name)
		}
	}
}

// generated is of the names that drm makes up of flags and states, for which
// the source has this part of them: that they are IGT's its
// TestIGTSyncobjMatrix holds.
var generated = regexp.MustCompile("(single|multi)-wait")

// checkRow checks what stands behind a subtest's name in list.txt.
func checkRow(name string, row []string, sources map[string]string) error {
	if len(row) < 3 {
		return fmt.Errorf("a row of %d words", 1+len(row))
	}
	id, kernels, rest := row[0], row[1], row[2:]
	if id != "-" && !slices.ContainsFunc(strings.Split(requiredText, "\n"), func(line string) bool {
		return line == id || strings.HasPrefix(line, id+" ")
	}) {
		return fmt.Errorf("required.txt has no case %s", id)
	}
	if kernels == "none" {
		return nil // the rest is the reason
	}
	if len(rest) < 2 || kernels != "all" && len(rest) < 3 {
		return fmt.Errorf("%q: no test, or no reason for kernels without it", strings.Join(rest, " "))
	}
	for k := range strings.SplitSeq(kernels, ",") {
		if _, err := ParseKernel(k); err != nil && kernels != "all" {
			return err
		}
	}
	source, err := testSource(rest[0], rest[1], sources)
	if err != nil {
		return err
	}
	_, subtest, _ := strings.Cut(name, "@")
	if m := generated.FindString(subtest); m != "" {
		subtest = m
	}
	if !strings.Contains(source, `"`+subtest+`"`) {
		return fmt.Errorf("%s of %s has no subtest %s", rest[1], rest[0], subtest)
	}
	return nil
}

// testSource returns the file that a package's test is in.
func testSource(pkg, test string, known map[string]string) (string, error) {
	if source, ok := known[pkg+" "+test]; ok {
		return source, nil
	}
	files, err := filepath.Glob(filepath.Join("../..", filepath.FromSlash(pkg), "*_test.go"))
	if err != nil {
		return "", err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		if strings.Contains(string(text), "\nfunc "+test+"(t *testing.T)") {
			known[pkg+" "+test] = string(text)
			return string(text), nil
		}
	}
	return "", fmt.Errorf("%s has no test %s", pkg, test)
}

package main

import (
	"bufio"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

var (
	caseLine = regexp.MustCompile(`^// .*\b[Cc]ases? [A-Z]\d\d`)
	caseID   = regexp.MustCompile(`\b[A-Z]\d\d[a-z]?\b`)
	testFunc = regexp.MustCompile(`^func (Test\w+)\(`)
)

// namedCases finds the cases that the comments of the module's tests name, as
// in "// Cases G12, G17", by "PACKAGE TEST".
func namedCases(root string) (map[string][]string, error) {
	module, err := modulePath(root)
	if err != nil {
		return nil, err
	}
	cases := map[string][]string{}
	err = filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(file, "_test.go") {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(file))
		if err != nil {
			return err
		}
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		defer f.Close()
		var ids []string
		lines := bufio.NewScanner(f)
		for lines.Scan() {
			line := lines.Text()
			switch m := testFunc.FindStringSubmatch(line); {
			case m != nil:
				cases[path.Join(module, filepath.ToSlash(dir))+" "+m[1]] = ids
				ids = nil
			case caseLine.MatchString(line):
				ids = append(ids, caseID.FindAllString(line, -1)...)
			case !strings.HasPrefix(line, "//"):
				ids = nil // the comment was another thing's
			}
		}
		return lines.Err()
	})
	return cases, err
}

// modulePath reads the name of the module in a directory.
func modulePath(root string) (string, error) {
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return "", err
	}
	return strings.Fields(string(mod))[1], nil
}

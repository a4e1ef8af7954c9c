package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/gemtool/gemtool/testdata/uapi/layout"
)

// row is an ioctl, and whether each peer binds it.
type row struct {
	ioctl, group string
	peers        []bool
}

// readPeers reads coverage.tsv: the peers' names, and a row for every ioctl.
func readPeers(root string) (peers []string, rows []row, err error) {
	file := filepath.Join(root, "testdata/uapi/coverage.tsv")
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, err
	}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		cells := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(cells) < 3 || peers != nil && len(cells) != len(peers)+2 {
			return nil, nil, fmt.Errorf("%s: %q is no row of the table", file, line)
		}
		if peers == nil {
			peers = cells[2:]
			continue
		}
		r := row{ioctl: cells[0], group: cells[1]}
		for _, c := range cells[2:] {
			r.peers = append(r.peers, c != "-")
		}
		rows = append(rows, r)
	}
	return peers, rows, nil
}

// leftOut reads left-out.txt: the reason for every ioctl that is not bound.
func leftOut(root string) (map[string]string, error) {
	text, err := os.ReadFile(filepath.Join(root, "testdata/uapi/left-out.txt"))
	if err != nil {
		return nil, err
	}
	reasons := make(map[string]string)
	for line := range strings.Lines(string(text)) {
		names, reason, ok := strings.Cut(line, ":")
		if strings.HasPrefix(line, "#") || !ok {
			continue
		}
		for _, name := range strings.Fields(names) {
			reasons[name] = strings.TrimSpace(reason)
		}
	}
	return reasons, nil
}

// opUse is a use of an ioctl; its name alone is asked for where errors are made.
var opUse = regexp.MustCompile(`\buapi\.(Op\w+)(\.Name\(\))?`)

// bound returns the ioctls that this module binds: those declared in its uapi
// packages, and used by a package that is not for tests.
func bound(root string) (map[string]bool, error) {
	ours := make(map[string]bool)
	for _, tree := range []string{"drm", "prime"} {
		ops, err := layout.Ops(filepath.Join(root, tree, "internal/uapi"))
		if err != nil {
			return nil, err
		}
		used, err := uses(filepath.Join(root, tree))
		if err != nil {
			return nil, err
		}
		for _, op := range ops {
			if used[op.Var] {
				ours[op.Name] = true
			}
		}
	}
	return ours, nil
}

// uses returns the ioctls, by variable, that Go files in a tree use.
func uses(root string) (map[string]bool, error) {
	used := make(map[string]bool)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == "drmtest" {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(path)
		for _, m := range opUse.FindAllStringSubmatch(string(text), -1) {
			if m[2] == "" {
				used[m[1]] = true
			}
		}
		return err
	})
	return used, err
}

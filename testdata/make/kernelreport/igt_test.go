package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const igtList = `# a comment
p@passes   I10 all  drm TestP
p@later    -   7.2  drm TestP it came with Linux 7.2
p@never    -   none it needs hardware
`

// subtest is an event of a subtest of TestP.
func subtest(action, name string) string {
	return `{"Action":"` + action + `","Package":"m/drm","Test":"TestP/` + name + `"}` + "\n"
}

// TestIGT passes if subtests that do what their rows say are counted, and every
// other one is named and an error.
func TestIGT(t *testing.T) {
	root := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		name = filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return name
	}
	write("go.mod", "module m\n")
	write("testdata/igt/list.txt", igtList)
	rows, err := readIGT(root)
	if err != nil || len(rows) != 3 {
		t.Fatalf("%+v, %v", rows, err)
	}
	good := subtest("skip", "passes/vgem") + subtest("pass", "passes/vkms") + subtest("pass", "passes")
	for _, test := range []struct{ name, kernel, events, want string }{
		{"as listed", "6.12", good + subtest("skip", "later"), "IGT: 1 subtests passed, 0 not as listed, 1 skipped, 1 have nothing"},
		{"as listed on the newest", "7.2", good + subtest("pass", "later"), "IGT: 2 subtests passed, 0 not as listed, 0 skipped"},
		{"did not run", "6.12", good, "IGT: p@later did not run: m/drm TestP/later\n"},
		{"failed", "6.12", subtest("fail", "passes/vkms") + subtest("fail", "passes") + subtest("skip", "later"), "IGT: p@passes: fail, where list.txt says pass"},
		{"all below are skipped", "6.12", subtest("skip", "passes/vgem") + subtest("pass", "passes") + subtest("skip", "later"), "IGT: p@passes: skip, where list.txt says pass"},
		{"passes where it is not to", "6.12", good + subtest("pass", "later"), "IGT: p@later: pass, where list.txt says skip"},
	} {
		var out strings.Builder
		err := report(&out, write(test.kernel+".json", test.events), nil, rows)
		wrong := err != nil && strings.Contains(err.Error(), "IGT")
		if !strings.Contains(out.String(), test.want) || wrong == strings.HasPrefix(test.name, "as listed") {
			t.Errorf("%s: %v, got:\n%s", test.name, err, out.String())
		}
	}
	write("testdata/igt/list.txt", "p@short all\n")
	if rows, err := readIGT(root); err == nil {
		t.Errorf("a row of two words: %+v", rows)
	}
}

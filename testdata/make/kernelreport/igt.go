package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// igtRow is a row of testdata/igt/list.txt, which describes them.
type igtRow struct {
	subtest string // of IGT: "core_auth@basic-auth"
	kernels []string
	test    string // "PACKAGE TEST/SUBTEST", empty where there can be none
}

// passesOn says whether the row has the subtest pass on a kernel.
func (r igtRow) passesOn(kernel string) bool {
	return slices.Contains(r.kernels, "all") || slices.Contains(r.kernels, kernel)
}

// readIGT reads the rows.
func readIGT(root string) ([]igtRow, error) {
	module, err := modulePath(root)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(filepath.Join(root, "testdata/igt/list.txt"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var rows []igtRow
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		w := strings.Fields(lines.Text())
		if len(w) == 0 || strings.HasPrefix(w[0], "#") {
			continue
		}
		if len(w) < 4 {
			return nil, fmt.Errorf("%s: %q", f.Name(), lines.Text())
		}
		row := igtRow{subtest: w[0]}
		if w[2] != "none" {
			if len(w) < 5 {
				return nil, fmt.Errorf("%s: %q", f.Name(), lines.Text())
			}
			_, sub, _ := strings.Cut(w[0], "@")
			row.kernels = strings.Split(w[2], ",")
			row.test = path.Join(module, w[3]) + " " + w[4] + "/" + sub
		}
		rows = append(rows, row)
	}
	return rows, lines.Err()
}

// outcomeOf says what came of a subtest and of those below it: "fail" if one
// failed, "pass" if one without subtests of its own passed, "skip" if all were
// skipped, and "" if nothing ran.
func (k *kernel) outcomeOf(test string) string {
	outcome := ""
	for name, action := range k.tests {
		if name != test && !strings.HasPrefix(name, test+"/") {
			continue
		}
		switch {
		case action == "fail":
			return "fail"
		case k.parents[name]: // passes whatever its subtests do but fail
		case action == "pass" || outcome == "":
			outcome = action
		}
	}
	return outcome
}

// printIGT prints how many of IGT's subtests did what their rows say, and each
// that did not.
func (k *kernel) printIGT(w io.Writer, name string, rows []igtRow) error {
	var passed, skipped, none int
	var wrong []string
	for _, row := range rows {
		if row.test == "" {
			none++
			continue
		}
		want := "skip"
		if row.passesOn(name) {
			want = "pass"
		}
		got := k.outcomeOf(row.test)
		switch {
		case got != want && got == "":
			wrong = append(wrong, row.subtest+" did not run: "+row.test)
		case got != want:
			wrong = append(wrong, fmt.Sprintf("%s: %s, where list.txt says %s: %s", row.subtest, got, want, row.test))
		case want == "pass":
			passed++
		default:
			skipped++
		}
	}
	fmt.Fprintf(w, "kernel %s: IGT: %d subtests passed, %d not as listed, %d skipped, %d have nothing here to show them\n", name, passed, len(wrong), skipped, none)
	for _, s := range wrong {
		fmt.Fprintf(w, "kernel %s: IGT: %s\n", name, s)
	}
	if len(wrong) > 0 {
		return fmt.Errorf("%d subtests of IGT did not do what testdata/igt/list.txt says", len(wrong))
	}
	return nil
}

package kunit

import (
	"fmt"
	"os"
	"path/filepath"
)

// suites is where a kernel with CONFIG_KUNIT_DEBUGFS keeps its suites.
const suites = "/sys/kernel/debug/kunit"

// run has the kernel run a suite.
func run(suite string) (result, error) {
	dir := filepath.Join(suites, suite)
	f, err := os.OpenFile(filepath.Join(dir, "run"), os.O_WRONLY, 0)
	if err != nil {
		return result{}, err
	}
	_, err = f.WriteString("1\n")
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return result{}, fmt.Errorf("running %s: %w", suite, err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "results"))
	if err != nil {
		return result{}, err
	}
	return parse(string(text), suite)
}

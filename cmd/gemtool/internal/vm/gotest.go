//go:build linux

package vm

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// testFileFlags are the flags of a test binary that name a file to write, and
// testDirFlags those that name a directory.
var (
	testFileFlags = []string{"coverprofile", "cpuprofile", "memprofile", "blockprofile", "mutexprofile", "trace", "testlogfile"}
	testDirFlags  = []string{"outputdir", "gocoverdir", "fuzzcachedir"}
)

// oracleModule lets tests compare the kernel's own counters with the library's.
// The kernels that this repository makes have it.
const oracleModule = "gemtool_oracle"

// bootSlack is what a VM may need beyond the time of the test in it.
const bootSlack = 30 * time.Second

// IsGoTest reports whether args run a test binary, as "go test -exec" does.
func IsGoTest(args []string) bool {
	return len(args) > 0 && (strings.HasSuffix(args[0], ".test") || slices.ContainsFunc(args[1:], func(a string) bool {
		return strings.HasPrefix(strings.TrimLeft(a, "-"), "test.") && strings.HasPrefix(a, "-")
	}))
}

// ForGoTest completes c for a test binary: the guest has the module at the
// same path, the working directory, the environment that steers tests, and the
// directories that profiles are written to. A timeout that is zero is made to
// fit the test's own.
func (c *Config) ForGoTest() error {
	wd, err := os.Getwd()
	if err != nil {
		return err
	}
	root := moduleRoot(wd)
	def(&c.Chdir, wd)
	c.Wanted = append(c.Wanted, oracleModule)
	c.Dirs = append(c.Dirs, Dir{Host: root})
	flags := testFlags(c.Args[1:])
	for _, f := range testFileFlags {
		if v := flags[f]; v != "" {
			c.Dirs = append(c.Dirs, Dir{Host: filepath.Dir(filepath.Join(outputDir(flags, f), v))})
		}
	}
	for _, f := range testDirFlags {
		if v := flags[f]; v != "" {
			c.Dirs = append(c.Dirs, Dir{Host: v})
		}
	}
	if v := os.Getenv("GOCOVERDIR"); v != "" {
		c.Dirs = append(c.Dirs, Dir{Host: v})
	}
	for _, v := range os.Environ() {
		if strings.HasPrefix(v, "GO") || strings.HasPrefix(v, "GEMTOOL_") {
			c.Env = append([]string{v}, c.Env...)
		}
	}
	if d, err := time.ParseDuration(flags["timeout"]); err == nil && c.Timeout == 0 {
		c.Timeout = max(d+bootSlack, 2*time.Minute)
	}
	return nil
}

// outputDir is where the test binary puts the file of a flag that is not an
// absolute path; filepath.Join leaves absolute ones alone only with "".
func outputDir(flags map[string]string, name string) string {
	if filepath.IsAbs(flags[name]) || name == "testlogfile" {
		return ""
	}
	return flags["outputdir"]
}

// testFlags returns the -test.NAME=VALUE flags, without the prefix.
func testFlags(args []string) map[string]string {
	flags := map[string]string{}
	for _, a := range args {
		name, value, _ := strings.Cut(strings.TrimLeft(a, "-"), "=")
		if name, ok := strings.CutPrefix(name, "test."); ok && strings.HasPrefix(a, "-") {
			flags[name] = value
		}
	}
	return flags
}

// moduleRoot is the directory of the go.mod that dir belongs to, or dir itself
// where there is none.
func moduleRoot(dir string) string {
	for d := dir; ; d = filepath.Dir(d) {
		if _, err := os.Stat(filepath.Join(d, "go.mod")); err == nil {
			return d
		}
		if d == filepath.Dir(d) {
			return dir
		}
	}
}

package kunit

import (
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/gemtool/gemtool/drm/drmtest"
)

// TestKernel passes if the kernel's own tests of what gem mirrors pass, all
// that Linux 7.2 has of them. Only a kernel that was built without KUnit is
// let off.
// Case L06
func TestKernel(t *testing.T) {
	if _, err := os.Stat(suites); errors.Is(err, fs.ErrNotExist) {
		if configured(t, "CONFIG_KUNIT=y") {
			t.Fatalf("this kernel has KUnit, but: %v", err)
		}
		t.Skip("this kernel was built without KUnit")
	}
	drmtest.GuardKernelLog(t)
	for suite, least := range map[string]int{"drm_gem_shmem": 8, "drm_exec": 7, "dma-buf-resv": 5} {
		t.Run(suite, func(t *testing.T) {
			r, err := run(suite)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("passed: %v", r.passed)
			if len(r.failed) > 0 || len(r.skipped) > 0 || len(r.passed) < least {
				t.Errorf("failed %v, skipped %v, passed %d; want %d or more to pass, and nothing else", r.failed, r.skipped, len(r.passed), least)
			}
		})
	}
}

// configured says whether the kernel tells that it was built with a line of
// its configuration. Debian's do not tell, and have no KUnit.
func configured(t *testing.T, line string) bool {
	f, err := os.Open("/proc/config.gz")
	if errors.Is(err, fs.ErrNotExist) {
		return false
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	config, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains("\n"+string(config), "\n"+line+"\n")
}

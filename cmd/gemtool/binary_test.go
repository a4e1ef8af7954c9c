//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// maxBinary is how large the static binary may be: people copy it to boards.
const maxBinary = 15 << 20

// BenchmarkList is the start of the static gemtool and its list on this
// machine, until it has ended: 30 ms are the aim. It fails if the binary is
// larger than it may be.
func BenchmarkList(b *testing.B) {
	if os.Getenv("GEMTOOL_VM") != "" {
		b.Skip("the VM has no go command; this runs on the host")
	}
	path := filepath.Join(b.TempDir(), "gemtool")
	build := exec.Command("go", "build", "-trimpath", "-o", path, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		// 77: a machine without devices.
		if err := exec.Command(path, "list").Run(); err != nil && err.(*exec.ExitError).ExitCode() != 77 {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(info.Size()), "B/binary")
	if info.Size() > maxBinary {
		b.Errorf("the binary has %d bytes, more than %d", info.Size(), maxBinary)
	}
}

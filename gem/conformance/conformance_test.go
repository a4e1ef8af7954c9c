package conformance_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/gem/conformance"
)

// summary is what TestConformance leaves for the end of the run.
var summary string

func TestMain(m *testing.M) {
	conformance.RunChild()
	code := m.Run()
	fmt.Print(summary)
	os.Exit(code)
}

// TestConformance runs every case on every device of the machine. It passes
// if no case fails, and if, as root in the VM, nothing is skipped but what
// skips.txt lists.
func TestConformance(t *testing.T) {
	kernel, err := conformance.RunningKernel()
	if err != nil {
		t.Fatal(err)
	}
	targets, denied, err := conformance.Targets()
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range denied {
		t.Logf("left out: %v", err)
	}
	if len(targets) == 0 {
		if drmtest.InVM() {
			t.Fatal("this VM has no DRM device")
		}
		t.Skip("no DRM device on this machine: run in the VM (make test)")
	}
	// Users without privileges see fewer devices, and may do less.
	strict := drmtest.InVM() && os.Getuid() == 0
	suite := conformance.Suite{Kernel: kernel, Targets: targets, Strict: strict, Children: true}
	if os.Getenv("GEMTOOL_SOAK") != "" {
		suite.Effort = conformance.Soak
	}
	for _, c := range conformance.All() {
		suite.Run(c, func(name string, f func(conformance.T)) {
			t.Run(name, func(t *testing.T) { f(t) })
		})
	}
	summary = suite.Summary()
}

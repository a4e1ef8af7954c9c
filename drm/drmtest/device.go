package drmtest

import (
	"os"
	"path/filepath"

	"github.com/gemtool/gemtool/drm"
)

// InVM says whether this process runs in a VM that gemtool vm booted, where a
// device that a test needs must be there.
func InVM() bool { return os.Getenv("GEMTOOL_VM") != "" }

// RequireDevice opens the card node of the first device with this driver and
// closes it with the test. Without one the test is skipped, but fails in
// gemtool's VM.
func RequireDevice(t TB, driver string) *drm.Device {
	t.Helper()
	paths, err := filepath.Glob("/dev/dri/card*")
	if err != nil {
		t.Fatalf("listing card nodes: %v", err)
	}
	for _, path := range paths {
		dev, err := drm.Open(path, drm.Options{})
		if err != nil {
			t.Logf("left out: %v", err)
			continue
		}
		if v, err := dev.Version(); err == nil && v.Name == driver {
			t.Cleanup(func() { dev.Close() })
			return dev
		}
		dev.Close()
	}
	if InVM() {
		t.Fatalf("this VM has no card node of driver %s", driver)
	}
	t.Skipf("no card node of driver %s on this machine: run in the VM (make test)", driver)
	return nil
}

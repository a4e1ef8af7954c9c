package drmtest

import (
	"os"

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
	return RequireNode(t, driver, drm.NodePrimary)
}

// RequireNode is [RequireDevice] for another of the device's nodes.
func RequireNode(t TB, driver string, kind drm.NodeKind) *drm.Device {
	t.Helper()
	infos, err := drm.Devices()
	if err != nil {
		t.Logf("listing devices: %v", err)
	}
	for _, info := range infos {
		node, ok := info.Node(kind)
		if !ok {
			continue
		}
		dev, err := drm.Open(node.Path, drm.Options{})
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
		t.Fatalf("this VM has no %v node of driver %s", kind, driver)
	}
	t.Skipf("no %v node of driver %s on this machine: run in the VM (make test)", kind, driver)
	return nil
}

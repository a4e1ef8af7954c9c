package drm_test

import (
	"testing"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/drmtest"
)

// igtDrivers are those of the VM whose devices IGT could open.
var igtDrivers = []string{"vkms", "vgem", "virtio_gpu", "bochs-drm"}

// TestCoreGetversion is IGT's core_getversion: every device has a name, a
// date and a description.
func TestCoreGetversion(t *testing.T) {
	t.Run("basic", func(t *testing.T) {
		for _, driver := range igtDrivers {
			wantVersion(t, drmtest.RequireDevice(t, driver), driver)
		}
	})
	t.Run("all-cards", func(t *testing.T) {
		drmtest.CheckLeaks(t)
		infos, err := drm.Devices()
		if err != nil {
			t.Fatal(err)
		}
		nodes := 0
		for _, info := range infos {
			for _, node := range info.Nodes {
				d, err := drm.Open(node.Path, drm.Options{})
				if err != nil {
					t.Error(err)
					continue
				}
				wantVersion(t, d, "")
				nodes++
				d.Close()
			}
		}
		if nodes < len(igtDrivers) && drmtest.InVM() {
			t.Errorf("only %d nodes", nodes)
		}
	})
}

func wantVersion(t *testing.T, d *drm.Device, driver string) {
	t.Helper()
	v, err := d.Version()
	if err != nil || v.Name == "" || v.Desc == "" || driver != "" && v.Name != driver {
		t.Errorf("%s: %+v, %v", d.Path(), v, err)
	}
}

package inventory

import (
	"testing"

	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/gem/conformance"
)

// TestListDevices passes if each driver of the VM can do what it is known to,
// and nothing is left open.
func TestListDevices(t *testing.T) {
	if !drmtest.InVM() {
		t.Skip("NO DEVICE TESTED: this is for the devices of gemtool's VM (make test)")
	}
	drmtest.GuardKernelLog(t)
	drmtest.CheckLeaks(t)
	all, err := System{}.List(false)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]Abilities{ // but for ShareOut and TakeIn, which kernels differ in
		"vkms":       {Dumb: Yes, ScanOut: Yes, Atomic: Yes, SyncObjects: No, SyncTimelines: No},
		"vgem":       {Dumb: Yes, ScanOut: No, Atomic: No, SyncObjects: No, SyncTimelines: No},
		"virtio_gpu": {Dumb: Yes, ScanOut: Yes, Atomic: Yes, SyncObjects: Yes, SyncTimelines: Yes},
		"bochs-drm":  {Dumb: Yes, ScanOut: Yes, Atomic: Yes, SyncObjects: No, SyncTimelines: No},
		"qxl":        {Dumb: Yes, ScanOut: Yes, Atomic: Yes, SyncObjects: No, SyncTimelines: No},
	}
	k, err := conformance.RunningKernel()
	if err != nil {
		t.Fatal(err)
	}
	if k.Less(conformance.Kernel{Major: 6, Minor: 6}) {
		virtio := want["virtio_gpu"]
		virtio.SyncObjects, virtio.SyncTimelines = No, No
		want["virtio_gpu"] = virtio
	}
	seen := 0
	for _, d := range all {
		w, ok := want[d.Driver]
		if !ok {
			continue
		}
		seen++
		got := d.Can
		if d.Driver != "bochs-drm" && got.ShareOut != Yes {
			t.Errorf("%s does not share", d.Driver)
		}
		got.ShareOut, got.TakeIn = Unknown, Unknown
		if got != w {
			t.Errorf("%s: got %+v, want %+v", d.Driver, got, w)
		}
		if d.Version == nil || d.Asleep {
			t.Errorf("%s: got %+v", d.Driver, d)
		}
	}
	if seen != len(want) {
		t.Errorf("%d of %d devices", seen, len(want))
	}
}

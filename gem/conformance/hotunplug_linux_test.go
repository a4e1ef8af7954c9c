package conformance

import (
	"slices"
	"testing"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/drmtest"
)

// TestCoreHotunplug is IGT's core_hotunplug on the devices of the VM that sit on
// a bus which they can be taken from. qxl is left out: its driver, up to Linux
// 7.2, never frees its interrupt, and after an unbind the next one, of whatever
// device on the same line, is a panic. Each subtest passes if the device comes
// back and works, whatever was open when it went, if what was open can be
// closed, and if the kernel complains about nothing.
//
// Cases M01, M02
func TestCoreHotunplug(t *testing.T) {
	if !drmtest.InVM() {
		t.Skip("takes devices from the system: in gemtool's VM only (make test)")
	}
	kernel, err := RunningKernel()
	if err != nil {
		t.Fatal(err)
	}
	targets, _, err := Targets()
	if err != nil {
		t.Fatal(err)
	}
	targets = slices.DeleteFunc(targets, func(target Target) bool {
		return target.Kind != drm.NodePrimary || target.Driver == "qxl" || target.Device.Bus != "pci" && target.Device.Bus != "virtio"
	})
	if len(targets) != 2 {
		t.Errorf("%d devices that can be taken away, want bochs and virtio-gpu", len(targets))
	}
	type how struct {
		take func(*slot)
		back func(*slot) string
	}
	binding := how{(*slot).unbind, (*slot).bind}
	plugging := how{(*slot).unplug, (*slot).rescan}
	for _, test := range []struct {
		name string
		how
		files when
	}{
		{"unbind-rebind", binding, never},
		{"unplug-rescan", plugging, never},
		{"hotunbind-rebind", binding, whileThere},
		{"hotunplug-rescan", plugging, whileThere},
		{"hotrebind", binding, untilTheEnd},
		{"hotreplug", plugging, untilTheEnd},
		{"hotrebind-lateclose", binding, untilBack},
		{"hotreplug-lateclose", plugging, untilBack},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, target := range targets {
				t.Run(target.Driver, func(t *testing.T) {
					// Seen once in four runs: what virtio-gpu has asked the
					// host for is lost when it goes ("BUG virtio-gpu-vbufs:
					// Objects remaining"), and the kernel is tainted.
					if target.Driver == "virtio_gpu" && test.files != never && !kernel.Less(Kernel{7, 0}) {
						t.Skip("NOT TESTED: unplugging virtio-gpu while a file is open can be a BUG of Linux 7.2")
					}
					hotunplug(t, &Env{Target: target}, test.take, test.back, test.files)
				})
			}
		})
	}
}

// when says how long a file of the device is open.
type when int

const (
	never when = iota
	whileThere
	untilBack
	untilTheEnd
)

func hotunplug(t *testing.T, env *Env, take func(*slot), back func(*slot) string, open when) {
	warmUp()
	drmtest.GuardKernelLog(t)
	drmtest.CheckLeaks(t)
	s := env.slot(t)
	var dev *drm.Device
	if open != never {
		dev = env.openShortly(t)
	}
	take(s)
	if open == whileThere {
		wantErr(t, "Close", dev.Close(), nil)
	}
	path := back(s)
	if open == untilBack {
		wantErr(t, "Close", dev.Close(), nil)
	}
	s.wantWorking(path, env.Driver)
	if open == untilTheEnd {
		wantErr(t, "Version of the file that is open", second(dev.Version()), drm.ErrGone)
		wantErr(t, "Close", dev.Close(), nil)
	}
}

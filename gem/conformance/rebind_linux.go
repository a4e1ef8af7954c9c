package conformance

import (
	"slices"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/gem"
)

var rebindCases = []Case{
	{ID: "M11", Title: "after a rebind a path and number are another driver's, and the library knows", Needs: Needs{Drivers: []string{"bochs-drm"}, ThrowAway: true}, Run: rebindAsAnother},
}

// rebindAsAnother takes two devices away and brings them back in the other
// order, so that each gets the other's numbers. Then one goes and comes while
// its old file is open: two devices in one slot.
func rebindAsAnother(t T, env *Env) {
	i := slices.IndexFunc(env.Targets, func(o Target) bool { return o.Driver == "virtio_gpu" && o.Kind == drm.NodePrimary })
	if i < 0 {
		t.Skipf("no second device here that can be unbound")
	}
	other := &Env{Target: env.Targets[i], Kernel: env.Kernel}
	slots := []*slot{env.slot(t), other.slot(t)} // in the order of their numbers
	if env.Device.Nodes[0].Rdev > other.Device.Nodes[0].Rdev {
		slices.Reverse(slots)
	}
	swapped := false
	rebind := func() {
		swapped = !swapped
		slots[0].unbind()
		slots[1].unbind()
		slots[1].bind()
		slots[0].bind()
		slices.Reverse(slots)
	}
	t.Cleanup(func() {
		if swapped {
			rebind()
		}
	})

	before := env.openShortly(t)
	id, rdev := before.DeviceID(), before.Rdev()
	wantErr(t, "Close", before.Close(), nil)
	rebind()
	env.wantStranger(t, id, rdev)
	rebind()

	s := slots[slices.IndexFunc(slots, func(s *slot) bool { return s.path == env.Path })]
	old := env.Open(t)
	o := createObject(t, gem.StoreOf(old))
	s.unbind()
	wantSecond(t, env, s.bind(), old, o)
	wantErr(t, "Close", o.Close(), nil)
}

// wantStranger looks whether the library tells the device that is now at the
// case's path from the one that was.
func (e *Env) wantStranger(t T, id string, rdev uint64) {
	t.Helper()
	dev, err := drm.Open(e.Path, drm.Options{})
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer dev.Close()
	if v, err := dev.Version(); err != nil || v.Name == e.Driver || dev.Rdev() != rdev {
		t.Errorf("%s is %s with number %d, %v: nothing was swapped", e.Path, v.Name, dev.Rdev(), err)
	}
	if dev.DeviceID() == id {
		t.Errorf("another device with the same path and number has the same DeviceID %q", id)
	}
	infos, err := drm.Devices()
	if err != nil {
		t.Fatalf("%v", err)
	}
	for _, text := range []string{"driver:" + e.Driver, "bus:" + e.Device.ID} {
		f, err := drm.ParseFilter(text)
		if err != nil {
			t.Fatalf("%v", err)
		}
		var found []string
		for _, info := range infos {
			node, _ := info.Node(drm.NodePrimary)
			if target, err := newTarget(info, node); err == nil && f.Match(info, target.Driver) {
				found = append(found, node.Path)
			}
		}
		if len(found) != 1 || found[0] == e.Path {
			t.Errorf("%s finds %q", text, found)
		}
	}
}

// wantSecond looks whether the library takes the device at path, which has the
// slot of one that is gone and still open, for another one. The kernel gives
// objects of both the same mmap offsets.
func wantSecond(t T, env *Env, path string, old *drm.Device, theirs *gem.Object) {
	t.Helper()
	dev, err := drm.Open(path, drm.Options{})
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer dev.Close()
	if dev.DeviceID() == old.DeviceID() {
		t.Errorf("the device that is gone and the one in its slot have one DeviceID %q", dev.DeviceID())
	}
	if dev.Rdev() == old.Rdev() {
		t.Errorf("the number of a node that is open was given out again")
	}
	if gem.StoreOf(dev) == gem.StoreOf(old) {
		t.Errorf("two files have one Store")
	}
	o := createObject(t, gem.StoreOf(dev))
	if o.Reservation() == theirs.Reservation() {
		t.Errorf("objects of two devices share a reservation")
	}
	withBytes(t, o, number)
	wantErr(t, "Close of the object of the new device", o.Close(), nil)
}

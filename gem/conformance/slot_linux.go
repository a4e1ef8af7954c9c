package conformance

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/drmtest"
)

// guestMarker is a file that only the first process of gemtool's VM has put
// where it is.
const guestMarker = "/.gemtool-init"

// throwAway ends a case that takes something from the system anywhere but in
// gemtool's VM. [Needs.ThrowAway] keeps such cases from running elsewhere; this
// is the second lock on the same door.
func throwAway(t T) {
	t.Helper()
	if _, err := os.Stat(guestMarker); err != nil || !drmtest.InVM() {
		t.Fatalf("not in a VM of gemtool's: nothing is taken from this system")
	}
}

// slot is where a PCI device sits, or a virtio device behind one. A case takes
// the driver or the whole device out of it; both are back in it, under the old
// numbers of their nodes, when the case ends.
type slot struct {
	t      T
	path   string // of the card node, as the case found it
	driver string // the driver's directory
	bound  string // what it is bound to: pattern of a directory
	pci    string // directory of the PCI function
}

// slot finds the slot of the case's device.
func (e *Env) slot(t T) *slot {
	t.Helper()
	throwAway(t)
	s := &slot{t: t, path: e.Path}
	device, err := filepath.EvalSymlinks(filepath.Join("/sys/class/drm", filepath.Base(e.Path), "device"))
	if err != nil {
		t.Fatalf("%v", err)
	}
	if s.driver, err = filepath.EvalSymlinks(filepath.Join(device, "driver")); err != nil {
		t.Fatalf("%v", err)
	}
	s.bound, s.pci = device, device
	if e.Device.Bus == "virtio" {
		s.pci = filepath.Dir(device)
		// It has another number when its PCI function comes again.
		s.bound = filepath.Join(s.pci, "virtio[0-9]*")
	}
	t.Cleanup(s.restore)
	return s
}

// unbind takes the driver from the device.
func (s *slot) unbind() {
	s.t.Helper()
	s.tell(filepath.Join(s.driver, "unbind"), filepath.Base(s.device()))
	s.gone()
}

// bind gives it back, and returns the path of the card node that there is then.
func (s *slot) bind() string {
	s.t.Helper()
	s.tell(filepath.Join(s.driver, "bind"), filepath.Base(s.device()))
	return s.node()
}

// unplug takes the device from its bus, as if somebody pulled it.
func (s *slot) unplug() {
	s.t.Helper()
	s.tell(filepath.Join(s.pci, "remove"), "1")
	if _, err := os.Stat(s.pci); !errors.Is(err, fs.ErrNotExist) {
		s.t.Errorf("%s after its removal: %v", s.pci, err)
	}
	s.gone()
}

// rescan finds it again, and returns the path of the card node that there is
// then.
func (s *slot) rescan() string {
	s.t.Helper()
	s.tell("/sys/bus/pci/rescan", "1")
	return s.node()
}

// tell writes to a file of sysfs. The kernel does all of the work before the
// write returns; what it never ends is a failure, not a test that hangs.
func (s *slot) tell(file, text string) {
	s.t.Helper()
	done := make(chan error, 1)
	go func() { done <- os.WriteFile(file, []byte(text), 0) }()
	select {
	case err := <-done:
		if err != nil {
			s.t.Fatalf("%v", err)
		}
	case <-time.After(patience):
		s.t.Fatalf("the kernel has not ended a write of %s to %s for %v", text, file, patience)
	}
}

// device returns the directory of the device that drivers are bound to, empty
// while there is none.
func (s *slot) device() string {
	found, _ := filepath.Glob(s.bound)
	if len(found) == 0 {
		return ""
	}
	return found[0]
}

// nodes lists the names of the device's card nodes.
func (s *slot) nodes() []string {
	found, _ := filepath.Glob(filepath.Join(s.device(), "drm/card[0-9]*"))
	return found
}

// node waits for the device's card node, and returns its path.
func (s *slot) node() string {
	s.t.Helper()
	for wait := time.Millisecond; wait < patience; wait *= 2 {
		if nodes := s.nodes(); s.device() != "" && len(nodes) > 0 {
			path := filepath.Join("/dev/dri", filepath.Base(nodes[0]))
			if _, err := os.Stat(path); err == nil {
				return path
			}
		}
		time.Sleep(wait)
	}
	s.t.Fatalf("%s has no card node again", s.pci)
	return ""
}

// gone looks whether nothing is left of the device's nodes.
func (s *slot) gone() {
	s.t.Helper()
	if s.device() == "" {
		return
	}
	if nodes := s.nodes(); len(nodes) > 0 {
		s.t.Errorf("%q after the driver is gone", nodes)
	}
}

// restore puts back what is missing. The numbers of nodes are given out lowest
// first, and an open file keeps its own: when nothing is open any more, binding
// once again brings the old ones back.
func (s *slot) restore() {
	if s.device() == "" {
		s.rescan()
	}
	if _, err := os.Stat(filepath.Join(s.device(), "driver")); err != nil {
		s.bind()
	}
	if s.node() == s.path {
		return
	}
	s.tell(filepath.Join(s.driver, "unbind"), filepath.Base(s.device()))
	if now := s.bind(); now != s.path {
		s.t.Errorf("%s is now %s, and cannot be put back", s.path, now)
	}
}

// wantWorking looks at a device that has come back: its driver answers and
// makes and maps a buffer.
func (s *slot) wantWorking(path, driver string) {
	s.t.Helper()
	dev, err := drm.Open(path, drm.Options{})
	if err != nil {
		s.t.Errorf("%v", err)
		return
	}
	defer dev.Close()
	if v, err := dev.Version(); err != nil || v.Name != driver {
		s.t.Errorf("%s: driver %q, %v, want %s", path, v.Name, err, driver)
	}
	if err := createDirty(dev); err != nil {
		s.t.Errorf("%s: %v", path, err)
	}
	debug := fmt.Sprintf("/sys/kernel/debug/dri/%d", unix.Minor(dev.Rdev()))
	if _, err := os.Stat(debug); err != nil {
		s.t.Errorf("%v", err)
	}
}

package gem

import (
	"errors"

	"github.com/gemtool/gemtool/prime"
)

// errBusy: somebody uses the memory of an object in a Pool.
var errBusy = errors.New("memory is used")

// retire marks an object DontNeed for the shrinker. If somebody holds its
// reservation, that is done when the hold ends, before anybody can reclaim it.
func (o *Object) retire() {
	n := o.ref.node
	if held, ok := n.resv.TryLock(); ok { // not by Defer: a closure would be allocated
		_, _ = o.madvise(DontNeed)
		_ = held.Unlock() // nobody else has it
		return
	}
	// The object may have been closed until then, which needs no mark.
	n.resv.Defer(func() { _, _ = o.madvise(DontNeed) })
}

// reclaim marks an object WillNeed for its next user. It waits for nobody: it
// returns errBusy, and changes nothing, if the memory is used or may be, and
// another error if the contents are gone for good.
func (o *Object) reclaim() error {
	r, n := o.ref, o.ref.node
	if err := r.alive(); err != nil {
		return err
	}
	held, ok := n.resv.TryLock()
	if !ok {
		return errBusy
	}
	defer held.Unlock()
	if n.used() {
		return errBusy
	}
	retained, err := o.madvise(WillNeed)
	if err == nil && !retained {
		err = ErrPurged
	}
	return err
}

// used says whether anything but objects refers to the memory, or a device uses
// it, as its fences say. Objects alone do nothing with it: an importer may keep
// his. It is called under the reservation, so that no map and no first pin
// comes meanwhile.
//
// An open [prime.Buffer] counts, as it can be mapped without the memory's
// knowing.
func (n *node) used() bool {
	if n.holds.Load() > 0 || n.refs.Load() > n.objects.Load() {
		return true
	}
	buf := n.buf.Load()
	if buf == nil {
		return false
	}
	idle, err := buf.Idle(prime.Write)
	return err != nil || !idle
}

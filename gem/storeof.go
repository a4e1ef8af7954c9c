package gem

import (
	"runtime"
	"weak"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/prime/resv"
)

// StoreOf returns the Store of d, the same at every call, and for every
// Device of the same open file: two would count the same handles. It uses d
// and does not close it.
//
// Whether two Devices are of one open file the kernel tells since Linux 6.10,
// and before that to whom kcmp(2) is allowed, and only while both are open. To
// others they are two: ask for the Store of a duplicate before you close the
// first.
func StoreOf(d *drm.Device) *Store { return stores.get(d) }

// stores finds the Store of a Device, and keeps neither of them alive.
var stores = storeTable{
	mu: resv.Mutex{Name: "gem: stores"},
	of: make(map[weak.Pointer[drm.Device]]weak.Pointer[Store]),
}

type storeTable struct {
	mu resv.Mutex
	of map[weak.Pointer[drm.Device]]weak.Pointer[Store]
}

func (t *storeTable) get(d *drm.Device) *Store {
	key := weak.Make(d)
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.of[key].Value(); s != nil {
		return s
	}
	s := t.sameFile(d)
	if s == nil {
		s = &Store{mu: resv.Mutex{Name: "gem: handles of a file"}, handles: make(map[drm.Handle]*handle)}
		s.devs.Store(&[]*drm.Device{d})
		runtime.AddCleanup(s, func(t *storeTable) { t.prune() }, t)
	} else {
		t.add(s, d)
	}
	t.of[key] = weak.Make(s)
	return s
}

// add gives s one more Device of its file, and forgets those that are closed.
func (t *storeTable) add(s *Store, d *drm.Device) {
	devs := []*drm.Device{d}
	for _, other := range *s.devs.Load() {
		if other.Closed() {
			delete(t.of, weak.Make(other))
		} else {
			devs = append(devs, other)
		}
	}
	s.devs.Store(&devs)
}

func (t *storeTable) sameFile(d *drm.Device) *Store {
	for key, value := range t.of {
		other, s := key.Value(), value.Value()
		if other != nil && s != nil && other.Rdev() == d.Rdev() && drm.SameFile(other, d) {
			return s
		}
	}
	return nil
}

// prune removes the entries of Stores that were collected.
func (t *storeTable) prune() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for key, value := range t.of {
		if value.Value() == nil {
			delete(t.of, key)
		}
	}
}

//go:build !gemdebug

package gem_test

import (
	"testing"

	"github.com/gemtool/gemtool/gem"
	"github.com/gemtool/gemtool/prime"
)

// hotPaths are what a program does for every frame. The object is pinned and
// mapped.
func hotPaths(tb testing.TB, o *gem.Object) map[string]func() error {
	ctx := tb.Context()
	look := func(v gem.View) error {
		v.Bytes()[0]++
		return nil
	}
	return map[string]func() error{
		"Pin+Unpin": func() error {
			if err := o.Pin(ctx); err != nil {
				return err
			}
			return o.Unpin()
		},
		"VMap+VUnmap": func() error {
			m, err := o.VMap(ctx, prime.ReadWrite)
			if err != nil {
				return err
			}
			return m.VUnmap()
		},
		"Local": func() error { return o.Local(ctx, prime.ReadWrite, look) },
		"LocalLocked+Unmap": func() error {
			held, err := o.Reservation().Lock(ctx)
			if err != nil {
				return err
			}
			l, err := o.LocalLocked(held, prime.ReadWrite)
			if err != nil {
				return err
			}
			if err := l.Unmap(); err != nil {
				return err
			}
			return held.Unlock()
		},
		"Lock+Unlock": func() error {
			held, err := o.Reservation().Lock(ctx)
			if err != nil {
				return err
			}
			return held.Unlock()
		},
	}
}

// hotObject makes an object that is pinned and mapped.
func hotObject(tb testing.TB) *gem.Object {
	tb.Helper()
	_, s, _, _ := fakeStores(tb)
	o := fakeObject(tb, s)
	if err := o.Pin(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	m, err := o.VMap(tb.Context(), prime.ReadWrite)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := m.VUnmap(); err != nil {
			tb.Error(err)
		}
		if err := o.Unpin(); err != nil {
			tb.Error(err)
		}
	})
	return o
}

// TestHotPathAllocations passes if what is done for every frame allocates
// nothing when it succeeds. The debug build remembers stacks, and may.
func TestHotPathAllocations(t *testing.T) {
	o := hotObject(t)
	for name, f := range hotPaths(t, o) {
		t.Run(name, func(t *testing.T) {
			var err error
			if n := testing.AllocsPerRun(1000, func() {
				if e := f(); e != nil {
					err = e
				}
			}); n != 0 || err != nil {
				t.Errorf("%v allocations, %v", n, err)
			}
		})
	}
}

package gem_test

import (
	"errors"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/gem"
	"github.com/gemtool/gemtool/prime"
)

// free fails unless nobody holds the object's reservation and nothing maps it.
func free(t *testing.T, o *gem.Object) {
	t.Helper()
	held, ok := o.Reservation().TryLock()
	if !ok {
		t.Fatal("the reservation is held")
	}
	defer held.Unlock()
	if s, ok, err := o.StatsLocked(held); err != nil || ok && s.PagesUse != 0 {
		t.Errorf("counters %+v, %v", s, err)
	}
}

// TestLocal passes if the bytes are there inside the function, shared with
// lasting maps, counted as the pages' user alone, and gone with it.
func TestLocal(t *testing.T) {
	vgem, vkms := stores(t)
	o := create(t, vgem)
	imported := importOn(t, vkms, export(t, o))
	objs := []*gem.Object{o, imported, importOn(t, vgem, foreign(t, vkms))}
	for i, x := range objs {
		var leaked gem.View
		err := x.Local(t.Context(), prime.ReadWrite, func(v gem.View) error {
			leaked = v
			b := v.Bytes()
			if uint64(len(b)) != x.Size() {
				t.Errorf("object %d: %d bytes", i, len(b))
			}
			b[len(b)-1]++
			if _, ok := x.Reservation().TryLock(); ok {
				t.Errorf("object %d: the reservation is free", i)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		if leaked.Bytes() != nil {
			t.Errorf("object %d: the view outlives its function", i)
		}
		free(t, x)
	}
	if m := vmap(t, o); m.Bytes()[o.Size()-1] != 2 {
		t.Errorf("two Locals left %d", m.Bytes()[o.Size()-1])
	} else {
		vunmap(t, m)
	}
}

// TestLocalEnds passes if everything is undone however the function ends, and
// what it ends with is passed on.
//
// Case G22
func TestLocalEnds(t *testing.T) {
	vgem, _ := stores(t)
	o := create(t, vgem)
	export(t, o)
	wrong := errors.New("wrong")
	if err := o.Local(t.Context(), prime.Read, func(gem.View) error { return wrong }); err != wrong {
		t.Errorf("%v, want the function's error", err)
	}
	free(t, o)

	func() {
		defer func() {
			if p := recover(); p != "panic" {
				t.Errorf("recovered %v", p)
			}
		}()
		_ = o.Local(t.Context(), prime.Read, func(gem.View) error { panic("panic") })
	}()
	free(t, o)

	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = o.Local(t.Context(), prime.Read, func(gem.View) error { runtime.Goexit(); return nil })
		t.Error("Goexit returned")
	}()
	<-done
	free(t, o)
}

// TestLocalFault passes if a fault in the bytes is an error, and one elsewhere
// is a panic as ever.
func TestLocalFault(t *testing.T) {
	vgem, _ := stores(t)
	o := create(t, vgem)
	err := o.Local(t.Context(), prime.Read, func(v gem.View) error {
		b := v.Bytes()
		// As when the kernel takes the memory away.
		if err := unix.Mprotect(b, unix.PROT_NONE); err != nil {
			t.Fatal(err)
		}
		return touch(b[5000:])
	})
	if !errors.Is(err, gem.ErrFault) {
		t.Errorf("a fault in the bytes: %v, want ErrFault", err)
	}
	free(t, o)

	elsewhere, err := unix.Mmap(-1, 0, 4096, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(elsewhere)
	func() {
		defer func() {
			if _, ok := recover().(runtime.Error); !ok {
				t.Error("a fault elsewhere is no panic")
			}
		}()
		_ = o.Local(t.Context(), prime.Read, func(gem.View) error { return touch(elsewhere) })
	}()
	free(t, o)
}

var sink byte

func touch(b []byte) error {
	sink = b[0]
	return nil
}

// TestLocalAll passes if the views of several objects stand in their order,
// two of one memory among them, and all are gone afterwards.
func TestLocalAll(t *testing.T) {
	vgem, vkms := stores(t)
	a, b := create(t, vgem), create(t, vkms)
	alias := importOn(t, vkms, export(t, a))
	err := gem.LocalAll(t.Context(), func(v []gem.View) error {
		v[0].Bytes()[1], v[1].Bytes()[1] = 10, 20
		if v[2].Bytes()[1] != 10 {
			t.Error("the third view is not of the first's memory")
		}
		for _, o := range []*gem.Object{a, b} {
			if _, ok := o.Reservation().TryLock(); ok {
				t.Error("a reservation is free")
			}
		}
		return nil
	}, gem.Use{Object: a, Access: prime.ReadWrite}, gem.Use{Object: b, Access: prime.Write}, gem.Use{Object: alias, Access: prime.Read})
	if err != nil {
		t.Error(err)
	}
	for _, o := range []*gem.Object{a, b, alias} {
		free(t, o)
	}

	closed := create(t, vgem)
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	err = gem.LocalAll(t.Context(), func([]gem.View) error { t.Error("called"); return nil },
		gem.Use{Object: a, Access: prime.Read}, gem.Use{Object: closed, Access: prime.Read})
	if !errors.Is(err, gem.ErrClosed) {
		t.Errorf("%v, want ErrClosed", err)
	}
	free(t, a)
}

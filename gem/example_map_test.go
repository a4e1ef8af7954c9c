package gem_test

import (
	"context"
	"image"
	"image/color"
	"image/draw"

	"github.com/gemtool/gemtool/drm/fourcc"
	"github.com/gemtool/gemtool/gem"
	"github.com/gemtool/gemtool/prime"
	"github.com/gemtool/gemtool/prime/resv"
)

// Most callers want a mapping for the time of a function: fences were waited
// for, the window is open, and nobody else of this process is in there.
func ExampleObject_Local() {
	clear := func(ctx context.Context, obj *gem.Object) error {
		return obj.Local(ctx, prime.Write, func(v gem.View) error {
			img, err := obj.Image(v, fourcc.XRGB8888)
			if err != nil {
				return err
			}
			draw.Draw(img, img.Bounds(), image.NewUniform(color.Black), image.Point{}, draw.Src)
			return nil
		})
	}
	_ = clear
}

// Two objects at once are never one Local inside another.
func ExampleLocalAll() {
	copyTo := func(ctx context.Context, to, from *gem.Object) error {
		return gem.LocalAll(ctx, func(v []gem.View) error {
			copy(v[0].Bytes(), v[1].Bytes())
			return nil
		}, gem.Use{Object: to, Access: prime.Write}, gem.Use{Object: from, Access: prime.Read})
	}
	_ = copyTo
}

// A lasting map serves who draws again and again: a window around each picture
// is all it takes.
func ExampleObject_VMap() {
	play := func(ctx context.Context, obj *gem.Object, frames [][]byte) error {
		m, err := obj.VMap(ctx, prime.Write)
		if err != nil {
			return err
		}
		defer m.VUnmap()
		for _, frame := range frames {
			w, err := obj.BeginAccess(ctx, prime.Write)
			if err != nil {
				return err
			}
			copy(m.Bytes(), frame)
			if err := w.End(); err != nil {
				return err
			}
		}
		return nil
	}
	_ = play
}

// Whoever holds the reservation for several steps uses the Locked forms, and
// gives back what he took before he unlocks.
func ExampleObject_LocalLocked() {
	update := func(ctx context.Context, obj *gem.Object) error {
		held, err := obj.Reservation().Lock(ctx)
		if err != nil {
			return err
		}
		defer held.Unlock()
		l, err := obj.LocalLocked(held, prime.ReadWrite)
		if err != nil {
			return err
		}
		l.Bytes()[0]++
		return l.Unmap()
	}
	_ = update
}

// A pin keeps the mapping between short uses, so that each of them costs no
// system call.
func ExampleObject_Pin() {
	sample := func(ctx context.Context, obj *gem.Object, sum func([]byte)) error {
		if err := obj.Pin(ctx); err != nil {
			return err
		}
		defer obj.Unpin()
		for range 100 {
			err := obj.Local(ctx, prime.Read, func(v gem.View) error {
				sum(v.Bytes())
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	}
	_ = sample
}

// A set takes several reservations at once, without a deadlock whatever the
// order: see package resv.
func ExampleLockAll() {
	pinAll := func(ctx context.Context, objs ...*gem.Object) (err error) {
		var set resv.Set
		if err := gem.LockAll(ctx, &set, objs...); err != nil {
			return err
		}
		defer set.Unlock()
		for i, obj := range objs {
			held, _ := set.Held(obj.Reservation())
			if err := obj.PinLocked(held); err != nil {
				for _, pinned := range objs[:i] {
					_ = pinned.Unpin()
				}
				return err
			}
		}
		return nil
	}
	_ = pinAll
}

// Objects that can be had again are offered to the shrinker, and looked at
// before they are used again.
func ExampleStore_Shrink() {
	reuse := func(ctx context.Context, store *gem.Store, cached *gem.Object) (*gem.Object, error) {
		if _, err := cached.Madvise(ctx, gem.DontNeed); err != nil {
			return nil, err
		}
		store.Shrink(64 << 20) // memory is short: the oldest first

		retained, err := cached.Madvise(ctx, gem.WillNeed)
		if err != nil || retained {
			return cached, err
		}
		dumb, _ := cached.Dumb() // purged: make it again
		if err := cached.Close(); err != nil {
			return nil, err
		}
		return store.Create(int(dumb.Width), int(dumb.Height), int(dumb.BPP))
	}
	_ = reuse
}

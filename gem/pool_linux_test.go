package gem_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/drm/fourcc"
	"github.com/gemtool/gemtool/gem"
	"github.com/gemtool/gemtool/prime"
)

// TestPoolFence passes if no buffer comes back while a device reads or writes
// it, and none waits for that; and if an importer's device counts, too.
func TestPoolFence(t *testing.T) {
	vgem, vkms := stores(t)
	for _, test := range []struct {
		name   string
		maker  *gem.Store
		writes bool
	}{
		{"read", vgem, false},
		{"write", vgem, true},
		{"written by an importer", vkms, true},
	} {
		p := gem.NewPool(test.maker, gem.PoolOptions{Limit: 1 << 20})
		get := func() *gem.Object {
			t.Helper()
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second) // a fence of vgem lasts 10
			defer cancel()
			o, err := p.Get(ctx, 64, 64, fourcc.XRGB8888)
			if err != nil {
				t.Fatal(err)
			}
			return o
		}
		put := func(o *gem.Object) {
			t.Helper()
			if err := p.Put(o); err != nil {
				t.Error(err)
			}
		}
		o := get()
		b := export(t, o)
		imported := importOn(t, vgem, b)
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		fence := drmtest.AttachFence(t, vgem.Device(), imported.Handle(), test.writes)
		put(o)
		other := get()
		if other == o {
			t.Errorf("%s: got a buffer that a device uses", test.name)
		}
		put(other)
		fence.Signal(t)
		if got := get(); got != other {
			t.Errorf("%s: did not get the buffer that was used last", test.name)
		}
		if got := get(); got != o {
			t.Errorf("%s: did not get the buffer after the signal", test.name)
		}
		put(o)
		put(other)
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestPoolDevices passes if on real devices what comes back is clear, and what
// the Pool gives up is given back to the kernel.
func TestPoolDevices(t *testing.T) {
	vgem, vkms := stores(t)
	for _, s := range []*gem.Store{vgem, vkms} {
		const size = 64 * 64 * 4
		p := gem.NewPool(s, gem.PoolOptions{Limit: 2 * size})
		var objs []*gem.Object
		for range 3 {
			o, err := p.Get(t.Context(), 64, 64, fourcc.XRGB8888)
			if err != nil {
				t.Fatal(err)
			}
			m := vmap(t, o)
			for i := range m.Bytes() {
				m.Bytes()[i] = 0xaa
			}
			vunmap(t, m)
			objs = append(objs, o)
		}
		first := objs[0].Handle()
		for _, o := range objs {
			if err := p.Put(o); err != nil {
				t.Error(err)
			}
		}
		if _, err := s.Device().MapDumb(first); err == nil {
			t.Error("the handle of what was too much is open")
		}
		if freed := s.Shrink(1); freed != size {
			t.Errorf("freed %d bytes", freed)
		}
		o, err := p.Get(t.Context(), 64, 64, fourcc.XRGB8888)
		if err != nil || o != objs[2] {
			t.Fatalf("got %v, %v", o, err)
		}
		m := vmap(t, o)
		for i, b := range m.Bytes() {
			if b != 0 {
				t.Fatalf("byte %d is %#x", i, b)
			}
		}
		vunmap(t, m)
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if err := p.Put(o); err != nil {
			t.Error(err)
		}
	}
}

// BenchmarkPool compares a buffer that comes back with a new one, at 1920x1080:
// bare, mapped, written to in every page, and shared with a display. It is why
// exported buffers, which the shrinker cannot take, are not given up before
// others: a new one costs the more.
func BenchmarkPool(b *testing.B) {
	dev, peer := drmtest.RequireDevice(b, "vgem"), drmtest.RequireDevice(b, "vkms")
	s, display := gem.StoreOf(dev), gem.StoreOf(peer)
	const width, height = 1920, 1080
	for _, use := range []struct {
		name string
		use  func(*gem.Object) error
	}{
		{"bare", func(*gem.Object) error { return nil }},
		{"map", func(o *gem.Object) error {
			m, err := o.VMap(b.Context(), prime.Write)
			if err != nil {
				return err
			}
			return m.VUnmap()
		}},
		{"draw", func(o *gem.Object) error {
			m, err := o.VMap(b.Context(), prime.Write)
			if err != nil {
				return err
			}
			for i := 0; i < len(m.Bytes()); i += 4096 {
				m.Bytes()[i] = 1
			}
			return m.VUnmap()
		}},
		{"share", func(o *gem.Object) error {
			buf, err := o.Export()
			if err != nil {
				return err
			}
			i, err := display.Import(buf)
			return errors.Join(err, buf.Close(), i.Close())
		}},
	} {
		for _, source := range []struct {
			name string
			opts gem.PoolOptions
		}{
			{"new", gem.PoolOptions{}},
			{"dirty", gem.PoolOptions{Limit: 1 << 30, Dirty: true}},
			{"clear", gem.PoolOptions{Limit: 1 << 30}},
		} {
			b.Run(use.name+"/"+source.name, func(b *testing.B) {
				p := gem.NewPool(s, source.opts)
				defer p.Close()
				once := func() {
					o, err := p.Get(b.Context(), width, height, fourcc.XRGB8888)
					if err != nil {
						b.Fatal(err)
					}
					if err := use.use(o); err != nil {
						b.Fatal(err)
					}
					if err := p.Put(o); err != nil {
						b.Fatal(err)
					}
				}
				once() // fills the Pool
				b.ReportAllocs()
				for b.Loop() {
					once()
				}
			})
		}
	}
}

package gem_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"testing"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/drm/fourcc"
	"github.com/gemtool/gemtool/gem"
	"github.com/gemtool/gemtool/prime"
	"github.com/gemtool/gemtool/prime/primetest"
)

// poolPage is what a buffer of the smallest size takes on the fake.
const poolPage = 4096

// poolTest is a Pool on a fake card.
type poolTest struct {
	*testing.T
	fake     *drmtest.Fake
	store    *gem.Store
	importer *gem.Store // of another card
	*gem.Pool
}

// newPoolTest makes a Pool for so many buffers of 32x32 pixels, and fails if
// anything of it is left in the end.
func newPoolTest(t *testing.T, buffers int, dirty bool) *poolTest {
	t.Helper()
	drmtest.CheckLeaks(t)
	f := primetest.NewFake(t)
	p := &poolTest{T: t, fake: f, store: gem.StoreOf(f.NewCard("one").Open()), importer: gem.StoreOf(f.NewCard("two").Open())}
	p.Pool = gem.NewPool(p.store, gem.PoolOptions{Limit: uint64(buffers) * poolPage, Dirty: dirty})
	t.Cleanup(gem.OnWarn(func(w gem.Warning) { t.Errorf("warning: %v", w) }))
	t.Cleanup(func() {
		if err := p.Pool.Close(); err != nil && !errors.Is(err, gem.ErrClosed) {
			t.Error(err)
		}
		if got := f.Count(); got != (drmtest.FakeCount{}) {
			t.Errorf("left: %+v", got)
		}
	})
	return p
}

// get gets a buffer of one page.
func (p *poolTest) get() *gem.Object {
	p.Helper()
	o, err := p.Get(p.Context(), 32, 32, fourcc.XRGB8888)
	if err != nil {
		p.Fatal(err)
	}
	return o
}

func (p *poolTest) put(objs ...*gem.Object) {
	p.Helper()
	for _, o := range objs {
		if err := p.Put(o); err != nil {
			p.Error(err)
		}
	}
}

// fill writes to all of a buffer, and see says whether all of it is as want.
func (p *poolTest) fill(o *gem.Object, b byte) {
	p.Helper()
	m := vmap(p.T, o)
	for i := range m.Bytes() {
		m.Bytes()[i] = b
	}
	vunmap(p.T, m)
}

func (p *poolTest) see(o *gem.Object, want byte) {
	p.Helper()
	m := vmap(p.T, o)
	defer vunmap(p.T, m)
	if i := slices.IndexFunc(m.Bytes(), func(b byte) bool { return b != want }); i >= 0 {
		p.Errorf("byte %d is %d, want %d", i, m.Bytes()[i], want)
	}
}

// wantAlive says which of the objects are not closed or purged.
func (p *poolTest) wantAlive(want string, objs ...*gem.Object) {
	p.Helper()
	var got string
	for _, o := range objs {
		b, err := o.Export()
		switch {
		case err == nil:
			b.Close()
			got += "+"
		case errors.Is(err, gem.ErrPurged):
			got += "p"
		default:
			got += "-"
		}
	}
	if got != want {
		p.Errorf("alive: %s, want %s", got, want)
	}
}

// TestPool passes if a buffer comes back for the same size and format only,
// the one that was used last first, clear or as it was.
func TestPool(t *testing.T) {
	for _, dirty := range []bool{false, true} {
		t.Run(fmt.Sprintf("dirty=%v", dirty), func(t *testing.T) {
			p := newPoolTest(t, 10, dirty)
			old, o := p.get(), p.get()
			p.see(o, 0)
			p.fill(o, 7)
			p.put(old, o)
			for _, k := range []struct {
				width, height int
				format        fourcc.Format
			}{{16, 64, fourcc.XRGB8888}, {32, 31, fourcc.XRGB8888}, {32, 32, fourcc.ARGB8888}, {32, 32, fourcc.RGB565}} {
				other, err := p.Get(t.Context(), k.width, k.height, k.format)
				if err != nil {
					t.Fatal(err)
				}
				if other == o || other == old {
					t.Errorf("%+v: got a buffer of 32x32 XRGB8888", k)
				}
				p.put(other)
			}
			if got := p.get(); got != o {
				t.Error("did not get the buffer that was used last")
			}
			if dirty {
				p.see(o, 7)
			} else {
				p.see(o, 0)
			}
			if ok, err := o.IsPurgeable(t.Context()); ok || err != nil {
				t.Errorf("a buffer in use is purgeable: %v, %v", ok, err)
			}
			if p.get() != old {
				t.Error("did not get the other buffer")
			}
			p.put(old, o)
		})
	}
}

// TestPoolUsed passes if no buffer comes back while it is used in one of the
// ways that Get knows of, and if it does right after.
func TestPoolUsed(t *testing.T) {
	p := newPoolTest(t, 10, false)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	hold := func(o *gem.Object) func() {
		release, err := o.Hold()
		must(err)
		return release
	}
	imported := func(o *gem.Object, s *gem.Store) *gem.Object {
		b, err := o.Export()
		must(err)
		defer b.Close()
		i, err := s.Import(b)
		must(err)
		return i
	}
	for _, test := range []struct {
		name string
		use  func(*gem.Object) (end func())
	}{
		{"hold", hold},
		{"pin", func(o *gem.Object) func() {
			must(o.Pin(t.Context()))
			return func() { must(o.Unpin()) }
		}},
		{"map", func(o *gem.Object) func() {
			m := vmap(t, o)
			return func() { vunmap(t, m) }
		}},
		{"reservation", func(o *gem.Object) func() {
			h, err := o.Reservation().Lock(t.Context())
			must(err)
			return func() { must(h.Unlock()) }
		}},
		{"local map that outlives its hold", func(o *gem.Object) func() {
			h, err := o.Reservation().Lock(t.Context())
			must(err)
			l, err := o.LocalLocked(h, prime.Read)
			must(err)
			if err := h.Unlock(); !errors.Is(err, gem.ErrLocalMapsLive) {
				t.Error(err)
			}
			return func() { must(l.Unmap()) }
		}},
		{"exported buffer", func(o *gem.Object) func() {
			b, err := o.Export()
			must(err)
			return func() { b.Close() }
		}},
		{"map of an import", func(o *gem.Object) func() {
			i := imported(o, p.importer)
			m := vmap(t, i)
			must(i.Close())
			return func() { vunmap(t, m) }
		}},
		{"hold of an import", func(o *gem.Object) func() {
			i := imported(o, p.importer)
			release := hold(i)
			must(i.Close())
			return release
		}},
		{"hold of an import that stays", func(o *gem.Object) func() {
			i := imported(o, p.importer)
			t.Cleanup(func() { i.Close() })
			return hold(i)
		}},
		{"hold of an import on the same card", func(o *gem.Object) func() {
			i := imported(o, p.store)
			t.Cleanup(func() { i.Close() })
			return hold(i)
		}},
	} {
		for _, order := range []string{"before", "after"} {
			o := p.get()
			var end func()
			if order == "before" {
				end = test.use(o)
				p.put(o)
			} else {
				p.put(o)
				end = test.use(o)
			}
			other := p.get()
			if other == o {
				t.Errorf("%s %s Put: got the buffer", test.name, order)
			}
			end()
			if got := p.get(); got != o {
				t.Errorf("%s %s Put: did not get the buffer at its end", test.name, order)
			} else {
				must(o.Close())
			}
			must(other.Close())
		}
	}
}

// TestPoolLimit passes if the Pool keeps no more than its limit, closes what
// was not used the longest first, and counts nothing that was purged.
func TestPoolLimit(t *testing.T) {
	p := newPoolTest(t, 3, true)
	o := make([]*gem.Object, 6)
	for i := range o {
		o[i] = p.get()
	}
	p.put(o[0], o[1], o[2])
	p.wantAlive("++++++", o...) // exports all: they are given up in the same order
	p.put(o[3])
	p.wantAlive("-+++++", o...)
	if got := p.get(); got != o[3] {
		t.Error("did not get the last one")
	}
	p.put(o[3], o[4])
	p.wantAlive("--++++", o...)

	large, err := p.Get(t.Context(), 64, 64, fourcc.XRGB8888)
	if err != nil {
		t.Fatal(err)
	}
	p.put(large)
	p.wantAlive("-", large)
	p.wantAlive("--++++", o...)
	for _, o := range o[2:5] {
		if err := o.Close(); err != nil { // by somebody who has no right to
			t.Error(err)
		}
	}
	p.put(o[5])
	p.wantAlive("-----+", o...)

	// Purged ones make room before others go.
	a, b, c, d := p.get(), p.get(), p.get(), p.get()
	p.put(a, b, c)
	if freed := p.store.Shrink(1); freed != poolPage { // b: a was exported above
		t.Errorf("freed %d bytes", freed)
	}
	p.put(d)
	p.wantAlive("+-++", a, b, c, d)

	none := gem.NewPool(p.store, gem.PoolOptions{})
	o0, err := none.Get(t.Context(), 32, 32, fourcc.XRGB8888)
	if err != nil {
		t.Fatal(err)
	}
	if err := none.Put(o0); err != nil {
		t.Error(err)
	}
	p.wantAlive("-", o0)
}

// TestPoolPutRefused passes if Put refuses what the Pool must not have, and
// leaves it as it was.
func TestPoolPutRefused(t *testing.T) {
	p := newPoolTest(t, 10, false)
	other := gem.NewPool(p.store, gem.PoolOptions{Limit: poolPage})
	foreign, err := other.Get(t.Context(), 32, 32, fourcc.XRGB8888)
	if err != nil {
		t.Fatal(err)
	}
	own, far := create(t, p.store), create(t, p.importer)
	mine, idle, closed, purged := p.get(), p.get(), p.get(), p.get()
	imported, self := importOn(t, p.importer, export(t, mine)), importOn(t, p.store, export(t, mine))
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := purged.Madvise(t.Context(), gem.DontNeed); err != nil {
		t.Fatal(err)
	}
	if err := purged.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.put(idle)
	for _, test := range []struct {
		name string
		o    *gem.Object
		want error
	}{
		{"another pool's", foreign, gem.ErrNotOfPool},
		{"a created one", own, gem.ErrNotOfPool},
		{"another Store's", far, gem.ErrNotOfPool},
		{"an import", imported, gem.ErrNotOfPool},
		{"an import on the same card", self, gem.ErrNotOfPool},
		{"a closed one", closed, gem.ErrClosed},
		{"a purged one", purged, gem.ErrPurged},
		{"an idle one", idle, gem.ErrPooled},
	} {
		before := p.fake.Count()
		if err := p.Put(test.o); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
		if got := p.fake.Count(); got != before {
			t.Errorf("%s: %+v, before %+v", test.name, got, before)
		}
		if ok, _ := test.o.IsPurgeable(t.Context()); ok != (test.o == idle) && test.o != closed {
			t.Errorf("%s: purgeable is %v", test.name, ok)
		}
	}
	next, another := p.get(), p.get()
	if next != idle || another == idle {
		t.Error("an object was pooled twice, or not once")
	}
	p.put(mine, next, another)
	for _, o := range []*gem.Object{foreign, purged} {
		if err := o.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestPoolShrink passes if the shrinker takes what the Pool has, in the order
// of Put, but for what was exported or is used, and Get goes on without it.
func TestPoolShrink(t *testing.T) {
	p := newPoolTest(t, 10, false)
	a, b, c, d, out := p.get(), p.get(), p.get(), p.get(), p.get()
	export(t, b).Close()
	release, err := c.Hold()
	if err != nil {
		t.Fatal(err)
	}
	p.put(c, a, b, d)
	if freed := p.store.Shrink(1); freed != poolPage {
		t.Errorf("freed %d bytes", freed)
	}
	p.wantAlive("p+++", a, b, c, out)
	if got := p.get(); got != d {
		t.Error("did not get what is left")
	}
	p.put(d)
	release()
	if freed := p.store.Shrink(100 * poolPage); freed != poolPage {
		t.Errorf("freed %d bytes, want those of d: c is exported now", freed)
	}
	p.wantAlive("ppp++", a, d, d, b, c)
	// The purged d is closed on the way.
	if got := p.get(); got != b {
		t.Error("did not get what is left")
	}
	if err := d.Close(); !errors.Is(err, gem.ErrClosed) {
		t.Errorf("Close of what Get found purged: %v, want ErrClosed", err)
	}
	if got := p.get(); got != c {
		t.Error("did not get what is left")
	}
	e := p.get() // finds a, and makes a new one
	p.see(e, 0)
	p.put(b, c, e, out)
}

// TestPoolLost passes if a buffer whose contents its user has given up for good
// does not come back, as the shrinker could not take it any more.
func TestPoolLost(t *testing.T) {
	p := newPoolTest(t, 10, false)
	o := p.get()
	if _, err := o.Madvise(t.Context(), -1); err != nil {
		t.Fatal(err)
	}
	p.put(o)
	p.wantAlive("+", o)
	if other := p.get(); other == o {
		t.Error("got the buffer")
	} else {
		p.put(other)
	}
	p.wantAlive("-", o)
}

// TestPoolPutLocked passes if Put does not wait for its caller's own hold, and
// the shrinker has the object at the end of that.
func TestPoolPutLocked(t *testing.T) {
	p := newPoolTest(t, 10, false)
	o := p.get()
	h, err := o.Reservation().Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p.put(o)
	if freed := p.store.Shrink(1); freed != 0 {
		t.Errorf("freed %d bytes of what somebody holds", freed)
	}
	if err := h.Unlock(); err != nil {
		t.Error(err)
	}
	if freed := p.store.Shrink(1); freed != poolPage {
		t.Errorf("freed %d bytes", freed)
	}
}

// TestPoolClose passes if Close closes what is idle and nothing else, and a
// later Put closes the rest.
func TestPoolClose(t *testing.T) {
	p := newPoolTest(t, 10, false)
	out, idle, lost := p.get(), p.get(), p.get()
	p.put(idle, lost)
	if err := lost.Close(); err != nil { // by somebody who has no right to
		t.Error(err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	p.wantAlive("-+", idle, out)
	if _, err := p.Get(t.Context(), 32, 32, fourcc.XRGB8888); !errors.Is(err, gem.ErrClosed) {
		t.Errorf("Get: %v, want ErrClosed", err)
	}
	if err := p.Close(); !errors.Is(err, gem.ErrClosed) {
		t.Errorf("second Close: %v, want ErrClosed", err)
	}
	p.see(out, 0)
	p.put(out)
	if err := p.Put(out); !errors.Is(err, gem.ErrClosed) {
		t.Errorf("second Put: %v, want ErrClosed", err)
	}
	p.wantAlive("-", out)
}

// TestPoolCloseFails passes if the Pool's Close tells of what the kernel
// refused, and Put and Get warn of it.
func TestPoolCloseFails(t *testing.T) {
	p := newPoolTest(t, 1, true)
	var warned []error
	defer gem.OnWarn(func(w gem.Warning) { warned = append(warned, w.Err) })()
	a, b := p.get(), p.get()
	p.put(a)
	p.fake.Fail("GEM_CLOSE", syscall.EIO)
	p.put(b)
	if len(warned) != 1 || !errors.Is(warned[0], syscall.EIO) {
		t.Errorf("warnings: %v", warned)
	}
	p.fake.Fail("GEM_CLOSE", syscall.EIO)
	if err := p.Close(); !errors.Is(err, syscall.EIO) {
		t.Errorf("Close: %v, want EIO", err)
	}
	for range 2 { // the handles that are left
		if err := p.store.Device().CloseHandle(drm.Handle(p.fake.Count().Handles)); err != nil {
			t.Error(err)
		}
	}
}

// TestPoolGetFails passes if a Get that fails closes what it had, leaves
// nothing, and the next one works.
func TestPoolGetFails(t *testing.T) {
	for _, test := range []struct {
		name string
		fail func(*poolTest, context.CancelFunc)
		want error
	}{
		{"no memory to clear it", func(p *poolTest, _ context.CancelFunc) {
			p.fake.Fail(drmtest.FakeMmap, syscall.ENOMEM)
		}, syscall.ENOMEM},
		{"cancelled at the window", func(p *poolTest, cancel context.CancelFunc) {
			p.fake.On("DMA_BUF_IOCTL_SYNC", func(drmtest.Call) syscall.Errno {
				cancel()
				return 0
			})
		}, context.Canceled},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPoolTest(t, 10, false)
			ctx, cancel := context.WithCancel(t.Context())
			o := p.get()
			p.wantAlive("+", o) // exports it
			p.put(o)
			test.fail(p, cancel)
			if got, err := p.Get(ctx, 32, 32, fourcc.XRGB8888); got != nil || !errors.Is(err, test.want) {
				t.Errorf("%v, %v, want %v", got, err, test.want)
			}
			if got := p.fake.Count(); got != (drmtest.FakeCount{}) {
				t.Errorf("left: %+v", got)
			}
			p.wantAlive("-", o)
			p.put(p.get())
			cancel()
			if got, err := p.Get(ctx, 32, 32, fourcc.XRGB8888); got != nil || !errors.Is(err, context.Canceled) {
				t.Errorf("cancelled before: %v, %v", got, err)
			}
			if n := p.fake.Count().Handles; n != 1 {
				t.Errorf("%d handles, want that of the new buffer", n)
			}
		})
	}
}

// TestPoolFormats passes if every plane of a format has room, and what cannot
// be made is an error.
func TestPoolFormats(t *testing.T) {
	p := newPoolTest(t, 1000, false)
	for _, test := range []struct {
		width, height   int
		format          fourcc.Format
		wide, high, bpp uint32
	}{
		{63, 5, fourcc.XRGB8888, 63, 5, 32},
		{63, 5, fourcc.RGB565, 63, 5, 16},
		{64, 48, fourcc.NV12, 64, 72, 8},
		{63, 5, fourcc.NV12, 64, 8, 8}, // the rows of the second plane are longer
	} {
		o, err := p.Get(t.Context(), test.width, test.height, test.format)
		if err != nil {
			t.Fatal(err)
		}
		d, ok := o.Dumb()
		if !ok || d.Width != test.wide || d.Height != test.high || d.BPP != test.bpp {
			t.Errorf("%+v: made %+v", test, d)
		}
		b := export(t, o)
		img := prime.Image{Width: uint32(test.width), Height: uint32(test.height), Format: test.format}
		info, _ := test.format.Info()
		var offset uint32
		for _, plane := range info.Planes {
			img.Planes = append(img.Planes, prime.Plane{Buffer: b, Offset: offset, Pitch: d.Pitch})
			offset += d.Pitch * uint32(plane.Rows(img.Height))
		}
		if err := img.Validate(); err != nil {
			t.Error(err)
		}
		p.put(o)
	}
	for _, test := range []struct {
		width, height int
		format        fourcc.Format
		want          error
	}{
		{32, 32, fourcc.New('N', 'O', 'N', 'E'), errors.ErrUnsupported},
		{-1, 32, fourcc.XRGB8888, drm.ErrRange},
		{32, -1, fourcc.NV12, drm.ErrRange},
		{0, 32, fourcc.XRGB8888, syscall.EINVAL},
	} {
		if o, err := p.Get(t.Context(), test.width, test.height, test.format); o != nil || !errors.Is(err, test.want) {
			t.Errorf("%dx%d %v: %v, %v, want %v", test.width, test.height, test.format, o, err, test.want)
		}
	}
}

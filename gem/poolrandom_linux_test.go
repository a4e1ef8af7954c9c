package gem_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/gemtool/gemtool/drm/fourcc"
	"github.com/gemtool/gemtool/gem"
	"github.com/gemtool/gemtool/prime"
)

// poolKinds are what the random tests ask a Pool for.
var poolKinds = []struct {
	width, height int
	format        fourcc.Format
	size          uint64
}{
	{32, 32, fourcc.XRGB8888, poolPage},
	{32, 32, fourcc.ARGB8888, poolPage},
	{64, 64, fourcc.XRGB8888, 4 * poolPage},
}

// refPooled is what the reference model knows of a buffer.
type refPooled struct {
	*gem.Object
	kind     int
	exported bool // at some time, so that it cannot be purged
	purged   bool
	closed   bool
	uses     []func() error // that end them
	holds    int            // of them: those that keep the handle
}

func (o *refPooled) size() uint64 { return poolKinds[o.kind].size }
func (o *refPooled) dead() bool   { return o.purged || o.closed }

// refPool is the reference model of a Pool.
type refPool struct {
	*rapid.T
	test  *poolTest
	pool  *gem.Pool
	opts  gem.PoolOptions
	out   []*refPooled
	idle  []*refPooled // the longest unused first
	gone  []*refPooled // closed
	count func(what string)
}

// TestPoolRandom passes if after random steps every Get returns the very buffer
// that the model says, with the contents that it says, and there are as many
// handles as the model has.
func TestPoolRandom(t *testing.T) {
	p := newPoolTest(t, 0, false)
	defer gem.OnWarn(func(gem.Warning) {})() // of what is mapped when its turn comes to be closed
	seen := make(map[string]int)
	for range 20 {
		rapid.Check(t, func(t *rapid.T) {
			r := &refPool{T: t, test: p, count: func(what string) { seen[what]++ }}
			r.opts.Limit = uint64(rapid.IntRange(1, 12).Draw(t, "pages")) * poolPage
			r.opts.Dirty = rapid.Bool().Draw(t, "dirty")
			r.pool = gem.NewPool(p.store, r.opts)
			t.Cleanup(r.abandon)
			t.Repeat(map[string]func(*rapid.T){
				"":       func(t *rapid.T) { r.T = t; r.check() },
				"Get":    func(t *rapid.T) { r.T = t; r.get() },
				"Put":    func(t *rapid.T) { r.T = t; r.put() },
				"PutToo": func(t *rapid.T) { r.T = t; r.put() },
				"Use":    func(t *rapid.T) { r.T = t; r.use() },
				"End":    func(t *rapid.T) { r.T = t; r.endUse() },
				"Shrink": func(t *rapid.T) { r.T = t; r.shrink() },
				"Close":  func(t *rapid.T) { r.T = t; r.closeOne() },
			})
			r.T = t
			r.end()
		})
	}
	for _, what := range []string{
		"new", "reused", "passed over", "found dead", "too large",
		"trimmed", "trimmed in use", "trimmed dead", "shrunk", "not to be shrunk",
	} {
		if seen[what] == 0 {
			t.Errorf("never happened: %s", what)
		}
	}
	t.Log(seen)
}

func (r *refPool) must(err error) {
	if err != nil {
		r.Fatal(err)
	}
}

// any draws one of the buffers, and skips the step if there is none.
func (r *refPool) any(lists ...[]*refPooled) *refPooled {
	all := slices.Concat(lists...)
	if len(all) == 0 {
		r.Skip()
	}
	return rapid.SampledFrom(all).Draw(r.T, "buffer")
}

func (r *refPool) get() {
	kind := rapid.IntRange(0, len(poolKinds)-1).Draw(r.T, "kind")
	want := r.wanted(kind)
	got, err := r.pool.Get(context.Background(), poolKinds[kind].width, poolKinds[kind].height, poolKinds[kind].format)
	r.must(err)
	content := byte(0)
	switch {
	case want != nil && want.Object != got:
		r.Fatal("got another buffer")
	case want != nil:
		r.count("reused")
		if r.opts.Dirty {
			content = 0xff
		}
	case slices.ContainsFunc(slices.Concat(r.out, r.idle, r.gone), func(o *refPooled) bool { return o.Object == got }):
		r.Fatal("got a buffer that was not to be had")
	default:
		r.count("new")
		want = &refPooled{Object: got, kind: kind}
	}
	r.out = append(r.out, want)
	m, err := got.VMap(context.Background(), prime.ReadWrite)
	r.must(err)
	if bytes.Count(m.Bytes(), []byte{content}) != len(m.Bytes()) {
		r.Fatalf("not all bytes are %d", content)
	}
	copy(m.Bytes(), bytes.Repeat([]byte{0xff}, len(m.Bytes())))
	r.must(m.VUnmap())
}

// wanted removes from the model what Get finds.
func (r *refPool) wanted(kind int) *refPooled {
	for _, o := range slices.Backward(slices.Clone(r.idle)) {
		switch {
		case o.kind != kind:
		case o.dead():
			r.count("found dead")
			r.close(o)
		case len(o.uses) > 0:
			r.count("passed over")
		default:
			r.idle = withoutPooled(r.idle, o)
			return o
		}
	}
	return nil
}

func (r *refPool) put() {
	o := r.any(r.out)
	r.out = withoutPooled(r.out, o)
	r.must(r.pool.Put(o.Object))
	if o.size() > r.opts.Limit {
		r.count("too large")
		r.close(o)
		return
	}
	r.idle = append(r.idle, o)
	if r.bytes() <= r.opts.Limit {
		return
	}
	for _, o := range slices.Clone(r.idle) {
		if o.dead() {
			r.count("trimmed dead")
			r.close(o)
		}
	}
	for r.bytes() > r.opts.Limit {
		r.count("trimmed")
		if len(r.idle[0].uses) > 0 {
			r.count("trimmed in use")
		}
		r.close(r.idle[0])
	}
}

func (r *refPool) bytes() (n uint64) {
	for _, o := range r.idle {
		n += o.size()
	}
	return n
}

// close moves a buffer to those that are closed.
func (r *refPool) close(o *refPooled) {
	r.idle, r.out = withoutPooled(r.idle, o), withoutPooled(r.out, o)
	o.closed = true
	r.gone = append(r.gone, o)
}

// closeOne closes a buffer behind the Pool's back.
func (r *refPool) closeOne() {
	o := r.any(r.out, r.idle)
	if o.closed {
		r.Skip()
	}
	r.must(o.Close())
	if slices.Contains(r.out, o) {
		r.close(o)
	}
	o.closed = true
}

// use begins to use a buffer, in one of the ways that Get knows of.
func (r *refPool) use() {
	ctx := context.Background()
	o := r.any(r.out, r.idle)
	if o.dead() {
		r.Skip()
	}
	end := func(end func() error) { o.uses = append(o.uses, end) }
	switch how := rapid.SampledFrom([]string{"pin", "map", "hold", "export", "import"}).Draw(r.T, "how"); how {
	case "pin":
		r.must(o.Pin(ctx))
		end(o.Unpin)
	case "map":
		m, err := o.VMap(ctx, prime.Read)
		r.must(err)
		end(m.VUnmap)
	case "hold":
		release, err := o.Hold()
		r.must(err)
		o.holds++
		end(func() error {
			o.holds--
			release()
			return nil
		})
	default:
		b, err := o.Export()
		r.must(err)
		o.exported = true
		if how == "export" {
			end(b.Close)
			return
		}
		i, err := r.test.importer.Import(b)
		r.must(err)
		m, err := i.VMap(ctx, prime.Read)
		r.must(err)
		r.must(b.Close())
		r.must(i.Close())
		end(m.VUnmap)
	}
}

func (r *refPool) endUse() {
	o := r.any(slices.DeleteFunc(slices.Concat(r.out, r.idle, r.gone), func(o *refPooled) bool { return len(o.uses) == 0 }))
	i := rapid.IntRange(0, len(o.uses)-1).Draw(r.T, "use")
	end := o.uses[i]
	o.uses = slices.Delete(o.uses, i, i+1)
	r.must(end())
}

func (r *refPool) shrink() {
	want := uint64(rapid.IntRange(0, 6).Draw(r.T, "pages")) * poolPage
	var freed uint64
	for _, o := range r.idle {
		switch {
		case freed >= want || o.dead():
		case o.exported || len(o.uses) > 0:
			r.count("not to be shrunk")
		default:
			r.count("shrunk")
			o.purged = true
			freed += o.size()
		}
	}
	if got := r.test.store.Shrink(want); got != freed {
		r.Fatalf("Shrink(%d) freed %d bytes, want %d", want, got, freed)
	}
}

// check compares the kernel's handles with the model's.
func (r *refPool) check() {
	handles := 0
	for _, o := range slices.Concat(r.out, r.idle, r.gone) {
		if !o.dead() || o.holds > 0 {
			handles++
		}
	}
	if got := r.test.fake.Count().Handles; got != handles {
		r.Fatalf("%d handles, want %d", got, handles)
	}
}

// end closes all, the Pool between its buffers.
func (r *refPool) end() {
	for i, o := range r.out {
		if i == len(r.out)/2 {
			r.must(r.pool.Close())
		}
		r.must(r.pool.Put(o.Object))
	}
	if len(r.out) == 0 {
		r.must(r.pool.Close())
	}
	for _, o := range slices.Concat(r.out, r.idle, r.gone) {
		for _, end := range o.uses {
			r.must(end())
		}
		o.uses = nil
	}
	if got := fmt.Sprintf("%+v", r.test.fake.Count()); got != "{Handles:0 Mappings:0 Windows:0}" {
		r.Fatalf("left: %s", got)
	}
}

// abandon gives back what a failure has left.
func (r *refPool) abandon() {
	_ = r.pool.Close()
	for _, o := range slices.Concat(r.out, r.idle, r.gone) {
		for _, end := range o.uses {
			_ = end()
		}
		_ = o.Close()
	}
}

func withoutPooled(list []*refPooled, o *refPooled) []*refPooled {
	return slices.DeleteFunc(list, func(other *refPooled) bool { return other == o })
}

package gem_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"testing"

	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/gem"
	"github.com/gemtool/gemtool/prime"
	"github.com/gemtool/gemtool/prime/primetest"
)

// fakeStores opens two cards of a fake kernel, and a second file of the first.
func fakeStores(t testing.TB) (f *drmtest.Fake, a, again, b *gem.Store) {
	t.Helper()
	drmtest.CheckLeaks(t)
	f = primetest.NewFake(t)
	one := f.NewCard("one")
	return f, gem.StoreOf(one.Open()), gem.StoreOf(one.Open()), gem.StoreOf(f.NewCard("two").Open())
}

// fakeObject makes one of a page.
func fakeObject(t testing.TB, s *gem.Store) *gem.Object {
	t.Helper()
	o, err := s.Create(32, 32, 32)
	return closing(t, o, err)
}

// TestKUnit is the kernel's drm_gem_shmem_test.c by the names of its cases:
// each passes if the object here does what the kernel's test expects of its.
// The fake kernel stands in for the driver. What is only of the kernel is
// skipped and says why.
func TestKUnit(t *testing.T) {
	for _, test := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"drm_gem_shmem_test_obj_create", kunitObjCreate},
		{"drm_gem_shmem_test_obj_create_private", kunitObjCreatePrivate},
		{"drm_gem_shmem_test_pin_pages", kunitPinPages},
		{"drm_gem_shmem_test_vmap", kunitVMap},
		{"drm_gem_shmem_test_get_pages_sgt", kernelOnly("a scatter list of pages for a device's DMA is no object of user space")},
		{"drm_gem_shmem_test_get_sg_table", kernelOnly("the scatter list of a dma-buf is no object of user space")},
		{"drm_gem_shmem_test_madvise", kunitMadvise},
		{"drm_gem_shmem_test_purge", kunitPurge},
	} {
		t.Run(test.name, test.run)
	}
}

func kernelOnly(why string) func(*testing.T) {
	return func(t *testing.T) { t.Skip("kernel only: " + why) }
}

// kunitObjCreate passes if a new object has whole pages, and nobody has taken
// anything of it.
//
// Case F01
func kunitObjCreate(t *testing.T) {
	f, s, _, _ := fakeStores(t)
	o, err := s.Create(1, 1, 8)
	if err != nil {
		t.Fatal(err)
	}
	if page := uint64(os.Getpagesize()); o.Size() != page {
		t.Errorf("size %d, want a page of %d", o.Size(), page)
	}
	wantStats(t, o, gem.Stats{})
	if got := f.Count(); got != (drmtest.FakeCount{Handles: 1}) {
		t.Errorf("held: %+v", got)
	}
	if err := o.Close(); err != nil {
		t.Error(err)
	}
	if got := f.Count(); got != (drmtest.FakeCount{}) {
		t.Errorf("left after Close: %+v", got)
	}
}

// kunitObjCreatePrivate passes if an import has the size of its dma-buf, and no
// pages, counters or mapping of its own.
//
// Case F02
func kunitObjCreatePrivate(t *testing.T) {
	f, s, _, _ := fakeStores(t)
	const size = 5 << 12
	b, err := prime.New(f.NewBuffer(size, false))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	o, err := s.Import(b)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	if o.Size() != size || !o.Imported() {
		t.Errorf("size %d, imported %v", o.Size(), o.Imported())
	}
	if st, ok, err := o.Stats(t.Context()); ok || err != nil || st != (gem.Stats{}) {
		t.Errorf("an import has counters: %+v, %v, %v", st, ok, err)
	}
	if f.Calls(drmtest.FakeMmap) != 0 {
		t.Error("an import was mapped without need")
	}
}

// kunitPinPages passes if a pin takes the pages, and its end gives them back.
//
// Case F03
func kunitPinPages(t *testing.T) {
	f, s, _, _ := fakeStores(t)
	o := fakeObject(t, s)
	if err := o.Pin(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantStats(t, o, gem.Stats{PagesPin: 1, PagesUse: 1})
	if n := f.Count().Mappings; n != 1 {
		t.Errorf("%d mappings of pinned pages", n)
	}
	if err := o.Unpin(); err != nil {
		t.Fatal(err)
	}
	wantStats(t, o, gem.Stats{})
	if n := f.Count().Mappings; n != 0 {
		t.Errorf("%d mappings without a pin", n)
	}
}

// kunitVMap passes if a map shows zeros, keeps what is written, and leaves
// nothing.
//
// Case F04
func kunitVMap(t *testing.T) {
	f, s, _, _ := fakeStores(t)
	o := fakeObject(t, s)
	m := vmap(t, o)
	wantStats(t, o, gem.Stats{PagesPin: 1, PagesUse: 1, VMapUse: 1, Mapped: true})
	if !bytes.Equal(m.Bytes(), make([]byte, o.Size())) {
		t.Error("new memory is not zero")
	}
	for i := range m.Bytes() {
		m.Bytes()[i] = 0xae
	}
	vunmap(t, m)
	wantStats(t, o, gem.Stats{})
	if n := f.Count().Mappings; n != 0 {
		t.Errorf("%d mappings", n)
	}
	again := vmap(t, o)
	if !bytes.Equal(again.Bytes(), bytes.Repeat([]byte{0xae}, int(o.Size()))) {
		t.Error("the contents were lost")
	}
	vunmap(t, again)
}

// kunitMadvise passes if a negative advice stays for good.
//
// Case F07
func kunitMadvise(t *testing.T) {
	_, s, _, _ := fakeStores(t)
	o := fakeObject(t, s)
	for _, step := range []struct {
		advice   gem.Advice
		retained bool
		madv     gem.Advice
	}{{1, true, 1}, {-1, false, -1}, {0, false, -1}, {1, false, -1}} {
		retained, err := o.Madvise(t.Context(), step.advice)
		if err != nil || retained != step.retained {
			t.Errorf("Madvise(%d): %v, %v, want %v", step.advice, retained, err, step.retained)
		}
		wantStats(t, o, gem.Stats{Madv: step.madv})
	}
}

// kunitPurge passes if an object is purgeable when it is marked and nobody
// uses it, and a purge leaves neither mapping nor handle nor contents.
//
// Case F08, the library's half
func kunitPurge(t *testing.T) {
	f, s, _, _ := fakeStores(t)
	o := fakeObject(t, s)
	ctx := t.Context()
	purgeable := func(want bool, when string) {
		t.Helper()
		if got, err := o.IsPurgeable(ctx); got != want || err != nil {
			t.Errorf("%s: purgeable %v, %v", when, got, err)
		}
		if want {
			return
		}
		if err := o.Purge(ctx); !errors.Is(err, gem.ErrNotPurgeable) {
			t.Errorf("%s: Purge: %v, want ErrNotPurgeable", when, err)
		}
	}
	purgeable(false, "fresh")
	if retained, err := o.Madvise(ctx, gem.DontNeed); !retained || err != nil {
		t.Fatal(retained, err)
	}
	purgeable(true, "marked")
	for when, use := range map[string]func() (end func() error, err error){
		"pinned": func() (func() error, error) { return o.Unpin, o.Pin(ctx) },
		"mapped": func() (func() error, error) { m, err := o.VMap(ctx, prime.Read); return m.VUnmap, err },
		"held": func() (func() error, error) {
			release, err := o.Hold()
			return func() error { release(); return nil }, err
		},
	} {
		end, err := use()
		if err != nil {
			t.Fatal(err)
		}
		purgeable(false, when)
		if err := end(); err != nil {
			t.Fatal(err)
		}
	}
	purgeable(true, "used no more")
	handle := o.Handle()
	if err := o.Purge(ctx); err != nil {
		t.Fatal(err)
	}
	wantStats(t, o, gem.Stats{Madv: -1})
	if got := f.Count(); got != (drmtest.FakeCount{}) || o.Handle() != 0 {
		t.Errorf("held after Purge: %+v, handle %v, %v before", got, o.Handle(), handle)
	}
	for name, use := range map[string]func() error{
		"VMap":        func() error { _, err := o.VMap(ctx, prime.Read); return err },
		"Pin":         func() error { return o.Pin(ctx) },
		"Export":      func() error { _, err := o.Export(); return err },
		"Hold":        func() error { _, err := o.Hold(); return err },
		"BeginAccess": func() error { _, err := o.BeginAccess(ctx, prime.Read); return err },
		"Local":       func() error { return o.Local(ctx, prime.Read, func(gem.View) error { return nil }) },
	} {
		if err := use(); !errors.Is(err, gem.ErrPurged) {
			t.Errorf("%s after Purge: %v, want ErrPurged", name, err)
		}
	}
	if err := o.Purge(context.Background()); !errors.Is(err, gem.ErrNotPurgeable) {
		t.Errorf("second Purge: %v, want ErrNotPurgeable", err)
	}
}

// TestPurgeExported passes if memory that was exported once is not purgeable
// any more, as its dma-buf may be anybody's.
func TestPurgeExported(t *testing.T) {
	_, s, _, _ := fakeStores(t)
	o := fakeObject(t, s)
	export(t, o).Close()
	if _, err := o.Madvise(t.Context(), gem.DontNeed); err != nil {
		t.Fatal(err)
	}
	if err := o.Purge(t.Context()); !errors.Is(err, gem.ErrNotPurgeable) {
		t.Errorf("Purge: %v, want ErrNotPurgeable", err)
	}
}

package conformance

import (
	"errors"
	"runtime/debug"
	"syscall"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/fourcc"
	"github.com/gemtool/gemtool/gem"
	"github.com/gemtool/gemtool/prime"
)

// What package gem promises, on real drivers and beside the kernel's own
// counters.

var countCases = []Case{
	{ID: "F01", Title: "a new object has no counts, here and in the kernel", Needs: Needs{Memory: Shmem}, Run: countNew},
	{ID: "F02", Title: "an import has no counts, no pages and the size of its dma-buf", Needs: Needs{Memory: Shmem, Except: []string{"virtio_gpu"}}, Run: countImport},
	{ID: "F04", Title: "a map, what is written to it, and its end", Run: countMap},
	{ID: "F12", Title: "maps of imports move the exporter's counts", Needs: Needs{Memory: Shmem}, Run: countForeignMaps},
	{ID: "G05", Title: "a mapping of another object is refused", Run: wrongMap},
	{ID: "G08", Title: "a local map of an import is the exporter's", Needs: Needs{Memory: Shmem}, Run: countForeignLocal},
	{ID: "G21", Title: "Export and Close inside of a local map", Run: closeInside},
	{ID: "M09", Title: "a mapping outlives its object's Close", Run: closeMapped},
}

// wantStats looks at the library's counters.
func wantStats(t T, what string, o *gem.Object, want gem.Stats) {
	t.Helper()
	got, ok, err := o.Stats(t.Context())
	if err != nil || !ok || got != want {
		t.Errorf("%s: counters %+v, %v, %v, want %+v", what, got, ok, err, want)
	}
}

// wantPassThrough looks whether an object has no counters of its own.
func wantPassThrough(t T, o *gem.Object) {
	t.Helper()
	if got, ok, err := o.Stats(t.Context()); err != nil || ok {
		t.Errorf("the import has counters %+v, %v, %v", got, ok, err)
	}
}

// The counters of a mapped object.
var mapped = gem.Stats{PagesPin: 1, PagesUse: 1, VMapUse: 1, Mapped: true}

func countNew(t T, env *Env) {
	dev := env.Open(t)
	o, watch := env.object(t, dev)
	wantStats(t, "new", o, gem.Stats{})
	if o.Size()%pageSize != 0 || o.Size() < 64*64*4 {
		t.Errorf("%d bytes", o.Size())
	}
	if watch == nil {
		return
	}
	// virtio-gpu takes the pages at once, for its host.
	want := uint32(0)
	if env.Driver == "virtio_gpu" {
		want = 1
	}
	if b := watch.base; b.PagesUse != want || b.PagesPin != 0 || b.VMapUse != 0 || b.Mapped {
		t.Errorf("the kernel has %+v, want pages_use_count %d and nothing else", b, want)
	}
	if counts := !env.Kernel.Less(Kernel{6, 16}); watch.base.CountsPins != counts {
		t.Errorf("the kernel prints pins: %v, want %v", watch.base.CountsPins, counts)
	}
}

// foreign makes an object on a device and imports it into another.
func foreign(t T, dev, exporter *drm.Device) (origin, imported *gem.Object) {
	t.Helper()
	origin = createObject(t, gem.StoreOf(exporter))
	t.Cleanup(func() { wantErr(t, "Close of the exporter's", origin.Close(), nil) })
	imported = importObject(t, gem.StoreOf(dev), exportObject(t, origin))
	t.Cleanup(func() { wantErr(t, "Close of the import", imported.Close(), nil) })
	return origin, imported
}

func countImport(t T, env *Env) {
	dev := env.Open(t)
	for _, exporter := range env.exporters(t) {
		origin, imported := foreign(t, dev, exporter)
		if !imported.Imported() || origin.Imported() {
			t.Errorf("imported %v, origin %v", imported.Imported(), origin.Imported())
		}
		if imported.Size() != origin.Size() {
			t.Errorf("%d bytes, the dma-buf has %d", imported.Size(), origin.Size())
		}
		if _, ok := imported.Dumb(); ok {
			t.Errorf("the import says that it is a dumb buffer")
		}
		wantPassThrough(t, imported)
		wantErr(t, "Pin of the import", imported.Pin(t.Context()), gem.ErrImported)
		wantErr(t, "Unpin of the import", imported.Unpin(), gem.ErrImported)
		wantErr(t, "MapDumb of the import", second(dev.MapDumb(imported.Handle())), syscall.EINVAL)
		wantStats(t, "the exporter's", origin, gem.Stats{})
	}
}

func countMap(t T, env *Env) {
	o, watch := env.object(t, env.Open(t))
	m, err := o.VMap(t.Context(), prime.ReadWrite)
	if err != nil {
		t.Fatalf("%v", err)
	}
	for i := range m.Bytes() {
		m.Bytes()[i] = 0xae
	}
	wantStats(t, "mapped", o, mapped)
	watch.want(t, "mapped", 1)
	again, err := o.VMap(t.Context(), prime.Read)
	if err != nil {
		t.Fatalf("%v", err)
	}
	twice := mapped
	twice.VMapUse = 2
	wantStats(t, "mapped twice", o, twice)
	watch.want(t, "mapped twice", 1)
	for i, b := range again.Bytes() {
		if b != 0xae {
			t.Fatalf("byte %d reads %#x", i, b)
		}
	}
	wantErr(t, "VUnmap", m.VUnmap(), nil)
	wantStats(t, "one map is left", o, mapped)
	wantErr(t, "VUnmap of the second", again.VUnmap(), nil)
	wantStats(t, "unmapped", o, gem.Stats{})
	watch.want(t, "unmapped", 0)
}

// foreignImports imports an object of the case's device into all others that
// take it, and calls f with each import and what the kernel counts then.
func foreignImports(t T, env *Env, f func(o, imported *gem.Object, watch *watch)) {
	o, watch := env.object(t, env.Open(t))
	b := exportObject(t, o)
	importers := env.others(t, "vkms", "vgem")
	if len(importers) == 0 {
		t.Skipf("no other device here that imports buffers")
	}
	for _, importer := range importers {
		imported := importObject(t, gem.StoreOf(importer), b)
		watch.want(t, "imported by "+importer.Path(), 1)
		f(o, imported, watch)
		wantErr(t, "Close of the import", imported.Close(), nil)
		watch.want(t, "the import is closed", 0)
		wantStats(t, "the import is closed", o, gem.Stats{})
	}
}

func countForeignMaps(t T, env *Env) {
	foreignImports(t, env, func(o, imported *gem.Object, watch *watch) {
		var maps []gem.Map
		want := mapped
		for n := range 3 {
			m, err := imported.VMap(t.Context(), prime.ReadWrite)
			if err != nil {
				t.Fatalf("%v", err)
			}
			maps = append(maps, m)
			want.VMapUse = uint32(n + 1)
			wantStats(t, "the exporter's", o, want)
			watch.want(t, "the exporter's one mapping and the attachment", 2)
			wantPassThrough(t, imported)
		}
		maps[0].Bytes()[5] = 55
		withBytes(t, o, func(m []byte) {
			if m[5] != 55 {
				t.Errorf("the exporter reads %d, want 55", m[5])
			}
		})
		for _, m := range maps {
			wantErr(t, "VUnmap", m.VUnmap(), nil)
		}
		watch.want(t, "unmapped", 1)
	})
}

func countForeignLocal(t T, env *Env) {
	foreignImports(t, env, func(o, imported *gem.Object, watch *watch) {
		if imported.Reservation() != o.Reservation() {
			t.Errorf("one memory has two reservations")
		}
		h, err := imported.Reservation().Lock(t.Context())
		if err != nil {
			t.Fatalf("%v", err)
		}
		l, err := imported.LocalLocked(h, prime.ReadWrite)
		if err != nil {
			t.Fatalf("%v", err)
		}
		l.Bytes()[6] = 66
		got, ok, err := o.StatsLocked(h)
		if want := (gem.Stats{PagesUse: 1}); err != nil || !ok || got != want {
			t.Errorf("the exporter's counters %+v, %v, %v, want %+v", got, ok, err, want)
		}
		if got, ok, err := imported.StatsLocked(h); err != nil || ok {
			t.Errorf("the import has counters %+v, %v, %v", got, ok, err)
		}
		watch.want(t, "the exporter's mapping and the attachment", 2)
		wantErr(t, "Unmap", l.Unmap(), nil)
		wantErr(t, "second Unmap", l.Unmap(), gem.ErrStale)
		wantErr(t, "Unlock", h.Unlock(), nil)
		wantErr(t, "LocalLocked without the lock", second(imported.LocalLocked(h, prime.Read)), gem.ErrNotLocked)
		watch.want(t, "unmapped", 1)
		wantErr(t, "Local", o.Local(t.Context(), prime.Read, func(v gem.View) error {
			if v.Bytes()[6] != 66 {
				t.Errorf("the exporter reads %d, want 66", v.Bytes()[6])
			}
			return nil
		}), nil)
	})
}

// wrongMap uses mappings where they do not belong. Unmap and VUnmap are methods
// of the mapping, so that the kernel's own mistake cannot be written down.
func wrongMap(t T, env *Env) {
	dev := env.Open(t)
	o, watch := env.object(t, dev)
	other, _ := env.object(t, dev)
	withBytes(t, o, func([]byte) {
		m, err := other.VMap(t.Context(), prime.ReadWrite)
		if err != nil {
			t.Fatalf("%v", err)
		}
		wantErr(t, "Image of another's map", second(o.Image(m, fourcc.XRGB8888)), gem.ErrWrongMap)
		wantErr(t, "Image of its own", second(other.Image(m, fourcc.XRGB8888)), nil)
		copied := m
		wantErr(t, "VUnmap", m.VUnmap(), nil)
		wantErr(t, "VUnmap of a copy", copied.VUnmap(), gem.ErrStale)
		wantErr(t, "VUnmap of no map", gem.Map{}.VUnmap(), gem.ErrStale)
		wantErr(t, "Unmap of no map", gem.Local{}.Unmap(), gem.ErrStale)
		wantErr(t, "Image of an ended map", second(other.Image(m, fourcc.XRGB8888)), gem.ErrStale)
		wantStats(t, "the mapped one", o, mapped)
		wantStats(t, "the other", other, gem.Stats{})
		watch.want(t, "mapped", 1)
	})
}

func closeInside(t T, env *Env) {
	store := gem.StoreOf(env.Open(t))
	closes := countCloses(t)
	o := createObject(t, store)
	other := createObject(t, store)
	err := o.Local(t.Context(), prime.ReadWrite, func(v gem.View) error {
		b, err := o.Export()
		if err == nil {
			err = b.Close()
		}
		if !exports(env.Driver, env.Kernel) {
			wantErr(t, "Export inside", err, drm.ErrNotSupported)
		} else {
			wantErr(t, "Export inside", err, nil)
		}
		wantErr(t, "Close of another object inside", other.Close(), nil)
		wantErr(t, "Close inside", o.Close(), nil)
		number(v.Bytes())
		wantNumbers(t, "the view after Close", v.Bytes())
		return nil
	})
	wantErr(t, "Local", err, nil)
	wantErr(t, "VMap after it", second(o.VMap(t.Context(), prime.Read)), gem.ErrClosed)
	wantCloses(t, "after the scope", closes, 2)
}

func closeMapped(t T, env *Env) {
	var warnings []gem.Warning
	defer gem.OnWarn(func(w gem.Warning) { warnings = append(warnings, w) })()
	dev := env.Open(t)
	o, err := gem.StoreOf(dev).Create(64, 64, 32)
	if err != nil {
		t.Fatalf("%v", err)
	}
	dumb, _ := o.Dumb()
	watch := env.watchUse(t, dev, dumb)
	m, err := o.VMap(t.Context(), prime.ReadWrite)
	if err != nil {
		t.Fatalf("%v", err)
	}
	number(m.Bytes())
	wantErr(t, "Close", o.Close(), nil)
	if len(warnings) == 0 {
		t.Errorf("nobody is told that the object was closed while it was mapped")
	}
	watch.want(t, "closed while mapped", 1)
	wantNumbers(t, "the mapping after Close", m.Bytes())
	wantErr(t, "VMap of the closed object", second(o.VMap(t.Context(), prime.Read)), gem.ErrClosed)
	wantErr(t, "VUnmap", m.VUnmap(), nil)
	watch.want(t, "unmapped", 0)
	wantErr(t, "MapDumb of its handle", second(dev.MapDumb(dumb.Handle)), syscall.ENOENT)
}

var purgeCases = []Case{
	{ID: "B20", Title: "a purged object's maps are an error, never a fault", Run: purge},
}

func purge(t T, env *Env) {
	dev := env.Open(t)
	store := gem.StoreOf(dev)
	closes := countCloses(t)
	o := createObject(t, store)
	ctx := t.Context()
	wantErr(t, "Purge of a fresh object", o.Purge(ctx), gem.ErrNotPurgeable)
	withBytes(t, o, func([]byte) {
		wantErr(t, "Madvise", second(o.Madvise(ctx, gem.DontNeed)), nil)
		wantErr(t, "Purge while mapped", o.Purge(ctx), gem.ErrNotPurgeable)
	})
	handle := o.Handle()
	wantErr(t, "Purge", o.Purge(ctx), nil)
	wantCloses(t, "purged", closes, 1)
	wantErr(t, "the kernel's use of the handle", second(dev.MapDumb(handle)), syscall.ENOENT)
	if h := o.Handle(); h != 0 {
		t.Errorf("the purged object has %v", h)
	}
	for _, test := range []struct {
		what string
		err  error
	}{
		{"VMap", second(o.VMap(ctx, prime.Read))},
		{"Local", o.Local(ctx, prime.Read, func(gem.View) error { t.Errorf("reached"); return nil })},
		{"LocalAll", gem.LocalAll(ctx, func([]gem.View) error { t.Errorf("reached"); return nil }, gem.Use{Object: o, Access: prime.Read})},
		{"Pin", o.Pin(ctx)},
		{"Export", second(o.Export())},
		{"Hold", second(o.Hold())},
	} {
		wantErr(t, test.what+" of the purged object", test.err, gem.ErrPurged)
	}
	if retained, err := o.Madvise(ctx, gem.WillNeed); retained || err != nil {
		t.Errorf("taken back after the purge: retained %v, %v", retained, err)
	}
	wantErr(t, "Close", o.Close(), nil)
	wantCloses(t, "closed", closes, 1)

	// The store gives back what was marked first, and only that.
	marked, kept := createObject(t, store), createObject(t, store)
	wantErr(t, "Madvise", second(marked.Madvise(ctx, gem.DontNeed)), nil)
	if freed := store.Shrink(1); freed != marked.Size() {
		t.Errorf("Shrink freed %d, want %d", freed, marked.Size())
	}
	wantErr(t, "VMap of what was shrunk", second(marked.VMap(ctx, prime.Read)), gem.ErrPurged)
	withBytes(t, kept, number)
	wantErr(t, "Close of what was shrunk", marked.Close(), nil)
	wantErr(t, "Close of what was kept", kept.Close(), nil)
}

var debugCases = []Case{
	{ID: "B21", Title: "an ended mapping has no bytes, and in the debug build no memory", Run: touchEnded},
}

func touchEnded(t T, env *Env) {
	o, watch := env.object(t, env.Open(t))
	m, err := o.VMap(t.Context(), prime.ReadWrite)
	if err != nil {
		t.Fatalf("%v", err)
	}
	old := m.Bytes()
	old[0] = 1
	wantErr(t, "VUnmap", m.VUnmap(), nil)
	watch.want(t, "unmapped", 0)
	if m.Bytes() != nil {
		t.Errorf("the ended mapping has bytes")
	}
	wantErr(t, "second VUnmap", m.VUnmap(), gem.ErrStale)
	if debugBuild && !faults(func() { old[0]++ }) {
		t.Errorf("a touch of the ended mapping went unnoticed")
	}
}

// faults says whether f touches memory that is not there.
func faults(f func()) (yes bool) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		var fault interface{ Addr() uintptr }
		err, _ := recover().(error)
		yes = errors.As(err, &fault)
	}()
	f()
	return false
}

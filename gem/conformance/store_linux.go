package conformance

import (
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/gem"
	"github.com/gemtool/gemtool/prime"
)

var storeCases = []Case{
	{ID: "A23", Title: "an object closed by 32 goroutines is closed once", Run: closeAtOnce},
	{ID: "B07", Title: "every part of an object's mapping shows its own pages", Needs: Needs{Shares: true}, Run: mapParts},
	{ID: "B22", Title: "the collector closes a lost object once, and not its mapping", Run: collectLost},
	{ID: "B24", Title: "a mapping of huge pages", Needs: Needs{Memory: Shmem, Since: Kernel{7, 2}}, Run: mapHuge},
	{ID: "C20", Title: "a buffer imported twice lives until both objects are closed", Needs: Needs{Shares: true}, Run: storeImportTwice},
	{ID: "C21", Title: "closing the import of an own export leaves the original", Needs: Needs{Shares: true}, Run: storeImportOwn},
}

// countCloses counts the calls that close handles, on any device, which the
// kernel still gets.
func countCloses(t T) *atomic.Int32 {
	t.Helper()
	var n atomic.Int32
	drmtest.Intercept(t, func(c drmtest.Call) (errno syscall.Errno, done bool) {
		if c.Request == rawOpGEMClose.Request() || c.Request == rawOpDestroyDumb.Request() {
			n.Add(1)
		}
		return 0, false
	})
	return &n
}

func wantCloses(t T, what string, n *atomic.Int32, want int32) {
	t.Helper()
	if got := n.Load(); got != want {
		t.Errorf("%s: %d handles have been closed, want %d", what, got, want)
	}
}

// createObject makes an object of four pages, which the case closes.
func createObject(t T, s *gem.Store) *gem.Object {
	t.Helper()
	o, err := s.Create(pageSize/4, 4, 32)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return o
}

// exportObject makes a Buffer that goes with the case.
func exportObject(t T, o *gem.Object) *prime.Buffer {
	t.Helper()
	b, err := o.Export()
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() { wantErr(t, "Close of the export", b.Close(), nil) })
	return b
}

func importObject(t T, s *gem.Store, b *prime.Buffer) *gem.Object {
	t.Helper()
	o, err := s.Import(b)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return o
}

// withBytes maps an object while f runs.
func withBytes(t T, o *gem.Object, f func([]byte)) {
	t.Helper()
	m, err := o.VMap(t.Context(), prime.ReadWrite)
	if err != nil {
		t.Fatalf("%v", err)
	}
	f(m.Bytes())
	wantErr(t, "VUnmap", m.VUnmap(), nil)
}

func closeAtOnce(t T, env *Env) {
	store := gem.StoreOf(env.Open(t))
	closes := countCloses(t)
	o := createObject(t, store)
	var succeeded atomic.Int32
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			err := o.Close()
			if err == nil {
				succeeded.Add(1)
				return
			}
			wantErr(t, "Close", err, gem.ErrClosed)
		})
	}
	wg.Wait()
	if n := succeeded.Load(); n != 1 {
		t.Errorf("%d of 32 succeeded, want 1", n)
	}
	wantCloses(t, "closed by all", closes, 1)
	wantErr(t, "Close later", o.Close(), gem.ErrClosed)
	wantCloses(t, "closed again", closes, 1)
}

// mapParts looks at sub-slices of the one whole mapping, where parts mapped
// by themselves would show wrong pages: see mapSecondPage.
func mapParts(t T, env *Env) {
	stores := [2]*gem.Store{gem.StoreOf(env.Open(t)), gem.StoreOf(env.Open(t))}
	o := createObject(t, stores[0])
	again := importObject(t, stores[1], exportObject(t, o))
	withBytes(t, o, number)
	for _, o := range []*gem.Object{o, again} {
		withBytes(t, o, func(m []byte) {
			wantNumbers(t, "whole", m)
			for page := range 4 {
				part := m[page*pageSize:][:pageSize]
				if part[0] != byte(10+page) {
					t.Errorf("page %d reads %d, want %d", page, part[0], 10+page)
				}
			}
		})
		wantErr(t, "Close", o.Close(), nil)
	}
}

func collectLost(t T, env *Env) {
	store := gem.StoreOf(env.Open(t))
	closes := countCloses(t)
	m, err := createObject(t, store).VMap(t.Context(), prime.ReadWrite)
	if err != nil {
		t.Fatalf("%v", err)
	}
	bytes := m.Bytes()
	number(bytes)
	for range env.Effort.Rounds(t, 10, 1000) {
		runtime.GC()
		wantNumbers(t, "mapping of a lost object", bytes)
	}
	wantErr(t, "VUnmap", m.VUnmap(), nil)
	m = gem.Map{}
	for deadline := time.Now().Add(10 * time.Second); closes.Load() == 0 && time.Now().Before(deadline); {
		runtime.GC()
		time.Sleep(time.Millisecond)
	}
	runtime.GC()
	wantCloses(t, "collected", closes, 1)
}

func mapHuge(t T, env *Env) {
	dev := env.Open(t)
	b, offset := dumbPages(t, dev, 2048)
	number(mapDumb(t, dev, offset, b.Size))
	wantNumbers(t, "a second mapping", mapDumb(t, dev, offset, b.Size))
}

func storeImportTwice(t T, env *Env) {
	closes := countCloses(t)
	o := createObject(t, gem.StoreOf(env.Open(t)))
	withBytes(t, o, number)
	b := exportObject(t, o)
	importer := env.Open(t)
	store := gem.StoreOf(importer)
	first, again := importObject(t, store, b), importObject(t, store, b)
	if first.Handle() != again.Handle() {
		t.Errorf("imports have %v and %v", first.Handle(), again.Handle())
	}
	wantErr(t, "Close of the first", first.Close(), nil)
	wantErr(t, "second Close of the first", first.Close(), gem.ErrClosed)
	wantCloses(t, "one of two imports closed", closes, 0)
	withBytes(t, again, func(m []byte) { wantNumbers(t, "the other import", m) })
	wantErr(t, "the kernel's use of the handle", second(importer.MapDumb(again.Handle())), nil)
	wantErr(t, "Close of the other", again.Close(), nil)
	wantCloses(t, "both imports closed", closes, 1)
	wantErr(t, "the kernel's use of the closed handle", second(importer.MapDumb(again.Handle())), syscall.ENOENT)
	wantErr(t, "Close of the original", o.Close(), nil)
	wantCloses(t, "all closed", closes, 2)
}

func storeImportOwn(t T, env *Env) {
	closes := countCloses(t)
	dev := env.Open(t)
	store := gem.StoreOf(dev)
	o := createObject(t, store)
	withBytes(t, o, number)
	again := importObject(t, store, exportObject(t, o))
	if again.Handle() != o.Handle() {
		t.Errorf("%v came back as %v", o.Handle(), again.Handle())
	}
	wantErr(t, "Close of the import", again.Close(), nil)
	wantCloses(t, "the import closed", closes, 0)
	withBytes(t, o, func(m []byte) { wantNumbers(t, "the original", m) })
	wantErr(t, "the kernel's use of the handle", second(dev.MapDumb(o.Handle())), nil)
	wantErr(t, "Close of the original", o.Close(), nil)
	wantCloses(t, "both closed", closes, 1)
}

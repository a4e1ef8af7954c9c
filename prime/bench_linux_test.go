package prime_test

import (
	"context"
	"testing"

	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/prime"
)

// hot returns what is done often, on a buffer of vgem's that is ready.
func hot(t testing.TB) map[string]func(context.Context) error {
	d := drmtest.RequireDevice(t, "vgem")
	o, err := d.CreateDumb(64, 48, 32)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.DestroyDumb(o.Handle) })
	b, err := prime.Export(d, o.Handle)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	s, err := b.ExportSyncFile(prime.Read)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return map[string]func(context.Context) error{
		"window": func(ctx context.Context) error {
			w, err := b.BeginAccess(ctx, prime.ReadWrite)
			if err != nil {
				return err
			}
			return w.End()
		},
		"wait":           func(ctx context.Context) error { return b.Wait(ctx, prime.ReadWrite) },
		"wait sync_file": s.Wait,
		"import": func(context.Context) error {
			_, err := b.Import(d)
			return err
		},
		"import sync_file": func(context.Context) error { return b.ImportSyncFile(s, prime.Read) },
	}
}

// TestHotAllocations passes if what is done often allocates nothing, whether
// its context can end or not.
func TestHotAllocations(t *testing.T) {
	guard(t)
	for name, f := range hot(t) {
		for _, ctx := range []context.Context{context.Background(), t.Context()} {
			if n := testing.AllocsPerRun(200, func() {
				if err := f(ctx); err != nil {
					t.Fatal(err)
				}
			}); n != 0 {
				t.Errorf("%s with a %v context: %v allocations", name, ctx, n)
			}
		}
	}
}

// BenchmarkHot is about the same, and about what cannot do without the few
// allocations of a new Buffer or SyncFile.
func BenchmarkHot(b *testing.B) {
	for name, f := range hot(b) {
		run := func(name string, ctx context.Context) {
			b.Run(name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := f(ctx); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		run(name, b.Context())
		if name == "window" {
			run("window without cancellation", context.Background())
		}
	}
}

func BenchmarkExport(b *testing.B) {
	d := drmtest.RequireDevice(b, "vgem")
	o, err := d.CreateDumb(64, 48, 32)
	if err != nil {
		b.Fatal(err)
	}
	defer d.DestroyDumb(o.Handle)
	buf, err := prime.Export(d, o.Handle)
	if err != nil {
		b.Fatal(err)
	}
	defer buf.Close()
	b.Run("buffer", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			buf, err := prime.Export(d, o.Handle)
			if err != nil {
				b.Fatal(err)
			}
			buf.Close()
		}
	})
	b.Run("sync_file", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s, err := buf.ExportSyncFile(prime.ReadWrite)
			if err != nil {
				b.Fatal(err)
			}
			s.Close()
		}
	})
}

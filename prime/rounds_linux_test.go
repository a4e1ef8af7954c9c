package prime_test

import (
	"context"
	"errors"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/gemtool/gemtool/drm/debugfs"
	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/prime"
)

// holding is what a process could lose bit by bit.
type holding struct {
	fds, goroutines, dmabufs int
	bytes                    uint64 // of all dma-bufs
}

func holdingNow(t *testing.T) holding {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	text, err := debugfs.Default.Bufinfo()
	if err != nil {
		if drmtest.InVM() {
			t.Fatal(err)
		}
		t.Skipf("%v: run in the VM (make test)", err)
	}
	info, err := debugfs.ParseBufinfo(text)
	if err != nil {
		t.Fatal(err)
	}
	return holding{len(fds), runtime.NumGoroutine(), len(info.Buffers), info.Size}
}

// TestRounds passes if after 10,000 rounds of everything that a frame takes
// there are as many descriptors, goroutines and dma-bufs as before. A round
// exports a buffer, opens a window on it, waits for its fences, takes them out,
// merges them and puts them back; every hundredth has a real fence, of which
// one waiter gets tired, and every fourth of those meets it in START. A kernel
// with checks for tests is given 40 seconds.
func TestRounds(t *testing.T) {
	guard(t)
	d := drmtest.RequireDevice(t, "vgem")
	o := dumb(t, d)
	fence, armed := fenceBeforeStart(t, d, &o.Handle)
	export(t, d, o.Handle) // makes the dma-buf, which lives as long as the handle
	settled(0)
	before := holdingNow(t)
	const want, limit = 10_000, 40 * time.Second
	rounds := 0
	start := time.Now()
	for i := range want {
		if time.Since(start) > limit {
			t.Logf("NOT %d rounds: this kernel, or this machine, is too slow", want)
			break
		}
		rounds++
		if err := round(t.Context(), func() (*prime.Buffer, error) { return prime.Export(d, o.Handle) }); err != nil {
			t.Fatalf("round %d: %v", i, err)
		}
		if i%100 != 0 {
			continue
		}
		b, err := prime.Export(d, o.Handle)
		if err != nil {
			t.Fatal(err)
		}
		if armed.Store(i%400 == 0); i%400 != 0 {
			fence <- drmtest.AttachFence(t, d, o.Handle, true)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		if _, err := b.BeginAccess(ctx, prime.Read); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("round %d, with a fence: %v", i, err)
		}
		cancel()
		b.Close()
		// On a busy machine the context may end before there is a START.
		if !armed.CompareAndSwap(true, false) {
			(<-fence).Signal(t)
		}
	}
	settled(before.goroutines)
	after := holdingNow(t)
	t.Logf("before %+v, after %d rounds in %v %+v", before, rounds, time.Since(start), after)
	if after != before {
		t.Errorf("before %+v, after %+v", before, after)
	}
}

func round(ctx context.Context, export func() (*prime.Buffer, error)) error {
	b, err := export()
	if err != nil {
		return err
	}
	defer b.Close()
	w, err := b.BeginAccess(ctx, prime.ReadWrite)
	if err != nil {
		return err
	}
	if err := w.End(); err != nil {
		return err
	}
	if err := b.Wait(ctx, prime.Write); err != nil {
		return err
	}
	s, err := b.ExportSyncFile(prime.Write)
	if err != nil {
		return err
	}
	defer s.Close()
	merged, err := s.Merge("both", s)
	if err != nil {
		return err
	}
	defer merged.Close()
	return b.ImportSyncFile(merged, prime.Read)
}

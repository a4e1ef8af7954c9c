package prime_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/prime"
)

// TestCancellation passes if whatever waits for a real fence is back within
// 20 ms of its context's end, in a quarter of the rounds at least: a machine
// that is busy with other things is not always that fast.
//
// Cases D23, D25
func TestCancellation(t *testing.T) {
	guard(t)
	d := drmtest.RequireDevice(t, "vgem")
	goroutines := settled(0)
	var handle drm.Handle
	fence, armed := fenceBeforeStart(t, d, &handle)
	for _, test := range []struct {
		name  string
		start bool // the fence comes right before START
		wait  func(context.Context, *prime.Buffer) error
		want  error
	}{
		{"SyncFile.Wait", false, func(ctx context.Context, b *prime.Buffer) error {
			return exportSync(t, b, prime.Read).Wait(ctx)
		}, nil},
		{"Buffer.Wait", false, func(ctx context.Context, b *prime.Buffer) error { return b.Wait(ctx, prime.Read) }, nil},
		{"BeginAccess", false, func(ctx context.Context, b *prime.Buffer) error {
			_, err := b.BeginAccess(ctx, prime.Read)
			return err
		}, nil},
		{"BeginAccess in START", true, func(ctx context.Context, b *prime.Buffer) error {
			_, err := b.BeginAccess(ctx, prime.Read)
			return err
		}, prime.ErrFenceBusy},
	} {
		var late []time.Duration
		for range 9 {
			o := dumb(t, d)
			b := export(t, d, o.Handle)
			handle = o.Handle
			if armed.Store(test.start); !test.start {
				fence <- drmtest.AttachFence(t, d, handle, true)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
			err := test.wait(ctx, b)
			end, _ := ctx.Deadline()
			late = append(late, time.Since(end))
			if !errors.Is(err, context.DeadlineExceeded) || test.want != nil && !errors.Is(err, test.want) {
				t.Errorf("%s: %v", test.name, err)
			}
			cancel()
			(<-fence).Signal(t)
		}
		slices.Sort(late)
		t.Logf("%s: back %v after the context's end", test.name, late)
		if soon := late[len(late)/4]; soon > 20*time.Millisecond {
			t.Errorf("%s: even the quick ones were back %v after the context's end", test.name, soon)
		}
	}
	if n := settled(goroutines); n > goroutines {
		t.Errorf("%d goroutines, %d before", n, goroutines)
	}
}

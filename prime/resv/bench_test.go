package resv_test

import (
	"testing"

	"github.com/gemtool/gemtool/prime/resv"
)

// TestAllocations passes if nothing is allocated where nobody is in the way.
func TestAllocations(t *testing.T) {
	if resv.Debug {
		t.Skip("a debug build notes who holds what")
	}
	ctx := t.Context()
	var r, other resv.Reservation
	var s resv.Set
	for name, f := range map[string]func(){
		"Lock":    func() { h, _ := r.Lock(ctx); h.Unlock() },
		"TryLock": func() { h, _ := r.TryLock(); h.Unlock() },
		"Enter":   func() { h, _ := r.TryLock(); _ = r.Enter(h); r.Leave(); h.Unlock() },
		"Keep": func() {
			h, _ := r.TryLock()
			_ = r.Enter(h)
			r.Keep()
			r.Reenter()
			r.Leave()
			h.Unlock()
		},
		"Set": func() { s.Lock(ctx, &r, &other); s.Unlock() },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}

func BenchmarkLockUnlock(b *testing.B) {
	var r resv.Reservation
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		h, _ := r.Lock(ctx)
		h.Unlock()
	}
}

func BenchmarkTryLock(b *testing.B) {
	var r resv.Reservation
	b.ReportAllocs()
	for b.Loop() {
		h, _ := r.TryLock()
		h.Unlock()
	}
}

func BenchmarkEnterLeave(b *testing.B) {
	var r resv.Reservation
	h, _ := r.TryLock()
	b.ReportAllocs()
	for b.Loop() {
		_ = r.Enter(h)
		r.Leave()
	}
}

func BenchmarkSetOf2(b *testing.B) {
	var rs [2]resv.Reservation
	var s resv.Set
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		s.Lock(ctx, &rs[0], &rs[1])
		s.Unlock()
	}
}

// BenchmarkMutex is the price of a Mutex, which is that of a sync.Mutex.
func BenchmarkMutex(b *testing.B) {
	m := resv.Mutex{Name: "benchmark"}
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		m.Lock()
		n++
		m.Unlock()
	}
}

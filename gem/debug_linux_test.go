//go:build gemdebug

package gem_test

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gemtool/gemtool/gem"
	"github.com/gemtool/gemtool/prime"
)

// TestLeakReport passes if an object that nobody closed is closed by the
// collector and reported with the place that made it.
func TestLeakReport(t *testing.T) {
	vgem, _ := stores(t)
	got := make(chan gem.Warning, 1)
	defer gem.OnWarn(func(w gem.Warning) { got <- w })()
	leak := func() {
		if _, err := vgem.Create(64, 64, 32); err != nil {
			t.Fatal(err)
		}
	}
	closes := countCloses(t)
	leak()
	for deadline := time.Now().Add(10 * time.Second); ; {
		runtime.GC()
		select {
		case w := <-got:
			if !strings.Contains(w.Stack, "TestLeakReport") || closes.Load() != 1 {
				t.Errorf("%d handles closed, report %v", closes.Load(), w)
			}
			return
		case <-time.After(time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatal("no report")
		}
	}
}

// TestImbalanceReport passes if closing the last object of memory that is still
// mapped is reported with the place that made it.
//
// Case F19
func TestImbalanceReport(t *testing.T) {
	vgem, _ := stores(t)
	var got []gem.Warning
	defer gem.OnWarn(func(w gem.Warning) { got = append(got, w) })()
	o := create(t, vgem)
	m, err := o.VMap(t.Context(), prime.Read)
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	vunmap(t, m)
	if len(got) != 1 || !strings.Contains(got[0].Stack, "TestImbalanceReport") || !strings.Contains(got[0].String(), "vmap_use_count=1") {
		t.Errorf("reports %v", got)
	}
}

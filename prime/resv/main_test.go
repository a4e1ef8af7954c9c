package resv_test

import (
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gemtool/gemtool/prime/resv"
)

// TestMain fails if a debug build reports what no test has asked for.
func TestMain(m *testing.M) {
	var reports atomic.Int64
	resv.OnReport(func(r resv.Report) {
		if reports.Add(1) == 1 {
			fmt.Println(r)
		}
	})
	code := m.Run()
	if n := reports.Load(); n > 0 {
		fmt.Printf("FAIL: %d reports of broken rules\n", n)
		code = 1
	}
	os.Exit(code)
}

// severalParties is for tests that are several goroutines in one, or break
// rules on purpose.
func severalParties(t *testing.T) {
	t.Cleanup(resv.OnReport(func(resv.Report) {}))
}

// waitForQueue waits until n stand in the queue of r.
func waitForQueue(t *testing.T, r *resv.Reservation, n int) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); r.Waiting() != n; time.Sleep(50 * time.Microsecond) {
		if time.Now().After(end) {
			t.Fatalf("%d in the queue, want %d", r.Waiting(), n)
		}
	}
}

func lock(t *testing.T, r *resv.Reservation) resv.Held {
	t.Helper()
	h, err := r.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func unlock(t *testing.T, h resv.Held) {
	t.Helper()
	if err := h.Unlock(); err != nil {
		t.Error(err)
	}
}

func mustBeFree(t *testing.T, rs ...*resv.Reservation) {
	t.Helper()
	for i, r := range rs {
		h, ok := r.TryLock()
		if !ok {
			t.Errorf("reservation %d is not free", i)
			continue
		}
		h.Unlock()
	}
}

// soak is how long a test that can go on for ever does.
func soak() time.Duration {
	if os.Getenv("GEMTOOL_SOAK") == "1" {
		return time.Minute
	}
	return time.Second
}

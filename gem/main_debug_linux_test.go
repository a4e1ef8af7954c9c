//go:build gemdebug

package gem_test

import (
	"fmt"
	"os"
	"sync/atomic"
	"testing"

	"github.com/gemtool/gemtool/prime/resv"
)

// TestMain fails if a test, or the library under it, took locks in an order
// that the checker of debug builds reports. Tests that break the rules on
// purpose collect the reports themselves.
func TestMain(m *testing.M) {
	var reports atomic.Int64
	resv.OnReport(func(r resv.Report) {
		reports.Add(1)
		fmt.Fprintln(os.Stderr, r)
	})
	code := m.Run()
	if n := reports.Load(); n > 0 && code == 0 {
		fmt.Fprintf(os.Stderr, "%d reports of the lock checker\n", n)
		code = 1
	}
	os.Exit(code)
}

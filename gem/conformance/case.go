package conformance

import (
	"context"
	"iter"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/drmtest"
)

// T is what a case reports to; *testing.T satisfies it.
type T interface {
	drmtest.TB
	Context() context.Context
	Failed() bool
}

// Case is one thing that buffers must do.
type Case struct {
	ID    string // such as "A04"; stable
	Title string // what is done and expected, in a few words
	Needs Needs
	Run   func(t T, env *Env)
}

// Env is what a case runs on.
type Env struct {
	Target
	Kernel  Kernel
	Targets []Target // all there are, for cases that share buffers
	Effort  Effort
	// Strict and Children are the suite's.
	Strict, Children bool
	slow             bool
}

// scale makes a number of rounds smaller on a kernel that checks itself.
func (e *Env) scale(rounds int) int {
	if e.slow {
		return max(1, rounds/8)
	}
	return rounds
}

// Effort says how long a case with an open end goes on.
type Effort int

// The efforts: seconds for a run that somebody waits for, minutes for one at
// night.
const (
	Quick Effort = iota
	Soak
)

// Rounds counts to quick or soak, as the effort asks. It ends early when the
// case's context does: somebody presses Ctrl-C in a soak.
func (e Effort) Rounds(t T, quick, soak int) iter.Seq[int] {
	n := quick
	if e == Soak {
		n = soak
	}
	return func(yield func(int) bool) {
		for i := range n {
			if t.Context().Err() != nil || !yield(i) {
				return
			}
		}
	}
}

// Open opens the case's device and closes it with the case.
func (e *Env) Open(t T) *drm.Device {
	t.Helper()
	dev, err := drm.Open(e.Path, drm.Options{})
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() {
		if err := dev.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return dev
}

// openShortly opens the case's device for a part of the case, which closes it.
func (e *Env) openShortly(t T) *drm.Device {
	t.Helper()
	dev, err := drm.Open(e.Path, drm.Options{})
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() { dev.Close() }) // where the case ended early
	return dev
}

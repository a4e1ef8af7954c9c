package conformance

import (
	"runtime"
	"testing"

	"github.com/gemtool/gemtool/drm/drmtest"
)

// fatalT takes a case's Fatalf for an answer.
type fatalT struct {
	T
	fatal bool
}

func (t *fatalT) Fatalf(string, ...any) {
	t.fatal = true
	runtime.Goexit()
}

// TestThrowAway passes if a case that takes devices from the system does not
// run where the suite is not told that it may, as in "gemtool selftest", and if
// what takes them refuses outside of the VM even then.
func TestThrowAway(t *testing.T) {
	ran := false
	c := Case{ID: "M01", Needs: Needs{ThrowAway: true}, Run: func(T, *Env) { ran = true }}
	suite := Suite{Targets: []Target{{Driver: "bochs-drm"}}}
	suite.Run(c, func(name string, f func(T)) {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if !t.Skipped() {
					t.Error("not skipped")
				}
			}()
			f(t)
		})
	})
	if ran {
		t.Error("it ran")
	}
	if drmtest.InVM() {
		return
	}
	for name, take := range map[string]func(T, *Env){
		"slot":   func(t T, env *Env) { env.slot(t) },
		"module": func(t T, env *Env) { env.module(t) },
		"vkms":   func(t T, env *Env) { env.vkmsDevice(t, "conformance-refused") },
	} {
		refusing := &fatalT{T: t}
		done := make(chan struct{})
		go func() {
			defer close(done)
			take(refusing, &Env{Target: Target{Path: "/dev/dri/card0", Driver: "vkms"}})
		}()
		<-done
		if !refusing.fatal {
			t.Errorf("%s is not refused", name)
		}
	}
}

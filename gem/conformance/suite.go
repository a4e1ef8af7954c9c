package conformance

import (
	"os"

	"github.com/gemtool/gemtool/drm/drmtest"
)

// VMOnly ends the reason of a case that is skipped on a machine that is not there
// to be thrown away, by whoever may do that.
const VMOnly = "only the Go tests do that, as root in gemtool's VM (go test -exec 'gemtool vm --')"

// Suite runs cases on a set of targets.
type Suite struct {
	Kernel  Kernel
	Targets []Target
	Effort  Effort
	// Strict is for the VM, whose devices are known and which nobody else
	// uses: a skip that skips.txt does not know is a failure, and so is a
	// dma-buf more or less in the system.
	Strict bool
	// Children says that the program calls [RunChild], so that cases may
	// start it again as a process that they can kill.
	Children bool

	results map[string]*result // by id
}

// Run runs c on every target that it applies to. It calls run for each with
// the name of the subtest, "A04/vkms", or "A04" for the skip of a case that
// applies to none; run calls the function with what it must report to.
func (s *Suite) Run(c Case, run func(name string, f func(T))) {
	ran := false
	for _, target := range s.Targets {
		if !c.Needs.Apply(target, s.Kernel) {
			continue
		}
		ran = true
		run(c.ID+"/"+target.String(), func(t T) {
			if c.Needs.ThrowAway && !s.Strict {
				s.record(t, c.ID).Skipf("this takes a device or its driver from the system: %s", VMOnly)
			}
			t = s.guard(s.record(t, c.ID), c.ID, target.String())
			warmUp()
			drmtest.GuardKernelLog(t)
			drmtest.CheckLeaks(t)
			if s.Strict {
				checkBufinfo(t)
			}
			c.Run(t, &Env{Target: target, Kernel: s.Kernel, Targets: s.Targets, Effort: s.Effort,
				Strict: s.Strict, Children: s.Children, slow: checksItself()})
			if t.Context().Err() != nil {
				t.Skipf("interrupted")
			}
		})
	}
	if !ran {
		run(c.ID, func(t T) {
			s.guard(s.record(t, c.ID), c.ID, noDevice).Skipf("no device here that this case applies to")
		})
	}
}

// warmUp has Go's runtime make the descriptors that it keeps for good, which
// no case left behind.
func warmUp() {
	if r, w, err := os.Pipe(); err == nil {
		r.Close()
		w.Close()
	}
}

func (s *Suite) guard(t T, id, device string) T {
	if !s.Strict {
		return t
	}
	return &strictT{T: t, id: id, kernel: s.Kernel, device: device}
}

// strictT fails a case that skips without being allowed to.
type strictT struct {
	T
	id     string
	kernel Kernel
	device string
}

func (t *strictT) Skipf(format string, args ...any) {
	t.Helper()
	if _, ok := allowedSkip(t.id, t.kernel, t.device); !ok {
		t.Errorf("this skip is not in skips.txt (%s %v %s):", t.id, t.kernel, t.device)
		t.Fatalf(format, args...)
	}
	t.T.Skipf(format, args...)
}

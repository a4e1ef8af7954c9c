package drm_test

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gemtool/gemtool/drm"
)

// waitCase is flags of a wait, and the states of those that are waited for.
type waitCase struct {
	flags                            drm.SyncobjWaitFlags
	unsubmitted, submitted, signaled bool
}

// want is how the wait ends.
func (c waitCase) want() error {
	available := c.flags&drm.SyncobjWaitAvailable != 0
	ready := c.signaled || c.submitted && available
	if c.flags&all != 0 {
		ready = !c.unsubmitted && (!c.submitted || available)
	}
	switch {
	case c.unsubmitted && c.flags&forSubmit == 0 && !available:
		return syscall.EINVAL
	case !ready:
		return syscall.ETIME
	}
	return nil
}

// name is IGT's, whose two programs differ a little.
func (c waitCase) name(stem string, timeline bool) string {
	var b strings.Builder
	switch c.want() {
	case syscall.EINVAL:
		b.WriteString("invalid-")
	case syscall.ETIME:
		if timeline {
			b.WriteString("etime-")
		}
	}
	b.WriteString(stem)
	for _, part := range []struct {
		has  bool
		text string
	}{
		{c.flags&all != 0, "-all"},
		{c.flags&forSubmit != 0, "-for-submit"},
		{c.flags&drm.SyncobjWaitAvailable != 0, "-available"},
		{c.unsubmitted, "-unsubmitted"},
		{c.submitted, "-submitted"},
		{c.signaled, "-signaled"},
	} {
		if part.has {
			b.WriteString(part.text)
		}
	}
	return b.String()
}

// run waits for sync objects, of which the first have the states in their
// order and the rest the last of them.
func (c waitCase) run(t *testing.T, s *syncs, n int) {
	set := s.set(t, n)
	if s.timeline && n > 1 { // of both kinds, as IGT has it
		set.points = []uint64{17, 0, 1, 1 << 40, 0}
	}
	var states []string
	for _, state := range []struct {
		has  bool
		name string
	}{{c.unsubmitted, "unsubmitted"}, {c.submitted, "submitted"}, {c.signaled, "signaled"}} {
		if state.has {
			states = append(states, state.name)
		}
	}
	for i, h := range set.hs {
		switch states[min(i, len(states)-1)] {
		case "submitted":
			defer s.attach(t, h, set.points[i]).Signal(t)
		case "signaled":
			s.trigger(t, h, set.points[i])
		}
	}
	wantErr(t, "a look", s.look(set, c.flags), c.want())
	_, err := s.wait(set, c.flags, drm.Monotonic()+10*time.Millisecond)
	wantErr(t, "a short wait", err, c.want())
	if c.want() != syscall.ETIME {
		_, err := s.wait(set, c.flags, 1<<62)
		wantErr(t, "a long wait", err, c.want())
	}
}

// matrixSyncobj makes the subtests of all flags and states. IGT's loop leaves
// out the one that has everything.
func matrixSyncobj(stem string, timeline bool) []subtest {
	var tests []subtest
	bits := 5
	if timeline {
		bits = 6
	}
	for n := range 1<<bits - 1 {
		c := waitCase{0, n&4 != 0, n&8 != 0, n&16 != 0}
		for bit, flag := range map[int]drm.SyncobjWaitFlags{1: forSubmit, 2: all, 32: drm.SyncobjWaitAvailable} {
			if n&bit != 0 {
				c.flags |= flag
			}
		}
		count := 1
		if states := n >> 2 & 7; stem == "multi-wait" {
			if count = 3; timeline {
				count = 5
			}
			if states == 0 {
				continue
			}
		} else if states != 1 && states != 2 && states != 4 {
			continue
		}
		tests = append(tests, subtest{c.name(stem, timeline), func(t *testing.T, s *syncs) { c.run(t, s, count) }})
	}
	return tests
}

// TestIGTSyncobjMatrix passes if the names that are made up here are IGT's.
func TestIGTSyncobjMatrix(t *testing.T) {
	text, err := os.ReadFile("../testdata/igt/subtests.txt")
	if err != nil {
		t.Fatal(err)
	}
	made := make(map[string]bool)
	for program, timeline := range map[string]bool{"syncobj_wait": false, "syncobj_timeline": true} {
		for _, stem := range []string{"single-wait", "multi-wait"} {
			for _, test := range matrixSyncobj(stem, timeline) {
				made[program+"@"+test.name] = true
			}
		}
	}
	if len(made) != 12+27+24+55 {
		t.Errorf("%d names", len(made))
	}
	for line := range strings.Lines(string(text)) {
		name := strings.TrimSpace(line)
		if strings.HasPrefix(name, "syncobj_") && (strings.Contains(name, "single-wait") || strings.Contains(name, "multi-wait")) && !made[name] {
			t.Errorf("%s is not made up", name)
		}
		delete(made, name)
	}
	for name := range made {
		t.Errorf("IGT has no %s", name)
	}
}

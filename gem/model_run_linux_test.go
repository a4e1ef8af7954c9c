package gem_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// soak says whether tests may take as long as they want.
func soak() bool { return os.Getenv("GEMTOOL_SOAK") != "" }

// TestModel passes if random steps on a fake kernel end as the reference model
// says, with its counters, mappings, handles and warnings after each, and every
// kind of step has had every outcome that it can have. rapid shrinks a failure
// and prints how to repeat it.
//
// Cases F10, H11
func TestModel(t *testing.T) {
	total := times(100_000, 1_000_000)
	seen := make(map[string]int)
	taken := 0
	for _, f := range []struct{ name, value string }{{"rapid.steps", "100"}, {"rapid.checks", "50"}, {"rapid.nofailfile", "true"}} {
		old := flag.Lookup(f.name).Value.String()
		if err := flag.Set(f.name, f.value); err != nil {
			t.Fatal(err)
		}
		defer flag.Set(f.name, old)
	}
	for taken < total && !t.Failed() {
		rapid.Check(t, func(t *rapid.T) {
			s := newSim(t, seen)
			t.Repeat(map[string]func(*rapid.T){
				"step": s.step,
				"": func(t *rapid.T) {
					taken++
					s.t = t
					s.check(t)
				},
			})
			s.end(t)
		})
	}
	for step, all := range outcomes {
		for _, outcome := range all {
			if seen[step+": "+outcome] == 0 && !debugBuild && !t.Failed() {
				t.Errorf("%d steps, and never %s: %s", taken, step, outcome)
			}
		}
	}
	var list string
	for _, k := range slices.Sorted(maps.Keys(seen)) {
		list += fmt.Sprintf("\n%8d %s", seen[k], k)
	}
	t.Logf("%d steps:%s", taken, list)
}

// simStep is taken when it has something to do, the more often the more it
// weighs.
type simStep struct {
	name   string
	weight int
	take   func(*sim)
	when   func(*sim) bool
}

// simSteps are all kinds.
var simSteps = []simStep{
	{"Create", 2, (*sim).Create, func(s *sim) bool { return s.open() < maxOpen }},
	{"Close", 1, (*sim).Close, anyObject},
	{"Pin", 3, (*sim).Pin, anyObject},
	{"Unpin", 3, (*sim).Unpin, anyObject},
	{"VMap", 3, (*sim).VMap, func(s *sim) bool { return anyObject(s) && len(s.maps) < maxOpen }},
	{"VUnmap", 3, (*sim).VUnmap, func(s *sim) bool { return len(s.maps) > 0 }},
	{"LocalMap", 3, (*sim).LocalMap, func(s *sim) bool { return anyObject(s) && len(s.locals) < maxOpen }},
	{"LocalUnmap", 2, (*sim).LocalUnmap, func(s *sim) bool { return len(s.locals) > 0 }},
	{"Scoped", 2, (*sim).Scoped, anyObject},
	{"Lock", 3, (*sim).Lock, func(s *sim) bool { return anyObject(s) && len(s.holding) == 0 }},
	{"Unlock", 1, (*sim).Unlock, func(s *sim) bool { return len(s.holding) > 0 }},
	{"UnlockStale", 1, (*sim).UnlockStale, func(s *sim) bool { return len(s.stale) > 0 }},
	{"Madvise", 3, (*sim).Madvise, anyObject},
	{"IsPurgeable", 1, (*sim).IsPurgeable, anyObject},
	{"Purge", 2, (*sim).Purge, anyObject},
	{"Shrink", 2, (*sim).Shrink, anyObject},
	{"Export", 1, (*sim).Export, func(s *sim) bool { return anyObject(s) && len(s.buffers) < maxOpen }},
	{"CloseBuffer", 1, (*sim).CloseBuffer, func(s *sim) bool { return len(s.buffers) > 0 }},
	{"Import", 1, (*sim).Import, func(s *sim) bool { return len(s.buffers) > 0 && s.open() < 2*maxOpen }},
	{"ImportForeign", 1, (*sim).ImportForeign, func(s *sim) bool { return s.open() < maxOpen }},
	{"Hold", 1, (*sim).Hold, func(s *sim) bool { return anyObject(s) && len(s.holds) < maxOpen }},
	{"Release", 1, (*sim).Release, func(s *sim) bool { return len(s.holds) > 0 }},
	{"BeginAccess", 1, (*sim).BeginAccess, func(s *sim) bool { return anyObject(s) && len(s.windows) < maxOpen }},
	{"End", 1, (*sim).End, func(s *sim) bool { return len(s.windows) > 0 }},
}

func anyObject(s *sim) bool { return s.open() > 0 }

// step takes one of the steps.
func (s *sim) step(t *rapid.T) {
	s.t = t
	var ready []int // an index into simSteps for each unit of weight
	for i := range simSteps {
		if simSteps[i].when(s) {
			for range simSteps[i].weight {
				ready = append(ready, i)
			}
		}
	}
	next := simSteps[choose(s, "step", ready)]
	t.Log(next.name)
	next.take(s)
}

// outcomes must all have been seen, by step.
var outcomes = map[string][]string{
	"BeginAccess":         {"ok", "ErrAccessMode", "ErrClosed", "ErrPurged", "ErrRange"},
	"Buffer.Close":        {"ok"},
	"Close":               {"ok", "EIO", "ErrClosed", "queued"},
	"Create":              {"ok", "ENOMEM", "ENOSPC"},
	"Export":              {"ok", "EMFILE", "ErrClosed", "ErrPurged"},
	"Hold":                {"ok", "ErrClosed", "ErrPurged"},
	"Import of an own":    {"ok", "ENOMEM"},
	"Import of another's": {"ok", "ENOMEM"},
	"IsPurgeable":         {"ok", "waits"},
	"IsPurgeableLocked":   {"ok", "ErrNotLocked"},
	"Local":               {"ok", "ENOMEM", "ErrAccessMode", "ErrPurged", "ErrRange", "its function's", "waits"},
	"Local.Unmap":         {"ok", "ErrStale", "releases the reservation"},
	"LocalAll":            {"ok", "ENOMEM", "ErrAccessMode", "ErrClosed", "ErrPurged", "ErrRange", "its function's", "waits"},
	"LocalLocked":         {"ok", "ENOMEM", "ErrAccessMode", "ErrNotLocked", "ErrPurged", "ErrRange"},
	"Lock":                {"ok", "waits"},
	"LockAll":             {"ok", "waits"},
	"Madvise":             {"ok", "ErrClosed", "ErrImported", "waits"},
	"MadviseLocked":       {"ok", "ErrImported", "ErrNotLocked"},
	"Pin":                 {"ok", "ENOMEM", "ErrClosed", "ErrImported", "ErrPurged", "in place of the last one", "waits"},
	"PinLocked":           {"ok", "ENOMEM", "ErrClosed", "ErrImported", "ErrNotLocked", "ErrPurged"},
	"Purge":               {"ok", "EIO", "ErrClosed", "ErrNotPurgeable", "waits"},
	"PurgeLocked":         {"ok", "ErrNotLocked", "ErrNotPurgeable"},
	"Set.Unlock":          {"ok", "ErrLocalMapsLive"},
	"Shrink":              {"ok", "frees", "passes over a held one"},
	"TryLock":             {"ok"},
	"Unlock":              {"ok", "ErrLocalMapsLive"},
	"Unlock again":        {"ErrStale"},
	"Unpin":               {"ok", "ErrImported", "ErrUnderflow", "queued"},
	"VMap":                {"ok", "ENOMEM", "ErrAccessMode", "ErrClosed", "ErrPurged", "ErrRange", "in place of the last pin", "waits"},
	"VMapLocked":          {"ok", "ENOMEM", "ErrAccessMode", "ErrNotLocked", "ErrPurged", "ErrRange"},
	"VUnmap":              {"ok", "ErrStale", "queued"},
	"Window.End":          {"ok", "ErrStale"},
	"release of Hold":     {"ok"},
}

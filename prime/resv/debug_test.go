//go:build gemdebug

package resv_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/gemtool/gemtool/prime/resv"
)

// capture collects the reports of a test.
func capture(t *testing.T) func() []resv.Report {
	var mu sync.Mutex
	var all []resv.Report
	t.Cleanup(resv.OnReport(func(r resv.Report) {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, r)
	}))
	return func() []resv.Report {
		mu.Lock()
		defer mu.Unlock()
		was := all
		all = nil
		return was
	}
}

// wantReports passes if there are just these rules broken, and every report
// has two stacks with these functions in them.
func wantReports(t *testing.T, got []resv.Report, now, before string, rules ...resv.Rule) {
	t.Helper()
	for i, r := range got {
		if i >= len(rules) || r.Rule != rules[i] {
			t.Errorf("report %d is %v", i, r)
		}
		if !strings.Contains(r.Stack, now) || !strings.Contains(r.OtherStack, before) {
			t.Errorf("want stacks with %s and %s in:\n%v", now, before, r)
		}
	}
	if len(got) < len(rules) {
		t.Errorf("%d reports, want %q", len(got), rules)
	}
}

// onceMore locks on another goroutine than the test's.
func onceMore(f func()) {
	var wg sync.WaitGroup
	wg.Go(f)
	wg.Wait()
}

func takeFirst(t *testing.T, r *resv.Reservation) resv.Held { return lock(t, r) }

// TestNested passes if a second reservation outside of a set is reported, also
// if nobody else is there, and one of the set is not.
func TestNested(t *testing.T) {
	reports := capture(t)
	var a, b, c resv.Reservation
	h := takeFirst(t, &a)
	unlock(t, lock(t, &b))
	wantReports(t, reports(), "TestNested", "takeFirst", resv.RuleOne)
	var s resv.Set
	if err := s.Add(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	wantReports(t, reports(), "TestNested", "takeFirst", resv.RuleOne)
	unlock(t, h)
	if err := s.Lock(t.Context(), &b, &c); err != nil {
		t.Fatal(err)
	}
	wantReports(t, reports(), "", "")
	var other resv.Set
	if err := other.Lock(t.Context(), &a); err != nil {
		t.Fatal(err)
	}
	wantReports(t, reports(), "TestNested", "TestNested", resv.RuleOne, resv.RuleOne)
	if err := other.Unlock(); err != nil {
		t.Error(err)
	}
	if err := s.Unlock(); err != nil {
		t.Error(err)
	}
	unlock(t, lock(t, &a))
	wantReports(t, reports(), "", "")
}

// TestTry passes if what never waits may be called under anything.
func TestTry(t *testing.T) {
	reports := capture(t)
	var a, b resv.Reservation
	m := resv.Mutex{Name: "TestTry"}
	m.Lock()
	h := lock(t, &a)
	reports()
	if got, ok := b.TryLock(); ok {
		unlock(t, got)
	}
	a.TryLock()
	b.Defer(func() {})
	a.Defer(func() {})
	if m.TryLock() {
		t.Error("a Mutex taken twice")
	}
	wantReports(t, reports(), "", "")
	unlock(t, h)
	m.Unlock()
	// But waiting under what TryLock has taken is as under any.
	h, _ = a.TryLock()
	unlock(t, lock(t, &b))
	wantReports(t, reports(), "TestTry", "TestTry", resv.RuleOne)
	unlock(t, h)
	if !m.TryLock() {
		t.Fatal("a free Mutex cannot be taken")
	}
	unlock(t, lock(t, &b))
	wantReports(t, reports(), "TestTry", "TestTry", resv.RuleOutermost)
	m.Unlock()
}

func lockOuter(m *resv.Mutex) { m.Lock() }

// pass takes a Mutex and gives it back.
func pass(m *resv.Mutex) {
	lockOuter(m)
	defer m.Unlock()
}

// TestOutermost passes if a reservation taken under a Mutex is reported, and
// a Mutex taken under a reservation is not.
//
// Cases G19, SR8
func TestOutermost(t *testing.T) {
	reports := capture(t)
	var r resv.Reservation
	m := resv.Mutex{Name: "TestOutermost"}
	lockOuter(&m)
	unlock(t, lock(t, &r))
	got := reports()
	wantReports(t, got, "TestOutermost", "lockOuter", resv.RuleOutermost)
	if len(got) == 1 && (got[0].Lock != "reservation" || got[0].Other != "TestOutermost" ||
		!strings.Contains(got[0].String(), "after TestOutermost:")) {
		t.Errorf("the report does not say which lock it was: %v", got[0])
	}
	var s resv.Set
	if err := s.Lock(t.Context(), &r); err != nil {
		t.Fatal(err)
	}
	wantReports(t, reports(), "TestOutermost", "lockOuter", resv.RuleOutermost)
	if err := s.Unlock(); err != nil {
		t.Error(err)
	}
	m.Unlock()
	unnamed := resv.Mutex{}
	h := lock(t, &r)
	pass(&unnamed)
	unlock(t, h)
	wantReports(t, reports(), "", "")
}

// TestCallIsInner passes if a reservation taken inside of a call under a hold
// is reported, also if another goroutine has locked.
func TestCallIsInner(t *testing.T) {
	reports := capture(t)
	var r, other resv.Reservation
	h := lock(t, &r)
	onceMore(func() {
		if err := r.Enter(h); err != nil {
			t.Error(err)
			return
		}
		unlock(t, lock(t, &other))
		r.Leave()
	})
	wantReports(t, reports(), "TestCallIsInner", "Enter", resv.RuleOutermost)
	unlock(t, h)
}

// TestSelf passes if waiting for what one holds oneself is reported before the
// wait, for each kind of lock.
func TestSelf(t *testing.T) {
	var r resv.Reservation
	h := takeFirst(t, &r)
	for name, again := range map[string]func(context.Context) error{
		"Lock": func(ctx context.Context) error { _, err := r.Lock(ctx); return err },
		"Set":  func(ctx context.Context) error { return new(resv.Set).Lock(ctx, &r) },
	} {
		ctx, cancel := context.WithCancel(t.Context())
		restore := resv.OnReport(func(rep resv.Report) {
			if rep.Rule != resv.RuleSelf || !strings.Contains(rep.OtherStack, "takeFirst") {
				t.Errorf("%s: report %v", name, rep)
			}
			cancel() // nothing else ends the wait
		})
		if err := again(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want Canceled", name, err)
		}
		restore()
	}
	unlock(t, h)

	// What a set holds is EALREADY to it, and no report.
	reports := capture(t)
	var s resv.Set
	if err := s.Lock(t.Context(), &r, &r); err != nil {
		t.Error(err)
	}
	if err := s.Unlock(); err != nil {
		t.Error(err)
	}
	wantReports(t, reports(), "", "")

	// Mutexes and calls wait without a context: another goroutine ends the
	// hold when it sees the report.
	m := resv.Mutex{Name: "TestSelf"}
	m.Lock()
	resv.OnReport(func(rep resv.Report) {
		if rep.Rule != resv.RuleSelf || rep.Lock != "TestSelf" {
			t.Errorf("report %v", rep)
		}
		onceMore(m.Unlock)
	})
	pass(&m)
	h = lock(t, &r)
	if err := r.Enter(h); err != nil {
		t.Fatal(err)
	}
	resv.OnReport(func(rep resv.Report) {
		if rep.Rule != resv.RuleSelf || rep.Lock != "call under a hold" {
			t.Errorf("report %v", rep)
		}
		onceMore(r.Leave)
	})
	if err := r.Enter(h); err != nil {
		t.Error(err)
	}
	r.Leave()
	unlock(t, h)
}

// TestOrderOfKinds passes if two locks that were taken in both orders are
// reported, by whichever comes second, and by whichever goroutine, with both
// places; also if a third stands between them.
func TestOrderOfKinds(t *testing.T) {
	reports := capture(t)
	var r resv.Reservation
	kind := fmt.Sprintf("of TestOrderOfKinds with %p", &r) // new in every run
	outer, inner, third := resv.Mutex{Name: "outer " + kind}, resv.Mutex{Name: "inner " + kind}, resv.Mutex{Name: "third " + kind}
	underReservation := func(m *resv.Mutex) {
		h := lock(t, &r)
		pass(m)
		unlock(t, h)
	}
	underMutex := func(m *resv.Mutex) {
		m.Lock()
		unlock(t, takeFirst(t, &r))
		m.Unlock()
	}
	onceMore(func() { underReservation(&inner) })
	wantReports(t, reports(), "", "")
	onceMore(func() { underMutex(&inner) })
	got := reports()
	if len(got) != 2 || got[0].Rule != resv.RuleOutermost {
		t.Fatalf("%d reports: %v", len(got), got)
	}
	wantReports(t, got[1:], "takeFirst", "lockOuter", resv.RuleOrder)

	onceMore(func() { underMutex(&outer) })
	if got := reports(); len(got) != 1 || got[0].Rule != resv.RuleOutermost {
		t.Fatalf("%d reports: %v", len(got), got)
	}
	onceMore(func() { underReservation(&outer) })
	wantReports(t, reports(), "lockOuter", "takeFirst", resv.RuleOrder)

	// inner is taken inside of third, outer inside of the reservation: and
	// the reservation inside of inner was seen above.
	third.Lock()
	pass(&inner)
	third.Unlock()
	wantReports(t, reports(), "", "")
	outer.Lock()
	pass(&third)
	outer.Unlock()
	wantReports(t, reports(), "TestOrderOfKinds", "TestOrderOfKinds", resv.RuleOrder)

	// Mutexes of one kind may be taken in any order among each other.
	twin := resv.Mutex{Name: inner.Name}
	for _, m := range [][2]*resv.Mutex{{&inner, &twin}, {&twin, &inner}} {
		m[0].Lock()
		pass(m[1])
		m[0].Unlock()
	}
	wantReports(t, reports(), "", "")
}

func unlockFirst(t *testing.T, h resv.Held) { unlock(t, h) }

// TestUnlockTwice passes if the second Unlock of a hold is reported with the
// place of the first.
func TestUnlockTwice(t *testing.T) {
	reports := capture(t)
	var r resv.Reservation
	h := lock(t, &r)
	unlockFirst(t, h)
	h.Unlock()
	wantReports(t, reports(), "TestUnlockTwice", "unlockFirst", resv.RuleOnce)
}

// TestOwner passes if a hold is that of the goroutine that locked until it
// ends, whoever uses or ends it, and what it leaves behind is, too.
func TestOwner(t *testing.T) {
	reports := capture(t)
	var r, other resv.Reservation
	h := takeFirst(t, &r)
	onceMore(func() {
		if err := r.Enter(h); err != nil {
			t.Error(err)
		}
		r.Keep()
		unlock(t, lock(t, &other)) // it holds nothing
	})
	wantReports(t, reports(), "", "")
	unlock(t, lock(t, &other))
	wantReports(t, reports(), "TestOwner", "takeFirst", resv.RuleOne)
	onceMore(func() { h.Unlock() })
	unlock(t, lock(t, &other)) // a local map keeps r from being free
	wantReports(t, reports(), "TestOwner", "takeFirst", resv.RuleOne)
	onceMore(func() { r.Reenter(); r.Leave() })
	unlock(t, lock(t, &other))
	unlock(t, lock(t, &r))
	wantReports(t, reports(), "", "")
}

// TestDeferredIsUnder passes if a deferred function that waits for a
// reservation is reported, whoever runs it.
func TestDeferredIsUnder(t *testing.T) {
	reports := capture(t)
	var r, other resv.Reservation
	f := func() { unlock(t, lock(t, &other)) }
	r.Defer(f)
	wantReports(t, reports(), "TestDeferredIsUnder", "Defer", resv.RuleOne)
	h := lock(t, &r)
	r.Defer(f)
	onceMore(func() { unlock(t, h) })
	wantReports(t, reports(), "TestDeferredIsUnder", "Unlock", resv.RuleOne)
	f()
	wantReports(t, reports(), "", "")
}

// TestNoFalseReports passes if waits, handed-over locks and cancelled ones
// leave nobody as a holder who is none.
func TestNoFalseReports(t *testing.T) {
	reports := capture(t)
	var r, other resv.Reservation
	for range 200 {
		ctx, cancel := context.WithCancel(t.Context())
		h := lock(t, &r)
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if h, err := r.Lock(ctx); err == nil {
					unlock(t, h)
				}
				unlock(t, lock(t, &other))
			})
		}
		go cancel()
		unlock(t, h)
		wg.Wait()
		unlock(t, lock(t, &other))
		unlock(t, lock(t, &r))
	}
	wantReports(t, reports(), "", "")
}

// TestStderr passes if reports that nobody has asked for stand on standard
// error, once for each place.
func TestStderr(t *testing.T) {
	if os.Getenv("RESV_TEST_STDERR") != "" {
		resv.OnReport(nil)
		var r, other resv.Reservation
		h := lock(t, &r)
		for range 3 {
			unlock(t, lock(t, &other))
		}
		unlock(t, h)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestStderr$")
	cmd.Env = append(os.Environ(), "RESV_TEST_STDERR=1")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(stderr.String(), string(resv.RuleOne)); n != 1 {
		t.Errorf("%d reports, want 1:\n%s", n, stderr.String())
	}
}

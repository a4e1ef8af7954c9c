package gem_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/gem"
	"github.com/gemtool/gemtool/gem/internal/oracle"
	"github.com/gemtool/gemtool/prime"
	"github.com/gemtool/gemtool/prime/resv"
)

// pair is an object of the library, and its twin in the kernel.
type pair struct {
	ctx    context.Context
	cancel context.CancelFunc
	dev    *drm.Device

	obj  *gem.Object
	twin drm.Handle
	x    oracle.Object
	o    *oracle.Oracle

	pins   int
	maps   []gem.Map
	ended  gem.Map // zero before the first end of a map
	locals []gem.Local
	vma    []byte // of the twin, while there are locals
	held   resv.Held
	lock   pairLock
	purged bool
	closed bool
	shared *prime.Buffer

	// late is what the twin does when the hold ends: what the kernel's
	// functions would wait for its lock for, and the library leaves to Unlock.
	// Until then the two are not compared.
	late []func() error

	warnings int
	restore  func()
}

type pairLock int

const (
	pairFree pairLock = iota
	pairHeld
	pairOver // held by local maps that outlive the hold
)

func newPair(t *testing.T, dev *drm.Device) (*pair, error) {
	p := &pair{dev: dev}
	p.ctx, p.cancel = context.WithTimeout(t.Context(), 20*time.Second)
	p.restore = gem.OnWarn(func(gem.Warning) { p.warnings++ })
	var err error
	if p.o, err = oracle.Open(); err != nil {
		return nil, err
	}
	if p.obj, err = gem.StoreOf(dev).Create(64, 64, 32); err != nil {
		return nil, err
	}
	twin, err := dev.CreateDumb(64, 64, 32)
	if err != nil {
		return nil, err
	}
	p.twin = twin.Handle
	p.x = p.o.Object(dev, p.twin)
	return p, nil
}

// end gives everything back, whatever has happened.
func (p *pair) end() {
	for _, l := range p.locals {
		_ = l.Unmap()
	}
	if p.lock == pairHeld {
		_ = p.held.Unlock()
	}
	for _, m := range p.maps {
		_ = m.VUnmap()
	}
	for range p.pins {
		_ = p.obj.Unpin()
	}
	if p.vma != nil {
		_ = drm.Munmap(p.vma)
	}
	if p.shared != nil {
		_ = p.shared.Close()
	}
	_ = p.o.Close() // what the twin still has
	if !p.closed {
		_ = p.obj.Close()
	}
	_ = p.dev.CloseHandle(p.twin)
	p.restore()
	p.cancel()
}

// finish brings both to an end, step by step, and calls took for each.
func (p *pair) finish(took func(kind string)) error {
	for _, what := range []struct {
		kind int
		more func() bool
	}{
		{stepLocalUnmap, func() bool { return len(p.locals) > 0 }},
		{stepUnlock, func() bool { return p.lock == pairHeld }},
		{stepClose, func() bool { return !p.closed }},
		{stepVUnmap, func() bool { return len(p.maps) > 0 }},
		{stepUnpin, func() bool { return p.pins > 0 }},
	} {
		for what.more() {
			kind, err := p.take(pairStep{kind: what.kind})
			if err == nil {
				err = p.compare()
			}
			took(kind)
			if err != nil {
				return fmt.Errorf("%s at the end: %w", kind, err)
			}
		}
	}
	k, err := p.x.State()
	if err == nil && (k.VMapUse != 0 || k.PagesPin != 0) {
		err = fmt.Errorf("the twin is left with %+v", k)
	}
	return err
}

// compare is the measure: the library's counters, translated, are the twin's.
func (p *pair) compare() error {
	if len(p.late) > 0 || p.lock == pairOver {
		return nil
	}
	stats := func() (gem.Stats, bool, error) { return p.obj.Stats(p.ctx) }
	if p.lock == pairHeld {
		stats = func() (gem.Stats, bool, error) { return p.obj.StatsLocked(p.held) }
	}
	s, ok, err := stats()
	if err != nil || !ok {
		return fmt.Errorf("counters: %v, %w", ok, err)
	}
	k, err := p.x.State()
	if err != nil {
		return err
	}
	use, pin := translate(s, k)
	if k.PagesUse != use || k.PagesPin != pin || k.VMapUse != s.VMapUse || k.Madv != int32(s.Madv) ||
		k.VAddr != s.Mapped || k.Pages != (use > 0) {
		return fmt.Errorf("the library has P=%d U=%d V=%d mapped=%v madv=%d, so the kernel must have P=%d U=%d V=%d, and has %+v",
			s.PagesPin, s.PagesUse, s.VMapUse, s.Mapped, s.Madv, pin, use, s.VMapUse, k)
	}
	return nil
}

// twinDoes lets the twin do the same, and checks that it ends the same way.
func (p *pair) twinDoes(got error, f func() error) error {
	ask := func() error { return sameEnd(got, f()) }
	if len(p.late) > 0 {
		p.late = append(p.late, ask)
		return nil
	}
	return ask()
}

// twinWaits is twinDoes for what needs the lock in the kernel.
func (p *pair) twinWaits(got error, f func() error) error {
	if p.lock == pairFree {
		return p.twinDoes(got, f)
	}
	p.late = append(p.late, func() error { return sameEnd(got, f()) })
	return nil
}

// unlocked lets the twin do what waited for the lock.
func (p *pair) unlocked() error {
	p.lock = pairFree
	for _, f := range p.late {
		if err := f(); err != nil {
			return fmt.Errorf("done after the hold: %w", err)
		}
	}
	p.late = nil
	return nil
}

// sameEnd checks that the oracle refused what the library refused, and nothing
// else.
func sameEnd(library, kernel error) error {
	for _, pair := range []struct{ library, kernel error }{
		{gem.ErrUnderflow, oracle.ErrUnderflow},
		{gem.ErrStale, oracle.ErrUnderflow}, // a Map knows that it has ended, where the kernel has the count only
		{gem.ErrNotPurgeable, oracle.ErrNotPurgeable},
	} {
		if errors.Is(library, pair.library) && errors.Is(kernel, pair.kernel) {
			return nil
		}
	}
	if library == nil && kernel == nil {
		return nil
	}
	return fmt.Errorf("the library says %v, the kernel %v", library, kernel)
}

// mustBe checks an error that only the library has.
func mustBe(got, want error) error {
	if want == nil && got != nil || !errors.Is(got, want) {
		return fmt.Errorf("%v, want %v", got, want)
	}
	return nil
}

// refused is the error for all use of an object that is closed or purged, nil
// for others. The kernel's functions do not look: they would pin a purged object
// and give it new pages. For a mapping whose memory is gone for good that helps
// nobody, so the library refuses, and the twin is not asked.
func (p *pair) refused() error {
	switch {
	case p.closed:
		return gem.ErrClosed
	case p.purged:
		return gem.ErrPurged
	}
	return nil
}

// pairStep is a kind and what it is made with. Not every step is possible in every
// state: take says what came of it.
type pairStep struct {
	kind int
	n    uint32
}

const (
	stepPin = iota
	stepUnpin
	stepVMap
	stepVUnmap
	stepVUnmapAgain
	stepLock
	stepUnlock
	stepLocal
	stepLocalUnmap
	stepMadvise
	stepIsPurgeable
	stepPurge
	stepSGT
	stepExport
	stepClose
)

// stepWeights make counters small and lives long enough to see all.
var stepWeights = [...]int{
	stepPin: 12, stepUnpin: 14, stepVMap: 10, stepVUnmap: 11, stepVUnmapAgain: 3,
	stepLock: 7, stepUnlock: 6, stepLocal: 10, stepLocalUnmap: 10,
	stepMadvise: 10, stepIsPurgeable: 7, stepPurge: 10, stepSGT: 3, stepExport: 1, stepClose: 2,
}

func randomStep(r *rand.Rand) pairStep {
	total := 0
	for _, w := range stepWeights {
		total += w
	}
	n := r.IntN(total)
	for kind, w := range stepWeights {
		if n -= w; n < 0 {
			return pairStep{kind, r.Uint32()}
		}
	}
	panic("unreachable")
}

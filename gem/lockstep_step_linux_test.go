package gem_test

import (
	"errors"
	"fmt"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/gem"
	"github.com/gemtool/gemtool/prime"
)

// lockstepKinds are the kinds of steps that a run must have, by what came of
// them.
var lockstepKinds = []string{
	"pin", "pin under the hold", "pin beside the hold", "pin refused",
	"unpin", "unpin beside the hold", "unpin at 0",
	"vmap", "vmap under the hold", "vmap refused",
	"vunmap", "vunmap beside the hold", "vunmap at 0", "vunmap again",
	"lock", "unlock", "unlock with local maps",
	"local", "local refused", "local unmap", "local unmap ends the hold",
	"madvise -1", "madvise 0", "madvise 1", "madvise under the hold", "madvise refused",
	"is_purgeable", "is_purgeable: yes", "is_purgeable refused",
	"purge", "purge under the hold", "purge: no", "purge refused",
	"get_pages_sgt", "export", "close", "close in use", "close again",
}

// take makes a step on the object and on its twin, and says what kind it was:
// "" for one that is not possible now. The error is where the two differ.
func (p *pair) take(s pairStep) (kind string, err error) {
	// The kernel would answer after the hold, the library before.
	waiting := len(p.late) > 0 || p.lock == pairOver
	switch s.kind {
	case stepPin:
		return p.pin(s.n)
	case stepUnpin:
		return p.unpin()
	case stepVMap:
		return p.vmap()
	case stepVUnmap:
		return p.vunmap(s.n)
	case stepVUnmapAgain:
		return p.vunmapAgain()
	case stepLock:
		return p.takeLock()
	case stepUnlock:
		return p.unlock()
	case stepLocal:
		return p.local()
	case stepLocalUnmap:
		return p.localUnmap(s.n)
	case stepClose:
		return p.close()
	}
	if waiting {
		return "", nil
	}
	switch s.kind {
	case stepMadvise:
		return p.madvise(s.n)
	case stepIsPurgeable:
		return p.isPurgeable()
	case stepPurge:
		return p.purge()
	case stepSGT:
		return p.sgt()
	case stepExport:
		return p.export()
	}
	panic(fmt.Sprintf("step %d", s.kind))
}

func (p *pair) pin(n uint32) (kind string, err error) {
	switch p.lock {
	case pairFree:
		kind, err = "pin", p.obj.Pin(p.ctx)
	case pairHeld:
		// Where there is a pin, another needs no lock.
		if n%2 == 0 && p.pins+len(p.maps) > 0 {
			kind, err = "pin beside the hold", p.obj.Pin(p.ctx)
		} else {
			kind, err = "pin under the hold", p.obj.PinLocked(p.held)
		}
	default:
		return "", nil
	}
	if want := p.refused(); want != nil {
		return "pin refused", mustBe(err, want)
	}
	if err == nil {
		p.pins++
	}
	return kind, p.twinDoes(err, p.x.Pin)
}

func (p *pair) unpin() (kind string, err error) {
	err = p.obj.Unpin()
	switch {
	case p.pins == 0:
		kind = "unpin at 0"
	case p.lock != pairFree:
		kind = "unpin beside the hold"
	default:
		kind = "unpin"
	}
	if err == nil {
		p.pins--
	}
	return kind, p.twinWaits(err, p.x.Unpin)
}

func (p *pair) vmap() (kind string, err error) {
	var m gem.Map
	switch p.lock {
	case pairFree:
		kind = "vmap"
		m, err = p.obj.VMap(p.ctx, prime.ReadWrite)
	case pairHeld:
		kind = "vmap under the hold"
		m, err = p.obj.VMapLocked(p.held, prime.Read)
	default:
		return "", nil
	}
	if want := p.refused(); want != nil {
		return "vmap refused", mustBe(err, want)
	}
	if err == nil {
		p.maps = append(p.maps, m)
	}
	return kind, p.twinDoes(err, p.x.VMap)
}

func (p *pair) vunmap(n uint32) (kind string, err error) {
	if len(p.maps) == 0 {
		return "vunmap at 0", p.twinWaits(p.ended.VUnmap(), p.x.VUnmap)
	}
	i := int(n) % len(p.maps)
	p.ended = p.maps[i]
	p.maps[i] = p.maps[len(p.maps)-1]
	p.maps = p.maps[:len(p.maps)-1]
	kind = "vunmap"
	if p.lock != pairFree {
		kind = "vunmap beside the hold"
	}
	return kind, p.twinWaits(p.ended.VUnmap(), p.x.VUnmap)
}

// vunmapAgain ends a map twice while there are others. The kernel would take
// it for the end of one of those.
func (p *pair) vunmapAgain() (kind string, err error) {
	if len(p.maps) == 0 || p.ended == (gem.Map{}) {
		return "", nil
	}
	return "vunmap again", mustBe(p.ended.VUnmap(), gem.ErrStale)
}

func (p *pair) takeLock() (kind string, err error) {
	if p.lock != pairFree {
		return "", nil
	}
	p.held, err = p.obj.Reservation().Lock(p.ctx)
	if err == nil {
		p.lock = pairHeld
	}
	return "lock", err
}

func (p *pair) unlock() (kind string, err error) {
	if p.lock != pairHeld {
		return "", nil
	}
	err = p.held.Unlock()
	if len(p.locals) > 0 {
		p.lock = pairOver
		return "unlock with local maps", mustBe(err, gem.ErrLocalMapsLive)
	}
	return "unlock", errors.Join(err, p.unlocked())
}

// local makes a local map. The kernel has none: what the library does there is
// one VMA for all of them, and the twin gets one.
func (p *pair) local() (kind string, err error) {
	if p.lock != pairHeld {
		return "", nil
	}
	l, err := p.obj.LocalLocked(p.held, prime.ReadWrite)
	if want := p.refused(); want != nil {
		return "local refused", mustBe(err, want)
	}
	if err != nil {
		return "local", err
	}
	p.locals = append(p.locals, l)
	if p.vma == nil {
		p.vma, err = mmapWhole(p.dev, p.twin, p.obj.Size())
	}
	return "local", err
}

func mmapWhole(dev *drm.Device, h drm.Handle, size uint64) ([]byte, error) {
	offset, err := dev.MapDumb(h)
	if err != nil {
		return nil, err
	}
	return dev.Mmap(offset, size)
}

func (p *pair) localUnmap(n uint32) (kind string, err error) {
	if len(p.locals) == 0 {
		return "", nil
	}
	i := int(n) % len(p.locals)
	l := p.locals[i]
	p.locals[i] = p.locals[len(p.locals)-1]
	p.locals = p.locals[:len(p.locals)-1]
	if err := l.Unmap(); err != nil || len(p.locals) > 0 {
		return "local unmap", err
	}
	err = drm.Munmap(p.vma)
	p.vma = nil
	if p.lock == pairOver {
		return "local unmap ends the hold", errors.Join(err, p.unlocked())
	}
	return "local unmap", err
}

// adviseDontNeed is a number of a step that is that advice, as are those below
// it but for 0.
const adviseDontNeed = 12

func (p *pair) madvise(n uint32) (kind string, err error) {
	advice := gem.WillNeed
	switch {
	case n%20 == 0:
		advice = -1 // for good
	case n%20 <= adviseDontNeed:
		advice = gem.DontNeed
	}
	kind = fmt.Sprintf("madvise %d", advice)
	var retained bool
	if p.lock == pairHeld {
		kind = "madvise under the hold"
		retained, err = p.obj.MadviseLocked(p.held, advice)
	} else {
		retained, err = p.obj.Madvise(p.ctx, advice)
	}
	if p.closed {
		return "madvise refused", mustBe(err, gem.ErrClosed)
	}
	twin, twinErr := p.x.Madvise(int32(advice))
	if err == nil && twinErr == nil && retained != twin {
		return kind, fmt.Errorf("the library says retained %v, the kernel %v", retained, twin)
	}
	return kind, sameEnd(err, twinErr)
}

// twinPurgeable says what the library must answer where the twin says whether
// it is purgeable. The kernel wants an sg table, as there is nothing else to
// take away; dumb buffers have none, so the twin gets one. It does not mind
// VMAs, as it can take pages away from them, and before 6.16 not pins, either.
// The library, which closes the handle, minds both.
func (p *pair) twinPurgeable() (bool, error) {
	if !p.purged {
		if err := p.x.GetPagesSGT(); err != nil {
			return false, err
		}
	}
	twin, err := p.x.IsPurgeable()
	return twin && p.pins == 0 && len(p.maps) == 0 && len(p.locals) == 0, err
}

func (p *pair) isPurgeable() (kind string, err error) {
	var got bool
	if p.lock == pairHeld {
		got, err = p.obj.IsPurgeableLocked(p.held)
	} else {
		got, err = p.obj.IsPurgeable(p.ctx)
	}
	if p.closed {
		return "is_purgeable refused", mustBe(err, gem.ErrClosed)
	}
	if err != nil {
		return "is_purgeable", err
	}
	kind = "is_purgeable"
	want, err := p.twinPurgeable()
	if want {
		kind = "is_purgeable: yes"
	}
	if err == nil && got != want {
		err = fmt.Errorf("the library says %v, the kernel %v", got, want)
	}
	return kind, err
}

func (p *pair) purge() (kind string, err error) {
	kind = "purge"
	if p.lock == pairHeld {
		kind = "purge under the hold"
		err = p.obj.PurgeLocked(p.held)
	} else {
		err = p.obj.Purge(p.ctx)
	}
	if p.closed {
		return "purge refused", mustBe(err, gem.ErrClosed)
	}
	can, canErr := p.twinPurgeable()
	if canErr != nil {
		return kind, canErr
	}
	if !can {
		return "purge: no", mustBe(err, gem.ErrNotPurgeable)
	}
	p.purged = true
	return kind, sameEnd(err, p.x.Purge())
}

// sgt gives the twin an sg table, as a driver does whose device uses the memory.
// The library's objects have none.
func (p *pair) sgt() (kind string, err error) {
	if p.purged {
		return "", nil
	}
	return "get_pages_sgt", p.x.GetPagesSGT()
}

// export makes a dma-buf of both, which forbids their purge for good.
func (p *pair) export() (kind string, err error) {
	if p.shared != nil || p.refused() != nil {
		return "", nil
	}
	if p.shared, err = p.obj.Export(); err != nil {
		return "export", err
	}
	fd, err := p.dev.HandleToFD(p.twin)
	if err != nil {
		return "export", err
	}
	return "export", fd.Close()
}

// close closes the object; the twin stays, for it to be compared while pins and
// maps of the object live on. Where the kernel warns of those at its object's
// end, the library does when it is closed.
func (p *pair) close() (kind string, err error) {
	if p.closed {
		return "close again", mustBe(p.obj.Close(), gem.ErrClosed)
	}
	inUse := p.pins > 0 || len(p.maps) > 0
	before := p.warnings
	err = p.obj.Close()
	p.closed = true
	if p.lock == pairFree && inUse != (p.warnings > before) {
		err = errors.Join(err, fmt.Errorf("in use: %v, and %d warnings", inUse, p.warnings-before))
	}
	if inUse {
		return "close in use", err
	}
	return "close", err
}

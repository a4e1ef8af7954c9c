package gem_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/kms"
	"github.com/gemtool/gemtool/gem"
	"github.com/gemtool/gemtool/prime"
)

const mirrorWidth, mirrorHeight = 64, 64

// mirror is an object of the library, what was done with it, and how the kernel
// is asked about it.
type mirror struct {
	t         *testing.T
	ctx       context.Context
	dev       *drm.Device
	store     *gem.Store
	self      *gem.Store   // of another file of the same device
	importers []*gem.Store // of two files of another device
	other     string       // its name
	exporter  string       // as bufinfo has it
	screen    *screen      // nil where none is used
	fbHandles bool         // a framebuffer counts as a handle
	dmaBufs   int          // of others

	obj      *gem.Object
	closed   bool
	purged   bool
	maps     []gem.Map // of obj and of its imports
	pins     int
	buf      *prime.Buffer
	inode    uint64
	exported bool
	again    *gem.Object   // on self
	imports  []*gem.Object // on importers, in their order; nil for none
	fb       kms.FBID      // by which the kernel tells of the object
	extra    []kms.FBID
	name     uint32 // or by its global name, where there is no fb
	named    bool   // the name is there
	own      uint32 // the driver's share of U
	shown    bool
	release  func() // of the hold while it is shown
}

// mirrorKinds are the kinds of steps that a run must have.
var mirrorKinds = []string{
	"create", "vmap", "vmap of an import", "vunmap", "pin", "unpin", "local", "local of an import",
	"export", "close of an export", "import", "import again", "close of an import", "import on another file", "close on another file",
	"framebuffer", "framebuffer removed", "scanout", "scanout ends", "writeback",
	"purge", "purge refused", "close", "end",
}

type mirrorStep int

const (
	mirrorVMap mirrorStep = iota
	mirrorVUnmap
	mirrorPin
	mirrorUnpin
	mirrorLocal
	mirrorExport
	mirrorImport
	mirrorImportAgain
	mirrorSelf
	mirrorFramebuffer
	mirrorScanout
	mirrorWriteback
	mirrorPurge
	mirrorClose
	mirrorStepCount
)

// take makes a step, and says which it was: "" for one that is not possible
// now.
func (m *mirror) take(s mirrorStep, n uint32) (kind string, err error) {
	if m.obj == nil {
		return "create", m.create()
	}
	switch s {
	case mirrorVMap:
		return m.vmap(n)
	case mirrorVUnmap:
		return m.vunmap(n)
	case mirrorPin:
		return m.pin()
	case mirrorUnpin:
		if m.pins == 0 {
			return "", nil
		}
		m.pins--
		return "unpin", m.obj.Unpin()
	case mirrorLocal:
		return m.local(n)
	case mirrorExport:
		return m.export(n)
	case mirrorImport:
		return m.importOn(n)
	case mirrorImportAgain:
		return m.importTwice(n)
	case mirrorSelf:
		return m.importSelf()
	case mirrorFramebuffer:
		return m.framebuffer(n)
	case mirrorScanout:
		return m.scanout()
	case mirrorWriteback:
		return m.writeback()
	case mirrorPurge:
		return m.purge()
	case mirrorClose:
		return m.close(n)
	}
	panic(fmt.Sprintf("step %d", s))
}

func (m *mirror) handleOpen() bool { return !m.purged && (!m.closed || m.release != nil) }

func (m *mirror) attachments() (n int) {
	for _, o := range m.imports {
		n += count1(o != nil)
	}
	return n
}

// reference returns an object of the memory that is open, if there is one.
func (m *mirror) reference(n uint32) (o *gem.Object, imported bool) {
	var all []*gem.Object
	if !m.closed && !m.purged {
		all = append(all, m.obj)
	}
	own := len(all)
	for _, i := range m.imports {
		if i != nil {
			all = append(all, i)
		}
	}
	if len(all) == 0 {
		return nil, false
	}
	i := int(n) % len(all)
	return all[i], i >= own
}

func (m *mirror) vmap(n uint32) (kind string, err error) {
	o, imported := m.reference(n)
	if o == nil {
		return "", nil
	}
	kind = "vmap"
	if imported {
		kind = "vmap of an import"
	}
	mapping, err := o.VMap(m.ctx, prime.ReadWrite)
	if err == nil {
		m.maps = append(m.maps, mapping)
		mapping.Bytes()[0]++
	}
	return kind, err
}

func (m *mirror) vunmap(n uint32) (kind string, err error) {
	if len(m.maps) == 0 {
		return "", nil
	}
	i := int(n) % len(m.maps)
	err = m.maps[i].VUnmap()
	m.maps = slices.Delete(m.maps, i, i+1)
	return "vunmap", err
}

func (m *mirror) pin() (kind string, err error) {
	if m.closed || m.purged {
		return "", nil
	}
	m.pins++
	return "pin", m.obj.Pin(m.ctx)
}

func (m *mirror) local(n uint32) (kind string, err error) {
	o, imported := m.reference(n)
	if o == nil {
		return "", nil
	}
	kind = "local"
	if imported {
		kind = "local of an import"
	}
	return kind, o.Local(m.ctx, prime.ReadWrite, func(v gem.View) error {
		v.Bytes()[1]++
		return m.check(true)
	})
}

func (m *mirror) export(n uint32) (kind string, err error) {
	if m.buf != nil {
		err = m.buf.Close()
		m.buf = nil
		return "close of an export", err
	}
	if m.closed || m.purged || n%3 == 0 && !m.exported { // some are not, to be purged
		return "", nil
	}
	if m.buf, err = m.obj.Export(); err == nil {
		m.exported, m.inode = true, m.buf.Inode()
	}
	return "export", err
}

// importTwice imports on a file that has the import: another object of the
// library, of which the kernel's counters know nothing.
func (m *mirror) importTwice(n uint32) (kind string, err error) {
	i := int(n) % len(m.importers)
	if m.imports[i] == nil || m.buf == nil {
		return "", nil
	}
	o, err := m.importers[i].Import(m.buf)
	if err != nil {
		return "import again", err
	}
	return "import again", errors.Join(m.check(false), o.Close())
}

// importOn imports on a file of the other device, or ends that.
func (m *mirror) importOn(n uint32) (kind string, err error) {
	i := int(n) % len(m.importers)
	if o := m.imports[i]; o != nil {
		m.imports[i] = nil
		return "close of an import", o.Close()
	}
	if m.buf == nil {
		return "", nil
	}
	m.imports[i], err = m.importers[i].Import(m.buf)
	return "import", err
}

// importSelf imports on another file of the same device, which is no import
// for the kernel: a second handle of the object. It ends it if there is one.
func (m *mirror) importSelf() (kind string, err error) {
	if m.again != nil {
		err, m.again = m.again.Close(), nil
		return "close on another file", err
	}
	if m.buf == nil {
		return "", nil
	}
	m.again, err = m.self.Import(m.buf)
	return "import on another file", err
}

func (m *mirror) framebuffer(n uint32) (kind string, err error) {
	if len(m.extra) > 0 && n%2 == 0 {
		id := m.extra[0]
		m.extra = m.extra[1:]
		return "framebuffer removed", kms.RmFB(m.dev, id)
	}
	if m.fb == 0 || !m.handleOpen() {
		return "", nil
	}
	id, err := m.addFB()
	if err == nil {
		m.extra = append(m.extra, id)
	}
	return "framebuffer", err
}

// scanout shows the object, or ends that. Whoever shows an object holds it.
func (m *mirror) scanout() (kind string, err error) {
	if m.shown {
		err = m.screen.show(0, 0, 0)
		m.shown = false
		m.release()
		m.release = nil
		return "scanout ends", err
	}
	if m.screen == nil || m.closed || m.purged {
		return "", nil
	}
	if m.release, err = m.obj.Hold(); err != nil {
		return "scanout", err
	}
	m.shown = true
	return "scanout", m.screen.show(m.fb, mirrorWidth, mirrorHeight)
}

// writeback has the device write into the object what it shows. Its map of the
// object goes after the fence, in a worker of the kernel's.
func (m *mirror) writeback() (kind string, err error) {
	if m.screen == nil || m.shown || m.closed || m.purged {
		return "", nil
	}
	if err := kms.ReadBack(m.ctx, m.dev, m.fb, m.fb, mirrorWidth, mirrorHeight); err != nil {
		return "writeback", err
	}
	for wait := time.Millisecond; wait < 4*time.Second; wait *= 2 {
		if err = m.check(false); err == nil {
			break
		}
		time.Sleep(wait)
	}
	return "writeback", err
}

// purge gives the memory back where that is allowed. The framebuffer of this
// test, of which the library does not know, keeps the kernel's object.
func (m *mirror) purge() (kind string, err error) {
	if m.closed || m.purged {
		return "", nil
	}
	if _, err := m.obj.Madvise(m.ctx, gem.DontNeed); err != nil {
		return "purge", err
	}
	err = m.obj.Purge(m.ctx)
	if m.exported || m.pins > 0 || len(m.maps) > 0 || m.release != nil {
		return "purge refused", mustBe(err, gem.ErrNotPurgeable)
	}
	m.purged = true
	return "purge", err
}

// close closes the object, and when nobody uses it any more ends its life in
// the kernel.
func (m *mirror) close(n uint32) (kind string, err error) {
	if !m.closed {
		if n%4 != 0 {
			return "", nil // not too soon
		}
		m.closed = true
		return "close", m.obj.Close()
	}
	return "end", m.finish()
}

// finish gives back what there is, in any state, one after the other.
func (m *mirror) finish() error {
	for _, step := range []struct {
		more func() bool
		do   func() error
	}{
		{func() bool { return m.shown }, func() error { _, err := m.scanout(); return err }},
		{func() bool { return !m.closed }, func() error { m.closed = true; return m.obj.Close() }},
		{func() bool { return len(m.maps) > 0 }, func() error { _, err := m.vunmap(0); return err }},
		{func() bool { return m.pins > 0 }, func() error { m.pins--; return m.obj.Unpin() }},
		{func() bool { return m.imports[0] != nil }, func() error { _, err := m.importOn(0); return err }},
		{func() bool { return m.imports[1] != nil }, func() error { _, err := m.importOn(1); return err }},
		{func() bool { return m.again != nil }, func() error { _, err := m.importSelf(); return err }},
		{func() bool { return m.buf != nil }, func() error { _, err := m.export(0); return err }},
		{func() bool { return len(m.extra) > 0 }, func() error { _, err := m.framebuffer(0); return err }},
	} {
		for step.more() {
			if err := errors.Join(step.do(), m.check(false)); err != nil {
				return err
			}
		}
	}
	if m.fb != 0 {
		if err := kms.RmFB(m.dev, m.fb); err != nil {
			return err
		}
		if _, there, err := m.object(); there || err != nil {
			return fmt.Errorf("the framebuffer is there still: %v, %w", there, err)
		}
	}
	if n := len(m.bufinfo().Buffers); n != m.dmaBufs {
		return fmt.Errorf("the system has %d dma-bufs, want %d", n, m.dmaBufs)
	}
	m.obj = nil
	return nil
}

// end ends the walk.
func (m *mirror) end() {
	m.t.Helper()
	if m.obj == nil {
		return
	}
	if err := m.finish(); err != nil {
		m.t.Error(err)
	}
}

// count1 is 1 for true.
func count1(b bool) int {
	if b {
		return 1
	}
	return 0
}

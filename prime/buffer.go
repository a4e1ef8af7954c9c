package prime

import (
	"fmt"
	"os"
	"runtime"
	"sync"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/ioctl"
)

// Access says what the CPU does, or may do, with the bytes of a buffer.
type Access uint8

// The kinds of access.
const (
	Read Access = 1 << iota
	Write

	ReadWrite = Read | Write
)

func (a Access) String() string {
	switch a {
	case Read:
		return "read"
	case Write:
		return "write"
	case ReadWrite:
		return "read-write"
	}
	return fmt.Sprintf("Access(%d)", uint8(a))
}

// valid says whether it is one of the above.
func (a Access) valid() bool { return a != 0 && a&^ReadWrite == 0 }

// Buffer owns a dma-buf's descriptor. Its methods may be called by many
// goroutines at once. Close forbids new calls; calls in flight finish, and
// mappings and windows that are open stay good until they are closed, too.
type Buffer struct {
	fd    *ioctl.FD
	life  *life
	size  uint64
	inode uint64
	mode  Access

	// mu guards the fields below. It is never held over a system call.
	mu     sync.Mutex
	closed bool // no new holds; fd is closed by whoever brings holds to 0
	holds  int  // windows, and calls that become one
	stuck  int  // STARTs that nobody waits for any more: see start
	// windows, made by the first, has the ids of the open ones, by which a Window that has
	// ended is told from one that began later.
	windows map[uint64]struct{}
	begun   uint64 // the last id given to a window

	mapped mapped
}

// attr is what the kernel says of a descriptor.
type attr struct {
	dmabuf bool
	size   uint64
	inode  uint64
	mode   Access
}

// New takes ownership of a descriptor, which may have come from anywhere, and
// closes it on an error. It does not trust the sender: a dma-buf's file system
// type cannot be forged, and its size cannot change.
//
// Errors: ErrNotDMABuf, ErrClosed. Source: dma_buf_fs_type, dma_buf_llseek.
func New(fd *ioctl.FD) (*Buffer, error) {
	var a attr
	err := fd.Use(func(n int) (err error) {
		a, err = inspect(n)
		return err
	})
	if err == nil && !a.dmabuf {
		err = ErrNotDMABuf
	}
	if err != nil {
		fd.Close()
		return nil, &Error{Op: "take", Object: "descriptor", Err: err}
	}
	return newBuffer(fd, a), nil
}

func newBuffer(fd *ioctl.FD, a attr) *Buffer {
	b := &Buffer{fd: fd, life: &life{fd: fd}, size: a.size, inode: a.inode, mode: a.mode}
	// A net for a Buffer that nobody closed, not the plan.
	runtime.AddCleanup(b, func(l *life) { l.end() }, b.life)
	return b
}

// FromFile makes a Buffer of a duplicate of f's descriptor and leaves f alone.
//
// Errors: ErrNotDMABuf, ErrClosed, EMFILE.
func FromFile(f *os.File) (*Buffer, error) {
	fd, err := dupFile(f)
	if err != nil {
		return nil, err
	}
	return New(fd)
}

// dupFile duplicates f's descriptor.
func dupFile(f *os.File) (*ioctl.FD, error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return nil, &Error{Op: "dup", Object: f.Name(), Err: err}
	}
	var n int
	if raw.Control(func(fd uintptr) { n, err = dup(int(fd)) }) != nil {
		err = ErrClosed // the one error of Control
	}
	if err != nil {
		return nil, &Error{Op: "dup", Object: f.Name(), Err: err}
	}
	return ioctl.NewFD(n), nil
}

// Export makes a Buffer of a GEM object. The export is read-write, but the
// first export of an object fixes its access for as long as a handle lives:
// if that was a read-only one, by whomever, the error is ErrAccessMode.
//
// Errors: those of [drm.Device.HandleToFD]; ErrAccessMode. Source:
// drm_gem_prime_handle_to_dmabuf.
func Export(d *drm.Device, h drm.Handle) (*Buffer, error) {
	fd, err := d.HandleToFD(h)
	if err != nil {
		return nil, err
	}
	b, err := New(fd)
	if err != nil {
		return nil, err
	}
	if b.mode != ReadWrite {
		e := b.fail("export of", ErrAccessMode)
		e.Hint = fmt.Sprintf("%v on %s was first exported as %v, which lasts as long as its handles", h, d.Path(), b.mode)
		b.Close()
		return nil, e
	}
	return b, nil
}

// Import makes a handle for the buffer on d's open file. The kernel does not
// count handles: importing a buffer that the file has already gives the same
// number, and the first close ends it for all. Package gem counts them.
//
// Errors: those of [drm.Device.FDToHandle]; ErrClosed.
func (b *Buffer) Import(d *drm.Device) (drm.Handle, error) {
	if b.isClosed() {
		return 0, b.fail("import of", ErrClosed)
	}
	defer runtime.KeepAlive(b)
	return d.FDToHandle(b.fd)
}

// Dup returns another Buffer with a descriptor and a mapping of its own.
//
// Errors: ErrClosed, EMFILE.
func (b *Buffer) Dup() (*Buffer, error) {
	// The keeper must not forget b before it counts the duplicate.
	if err := b.hold(); err != nil {
		return nil, b.fail("dup of", err)
	}
	defer b.unhold()
	n, err := b.dup()
	if err != nil {
		return nil, err
	}
	dup := newBuffer(ioctl.NewFD(n), attr{size: b.size, inode: b.inode, mode: b.mode})
	if k := b.life.keeper.Load(); k != nil {
		dup.Keep(*k)
	}
	return dup, nil
}

// File returns a close-on-exec duplicate of the descriptor, for passing on to
// another process. The caller closes it.
//
// Errors: ErrClosed, EMFILE.
func (b *Buffer) File() (*os.File, error) {
	n, err := b.dup()
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(n), b.String()), nil
}

func (b *Buffer) dup() (n int, err error) {
	err = b.use(func(fd int) (err error) {
		n, err = dup(fd)
		return err
	})
	if err != nil {
		return -1, b.fail("dup of", err)
	}
	return n, nil
}

// Size returns the number of bytes, which never changes.
func (b *Buffer) Size() uint64 { return b.size }

// Inode returns what identifies the dma-buf while it lives: two Buffers with
// the same inode are the same memory. The converse does not hold on Linux 6.1,
// where one object can have two dma-bufs.
func (b *Buffer) Inode() uint64 { return b.inode }

// Mode returns the access that the buffer was exported with.
func (b *Buffer) Mode() Access { return b.mode }

// String names the buffer in messages.
func (b *Buffer) String() string { return fmt.Sprintf("dma-buf %d", b.inode) }

// Close gives the descriptor back as soon as no call is in flight and no
// window open. The memory lives on while anything else refers to it: a
// mapping, another descriptor, an import. A second Close returns ErrClosed.
func (b *Buffer) Close() error {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return b.fail("close of", ErrClosed)
	}
	b.closed = true
	last := b.holds == 0
	b.mu.Unlock()
	if !last {
		return nil
	}
	if err := b.life.end(); err != nil {
		return b.fail("close of", err)
	}
	return nil
}

// hold keeps the descriptor open over a Close until unhold.
func (b *Buffer) hold() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return ErrClosed
	}
	b.holds++
	return nil
}

func (b *Buffer) unhold() {
	b.mu.Lock()
	b.holds--
	last := b.closed && b.holds == 0
	b.mu.Unlock()
	if last {
		// Nobody is left to tell about an error.
		_ = b.life.end()
	}
}

// use calls f with the descriptor's number unless b is closed.
func (b *Buffer) use(f func(n int) error) error {
	if b.isClosed() {
		return ErrClosed
	}
	defer runtime.KeepAlive(b)
	return b.fd.Use(f)
}

func (b *Buffer) isClosed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.closed
}

func (b *Buffer) fail(op string, err error) *Error {
	return &Error{Op: op, Object: b.String(), Err: err}
}

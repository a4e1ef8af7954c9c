package drmtest

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm/internal/quarantine"
)

// fakeMemory is a memfd, and every descriptor of it is a dma-buf. The record
// stays when the memory has gone: its inode comes back no more.
type fakeMemory struct {
	card    *FakeCard // that made it, nil for another's
	size    int
	offset  int64 // in all nodes of its card
	handles int   // on all files
	fd      int   // open while there are handles
}

func newMemfd(t TB, name string) (f *os.File, id fileID) {
	t.Helper()
	n, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC)
	if err != nil {
		t.Fatalf("memfd: %v", err)
	}
	id, _ = idOf(n)
	return os.NewFile(uintptr(n), name), id
}

// fileID names a file.
type fileID struct{ dev, inode uint64 }

// idOf says false for a descriptor that is not open.
func idOf(n int) (id fileID, ok bool) {
	var st unix.Stat_t
	if unix.Fstat(n, &st) != nil {
		return fileID{}, false
	}
	return fileID{uint64(st.Dev), uint64(st.Ino)}, true
}

func (f *Fake) newMemory(size int) *fakeMemory {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.newMemoryLocked(size, nil)
}

// newMemoryLocked makes memory with one handle.
func (f *Fake) newMemoryLocked(size int, card *FakeCard) *fakeMemory {
	n, err := unix.MemfdCreate("fake dma-buf", unix.MFD_CLOEXEC)
	if err == nil {
		err = unix.Ftruncate(n, int64(size))
	}
	if err != nil {
		panic(err) // Fatalf is for the test's own goroutine only
	}
	id, _ := idOf(n)
	m := &fakeMemory{card: card, size: size, offset: f.offset, handles: 1, fd: n}
	f.offset += int64(size)
	f.memories[id] = m
	return m
}

// get counts one more handle, and keeps the memory with the first.
func (m *fakeMemory) get(fd int) syscall.Errno {
	if m.handles == 0 {
		n, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			return err.(syscall.Errno)
		}
		m.fd = n
	}
	m.handles++
	return 0
}

func (m *fakeMemory) put(handles int) {
	if m.handles == 0 {
		return
	}
	if m.handles -= handles; m.handles == 0 {
		unix.Close(m.fd)
		m.fd = -1
	}
}

// node says whether a descriptor is a fake card's node.
func (f *Fake) node(n int) (rdev uint64, ok bool) {
	id, ok := idOf(n)
	if !ok {
		return 0, false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	file := f.files[id]
	if file == nil {
		return 0, false
	}
	return unix.Mkdev(226, uint32(32+file.card.index%32)), true
}

// DMABuf says whether a descriptor is a dma-buf of the fake. Like Mmap it is
// for package primetest.
func (f *Fake) DMABuf(n int) bool {
	id, ok := idOf(n)
	if !ok {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.memories[id] != nil
}

// Mmap maps a node or a dma-buf of the fake, or any other file.
func (f *Fake) Mmap(n int, offset int64, size, prot, flags int) ([]byte, error) {
	id, _ := idOf(n)
	f.mu.Lock()
	file, memory := f.files[id], f.memories[id]
	f.mu.Unlock()
	if file == nil && memory == nil {
		return unix.Mmap(n, offset, size, prot, flags)
	}
	if errno := f.enter(FakeMmap, Call{FD: n}); errno != 0 {
		return nil, errno
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if file != nil {
		var errno syscall.Errno
		if n, memory, errno = file.mapped(offset, size); errno != 0 {
			return nil, errno
		}
		offset = 0
	}
	if offset != 0 || size != memory.size {
		// The kernel shows wrong pages for it.
		f.refuse(0, "mmap of %d bytes at %d in an object of %d", size, offset, memory.size)
	}
	b, err := unix.Mmap(n, offset, size, prot, flags)
	if err != nil {
		return nil, err
	}
	f.maps[&b[0]] = size
	return b, nil
}

// mapped finds what is at an offset in a node. The caller holds mu.
func (file *fakeFile) mapped(offset int64, size int) (fd int, m *fakeMemory, errno syscall.Errno) {
	f := file.card.f
	if file.card.gone {
		return -1, nil, syscall.ENODEV
	}
	for _, o := range file.handles {
		if o.memory.offset == offset && !o.imported && size <= o.memory.size {
			return o.memory.fd, o.memory, 0
		}
	}
	for _, m := range f.memories {
		if m.handles > 0 && m.card == file.card && m.offset == offset && size <= m.size {
			return -1, nil, f.refuse(syscall.EACCES, "mmap at %#x, where another file's object is", offset)
		}
	}
	return -1, nil, f.refuse(syscall.EINVAL, "mmap of %d bytes at %#x, where nothing is", size, offset)
}

// munmap ends a mapping by Mmap.
func (f *Fake) munmap(b []byte) error {
	if len(b) == 0 {
		return syscall.EINVAL
	}
	f.mu.Lock()
	size, ok := f.maps[&b[0]]
	f.mu.Unlock()
	if !ok {
		return quarantine.Munmap(b)
	}
	if errno := f.enter(FakeMunmap, Call{FD: -1}); errno != 0 {
		return errno
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(b) != size {
		return f.refuse(syscall.EINVAL, "munmap of %d bytes of a mapping of %d", len(b), size)
	}
	// Removed before the kernel can give the address to another.
	delete(f.maps, &b[0])
	return quarantine.Munmap(b)
}

package drmtest

import (
	"fmt"
	"slices"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/internal/hook"
	"github.com/gemtool/gemtool/drm/ioctl"
)

// Fake answers in the place of the kernel for cards that do not exist, as
// drivers on the shmem helper do: each memory is a memfd, so that the library's
// own mmap and munmap really run. It is a test double for states and orders of
// calls that a kernel cannot be brought to, and for machines without one. It
// shows how the library behaves towards these answers, and never proves
// anything about a kernel.
//
// It is strict: what a careful client never does, such as closing a handle
// twice, gets the kernel's errno and is remembered as misuse, which fails the
// test at its end unless [Fake.Misuse] has fetched it.
//
// Close of a device ends its handles in a kernel; here it does not, as nobody
// sees it: leave no handle open to be counted.
type Fake struct {
	t TB

	// mu guards everything below, and what the other types of the fake have.
	mu       sync.Mutex
	cards    int
	files    map[fileID]*fakeFile   // open nodes
	memories map[fileID]*fakeMemory // all that ever were
	offset   int64                  // of the next memory in the nodes
	maps     map[*byte]int          // live mappings: first byte to size
	windows  int                    // SYNC STARTs without their END
	on       map[string]func(Call) syscall.Errno
	calls    map[string]int
	misuse   []string
}

// FakeCard is a device of a [Fake].
type FakeCard struct {
	f      *Fake
	driver string
	index  int
	gone   bool
}

// FakeCount is what a process holds of a [Fake].
type FakeCount struct {
	Handles  int // of all open nodes
	Mappings int // of nodes and of dma-bufs
	Windows  int // of dma-bufs: SYNC STARTs without their END
}

// Names of the calls that are no ioctls, for [Fake.On].
const (
	FakeMmap   = "mmap"
	FakeMunmap = "munmap"
)

// NewFake installs a fake kernel until the test ends. What is no file of the
// fake goes to the real kernel. Package primetest has the NewFake that makes
// package prime take the fake's dma-bufs, too.
func NewFake(t TB) *Fake {
	t.Helper()
	f := &Fake{
		t:        t,
		files:    make(map[fileID]*fakeFile),
		memories: make(map[fileID]*fakeMemory),
		offset:   1 << 28,
		maps:     make(map[*byte]int),
		on:       make(map[string]func(Call) syscall.Errno),
		calls:    make(map[string]int),
	}
	Intercept(t, f.ioctl)
	if !hook.Files.CompareAndSwap(nil, &hook.FileCalls{Node: f.node, Mmap: f.Mmap, Munmap: f.munmap}) {
		t.Fatalf("drmtest.NewFake: another fake is there already")
	}
	t.Cleanup(func() {
		t.Helper()
		hook.Files.Store(nil)
		for _, m := range f.memories {
			m.put(m.handles)
		}
		for _, what := range f.Misuse() {
			t.Errorf("misuse of the fake kernel: %s", what)
		}
	})
	return f
}

// NewCard makes a device whose driver has this name.
func (f *Fake) NewCard(driver string) *FakeCard {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := &FakeCard{f: f, driver: driver, index: f.cards}
	f.cards++
	return c
}

// Open opens the card's node once more, with handles of its own. It is closed
// with the test.
func (c *FakeCard) Open() *drm.Device {
	f := c.f
	f.t.Helper()
	path := fmt.Sprintf("/dev/dri/fake%d", c.index)
	file, id := newMemfd(f.t, path)
	defer file.Close()
	f.mu.Lock()
	f.files[id] = &fakeFile{card: c, handles: make(map[uint32]*fakeObject)}
	f.mu.Unlock()
	d, err := drm.FromFile(file)
	if err != nil {
		f.t.Fatalf("opening a fake card: %v", err)
	}
	f.t.Cleanup(func() { d.Close() })
	return d
}

// Unplug makes the device go: all calls on its nodes answer ENODEV from now
// on. Mappings stay, and so do dma-bufs.
func (c *FakeCard) Unplug() {
	c.f.mu.Lock()
	defer c.f.mu.Unlock()
	c.gone = true
}

// NewBuffer makes a dma-buf of memory that is no card's, as one that came from
// another process. The caller owns it.
func (f *Fake) NewBuffer(size int, readOnly bool) *ioctl.FD {
	f.t.Helper()
	m := f.newMemory(size)
	f.mu.Lock()
	defer f.mu.Unlock()
	defer m.put(m.handles)
	n, err := unix.FcntlInt(uintptr(m.fd), unix.F_DUPFD_CLOEXEC, 0)
	if readOnly && err == nil {
		unix.Close(n)
		n, err = unix.Open(fmt.Sprintf("/proc/self/fd/%d", m.fd), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	}
	if err != nil {
		f.t.Fatalf("fake dma-buf: %v", err)
	}
	return ioctl.NewFD(n)
}

// On calls answer before the fake deals with any call of this name, which is an
// ioctl's, [FakeMmap] or [FakeMunmap]: an errno that is not 0 is the answer
// then. It runs on the goroutine of the call, and may block it. A nil answer
// takes that back.
func (f *Fake) On(name string, answer func(Call) syscall.Errno) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.on[name] = answer
}

// Fail answers the next calls of a name with these errnos, one each; 0 lets
// a call through.
func (f *Fake) Fail(name string, errnos ...syscall.Errno) {
	f.On(name, func(Call) (errno syscall.Errno) {
		f.mu.Lock()
		defer f.mu.Unlock()
		if len(errnos) > 0 {
			errno, errnos = errnos[0], errnos[1:]
		}
		return errno
	})
}

// enter counts a call and says what the test wants it to be answered with.
func (f *Fake) enter(name string, c Call) syscall.Errno {
	f.mu.Lock()
	f.calls[name]++
	answer := f.on[name]
	f.mu.Unlock()
	if answer == nil {
		return 0
	}
	return answer(c)
}

// Calls says how many calls of a name there were, those that failed included.
func (f *Fake) Calls(name string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[name]
}

// Count says what is held now.
func (f *Fake) Count() FakeCount {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := FakeCount{Mappings: len(f.maps), Windows: f.windows}
	for _, file := range f.files {
		c.Handles += len(file.handles)
	}
	return c
}

// Misuse returns what was done that a careful client never does, and forgets
// it.
func (f *Fake) Misuse() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	m := f.misuse
	f.misuse = nil
	return slices.Clip(m)
}

// refuse remembers a misuse. The caller holds mu.
func (f *Fake) refuse(errno syscall.Errno, format string, args ...any) syscall.Errno {
	what := fmt.Sprintf(format, args...)
	if errno != 0 {
		what += ": " + errno.Error()
	}
	f.misuse = append(f.misuse, what)
	return errno
}

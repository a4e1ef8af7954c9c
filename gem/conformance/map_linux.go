package conformance

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm"
)

var mapCases = []Case{
	{ID: "B01", Title: "map, write, read, unmap", Run: mapWhole},
	{ID: "B02", Title: "a mapping outlives its handle", Run: mapOutlives},
	{ID: "B03", Title: "a byte more than the object is EINVAL", Run: mapTooMuch},
	{ID: "B04", Title: "one page at the start of the object", Run: mapOnePage},
	{ID: "B08", Title: "a mapping without its head shows wrong pages on shmem (why the library never splits one)", Run: splitHead},
	{ID: "B09", Title: "a mapping with a page protected shows wrong pages on shmem (why the library never splits one)", Run: splitMiddle},
	{ID: "B10", Title: "writes through sub-slices of a whole mapping read back the same", Run: mapShadow},
	{ID: "B11", Title: "a private mapping is EINVAL, read-only too", Run: mapPrivate},
	{ID: "B13", Title: "MADV_DONTNEED is EINVAL and the content stays", Run: adviseContent},
	{ID: "B14", Title: "MADV_DONTFORK works, and how far it can be undone", Run: adviseFork},
	{ID: "B18", Title: "MAP_DUMB of no handle is ENOENT", Run: mapNoHandle},
	{ID: "B25", Title: "locked and populated mappings", Run: mapLocked},
}

const pageSize = 4096

// dumbPages makes a dumb buffer of n pages and returns its mmap offset.
func dumbPages(t T, dev *drm.Device, n int) (b drm.Dumb, offset uint64) {
	t.Helper()
	b = createDumb(t, dev, pageSize/4, n, 32)
	if b.Size != uint64(n)*pageSize {
		t.Fatalf("%d rows of a page each make %d bytes", n, b.Size)
	}
	offset, err := dev.MapDumb(b.Handle)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return b, offset
}

// mapDumb maps the whole object for the length of the case.
func mapDumb(t T, dev *drm.Device, offset, size uint64) []byte {
	t.Helper()
	m, err := dev.Mmap(offset, size)
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() {
		if err := drm.Munmap(m); err != nil {
			t.Errorf("munmap: %v", err)
		}
	})
	return m
}

// number writes the number of each page into it.
func number(m []byte) {
	for i := range len(m) / pageSize {
		m[i*pageSize] = byte(10 + i)
	}
}

func mapWhole(t T, env *Env) {
	dev := env.Open(t)
	b, offset := dumbPages(t, dev, 4)
	for range 2 {
		m, err := dev.Mmap(offset, b.Size)
		if err != nil {
			t.Fatalf("%v", err)
		}
		for i := range m {
			m[i] = byte(i / 7)
		}
		for i := range m {
			if m[i] != byte(i/7) {
				t.Fatalf("byte %d is %d", i, m[i])
			}
		}
		wantErr(t, "munmap", drm.Munmap(m), nil)
	}
	again, err := dev.MapDumb(b.Handle)
	wantErr(t, "MapDumb", err, nil)
	if again != offset {
		t.Errorf("offset was %#x, is %#x", offset, again)
	}
}

func mapOutlives(t T, env *Env) {
	dev := env.Open(t)
	b, err := dev.CreateDumb(pageSize/4, 4, 32)
	if err != nil {
		t.Fatalf("%v", err)
	}
	offset, err := dev.MapDumb(b.Handle)
	wantErr(t, "MapDumb", err, nil)
	m := mapDumb(t, dev, offset, b.Size)
	number(m)
	wantErr(t, "DestroyDumb", dev.DestroyDumb(b.Handle), nil)
	for i := range 4 {
		if m[i*pageSize] != byte(10+i) {
			t.Errorf("page %d reads %d after its handle is closed", i, m[i*pageSize])
		}
	}
	wantErr(t, "MapDumb of the closed handle", second(dev.MapDumb(b.Handle)), syscall.ENOENT)
	wantErr(t, "second DestroyDumb", dev.DestroyDumb(b.Handle), syscall.EINVAL)
}

func second[A any](_ A, err error) error { return err }

func mapTooMuch(t T, env *Env) {
	dev := env.Open(t)
	b, offset := dumbPages(t, dev, 4)
	wantErr(t, "size+1", second(dev.Mmap(offset, b.Size+1)), syscall.EINVAL)
	wantErr(t, "offset+page", second(dev.Mmap(offset+pageSize, b.Size)), syscall.EINVAL)
	wantErr(t, "no bytes", second(dev.Mmap(offset, 0)), syscall.EINVAL)
	wantErr(t, "2^63", second(dev.Mmap(offset, 1<<63)), drm.ErrRange)
}

func mapOnePage(t T, env *Env) {
	dev := env.Open(t)
	_, offset := dumbPages(t, dev, 4)
	m := mapDumb(t, dev, offset, pageSize)
	m[0], m[pageSize-1] = 1, 2
}

// The two canaries pin a behaviour of the kernel that corrupts data silently:
// drm_gem_shmem_fault counts pages from the start of the mapping, so that
// what is left of a split one shows the pages from the front again. TTM is
// right. If a canary dies, the kernel was mended.

func splitHead(t T, env *Env) {
	dev := env.Open(t)
	m, offset := filledPages(t, dev)
	raw, err := rawMmap(dev.FD(), offset, len(m), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		t.Fatalf("mmap: %v", err)
	}
	defer func() { wantErr(t, "munmap", unix.Munmap(raw), nil) }()
	if err := punch(raw[:pageSize]); err != nil {
		t.Fatalf("munmap of the head: %v", err)
	}
	wantPage(t, env, "page 1 without the head", raw[pageSize], 11, 10)
}

func splitMiddle(t T, env *Env) {
	dev := env.Open(t)
	m, offset := filledPages(t, dev)
	raw, err := rawMmap(dev.FD(), offset, len(m), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		t.Fatalf("mmap: %v", err)
	}
	defer func() { wantErr(t, "munmap", unix.Munmap(raw), nil) }()
	if err := unix.Mprotect(raw[2*pageSize:3*pageSize], unix.PROT_READ); err != nil {
		t.Fatalf("mprotect: %v", err)
	}
	wantPage(t, env, "page 2 after its mprotect", raw[2*pageSize], 12, 10)
}

// filledPages makes four pages and numbers them through a mapping of its own.
func filledPages(t T, dev *drm.Device) (m []byte, offset uint64) {
	b, offset := dumbPages(t, dev, 4)
	m = mapDumb(t, dev, offset, b.Size)
	number(m)
	return m, offset
}

func wantPage(t T, env *Env, what string, got, right, shifted byte) {
	t.Helper()
	want := right
	if memoryOf(env.Driver, env.Kernel) == Shmem {
		want = shifted
	}
	if got != want {
		t.Errorf("%s reads %d, want %d (right would be %d)", what, got, want, right)
	}
}

func mapShadow(t T, env *Env) {
	dev := env.Open(t)
	b, offset := dumbPages(t, dev, 64)
	m := mapDumb(t, dev, offset, b.Size)
	shadow := make([]byte, b.Size)
	const parts = 4
	var wg sync.WaitGroup
	for part := range parts {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(3, uint64(part)))
			from := part * len(m) / parts
			mine, mirror := m[from:from+len(m)/parts], shadow[from:from+len(m)/parts]
			for range env.Effort.Rounds(t, 2_000, 200_000) {
				at := rnd.IntN(len(mine))
				n := min(1+rnd.IntN(300), len(mine)-at)
				for i := at; i < at+n; i++ {
					mine[i] = byte(rnd.Uint32())
					mirror[i] = mine[i]
				}
			}
		})
	}
	wg.Wait()
	fresh := mapDumb(t, dev, offset, b.Size)
	if !bytes.Equal(fresh, shadow) {
		t.Errorf("a second mapping does not show what was written")
	}
}

func mapPrivate(t T, env *Env) {
	dev := env.Open(t)
	b, offset := dumbPages(t, dev, 4)
	for _, prot := range []int{unix.PROT_READ, unix.PROT_READ | unix.PROT_WRITE} {
		m, err := rawMmap(dev.FD(), offset, int(b.Size), prot, unix.MAP_PRIVATE)
		want := error(syscall.EINVAL)
		if memoryOf(env.Driver, env.Kernel) == VRAM && prot == unix.PROT_READ {
			want = err // TTM looks at writable ones only on some kernels
		}
		wantErr(t, "private mapping", err, want)
		if err == nil {
			wantErr(t, "munmap", unix.Munmap(m), nil)
		}
	}
}

func adviseContent(t T, env *Env) {
	m, _ := filledPages(t, env.Open(t))
	wantErr(t, "MADV_DONTNEED", unix.Madvise(m, unix.MADV_DONTNEED), syscall.EINVAL)
	wantErr(t, "MADV_DODUMP", unix.Madvise(m, unix.MADV_DODUMP), syscall.EINVAL)
	if m[3*pageSize] != 13 {
		t.Errorf("page 3 reads %d", m[3*pageSize])
	}
}

func adviseFork(t T, env *Env) {
	m, _ := filledPages(t, env.Open(t))
	wantErr(t, "MADV_DONTFORK", unix.Madvise(m, unix.MADV_DONTFORK), nil)
	want := error(nil)
	if memoryOf(env.Driver, env.Kernel) == VRAM || !env.Kernel.Less(Kernel{7, 2}) {
		want = syscall.EINVAL
	}
	wantErr(t, "MADV_DOFORK", unix.Madvise(m, unix.MADV_DOFORK), want)
}

func mapNoHandle(t T, env *Env) {
	dev := env.Open(t)
	for _, h := range []drm.Handle{0, 99, 1<<32 - 1} {
		wantErr(t, "MapDumb of "+h.String(), second(dev.MapDumb(h)), syscall.ENOENT)
		wantErr(t, "CloseHandle of "+h.String(), dev.CloseHandle(h), syscall.EINVAL)
		wantErr(t, "DestroyDumb of "+h.String(), dev.DestroyDumb(h), syscall.EINVAL)
	}
}

func mapLocked(t T, env *Env) {
	dev := env.Open(t)
	b, offset := dumbPages(t, dev, 4)
	for _, flags := range []int{unix.MAP_POPULATE, unix.MAP_LOCKED} {
		m, err := rawMmap(dev.FD(), offset, int(b.Size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|flags)
		if errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EPERM) {
			continue // RLIMIT_MEMLOCK
		}
		if err != nil {
			t.Errorf("mmap with flags %#x: %v", flags, err)
			continue
		}
		m[pageSize] = 1
		if err := unix.Mlock(m); err != nil && !errors.Is(err, syscall.ENOMEM) && !errors.Is(err, syscall.EPERM) {
			t.Errorf("mlock: %v", err)
		}
		wantErr(t, "munmap", unix.Munmap(m), nil)
	}
}

package conformance

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/gem"
	"github.com/gemtool/gemtool/prime"
)

var exhaustCases = []Case{
	{ID: "J01", Title: "exporting without a free descriptor is EMFILE, and works again with one", Needs: Needs{Shares: true}, Run: exhaustDescriptors},
	{ID: "J04", Title: "mapping more than the machine has is ENOMEM, and leaves it usable", Needs: Needs{Drivers: []string{"vgem"}}, Run: exhaustMemory},
	{ID: "J05", Title: "mapping more than the memory group may have is ENOMEM, and closing gives the charge back", Needs: Needs{Memory: Shmem, Except: []string{"virtio_gpu"}}, Run: exhaustGroup},
	{ID: "J06", Title: "mapping more than the address space is ENOMEM", Run: exhaustAddresses},
	{ID: "J08", Title: "a file with very many objects", Needs: Needs{Drivers: []string{"vgem"}}, Run: exhaustHandles},
	{ID: "J10", Title: "udmabuf's limits are EINVAL", Needs: Needs{Drivers: []string{"vgem"}, Since: Kernel{6, 2}}, Run: exhaustUdmabuf},
	{ID: "J11", Title: "virtio-gpu makes a buffer that the host refuses, and only the log says so", Needs: Needs{Drivers: []string{"virtio_gpu"}}, Run: exhaustHost},
}

func exhaustDescriptors(t T, env *Env) {
	dev := env.Open(t)
	o, watch := env.object(t, dev)
	handle := createDumb(t, dev, 64, 64, 32).Handle
	var old unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &old); err != nil {
		t.Fatalf("%v", err)
	}
	next, err := control(dev.FD(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatalf("dup: %v", err)
	}
	unix.Close(next)
	none := old
	none.Cur = uint64(next) // the lowest that is free is the first forbidden one
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &none); err != nil {
		t.Fatalf("%v", err)
	}
	_, objectErr := o.Export()
	_, libErr := prime.Export(dev, handle)
	arg := rawPrimeHandle{handle: uint32(handle), flags: rawRDWR | rawCLOEXEC, fd: 77}
	rawErr := rawOpHandleToFD.Do(dev.FD(), &arg)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &old); err != nil {
		t.Fatalf("%v", err)
	}
	wantErr(t, "Object.Export", objectErr, syscall.EMFILE)
	wantErr(t, "prime.Export", libErr, syscall.EMFILE)
	wantErr(t, "the kernel", rawErr, syscall.EMFILE)
	exportObject(t, o)
	exported(t, dev, handle)
	watch.want(t, "after it", 0)
}

// memInfo reads a line of /proc/meminfo, in bytes.
func memInfo(t T, key string) (bytes uint64) {
	t.Helper()
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		t.Fatalf("%v", err)
	}
	for line := range strings.Lines(string(text)) {
		if name, value, _ := strings.Cut(line, ":"); name == key {
			if _, err := fmt.Sscanf(value, "%d kB", &bytes); err != nil {
				t.Fatalf("%s: %v", key, err)
			}
			return bytes << 10
		}
	}
	t.Fatalf("/proc/meminfo has no %s", key)
	return 0
}

func exhaustMemory(t T, env *Env) {
	const huge = 2 << 30
	if all := memInfo(t, "MemTotal") + memInfo(t, "SwapTotal"); all >= huge {
		t.Skipf("this machine has %d MiB: enough for the buffer that must not fit", all>>20)
	}
	dev := env.Open(t)
	store := gem.StoreOf(dev)
	o, err := store.Create(32768, 16384, 32)
	if err != nil {
		t.Fatalf("%v", err)
	}
	if o.Size() != huge {
		t.Errorf("%d bytes", o.Size())
	}
	_, err = o.VMap(t.Context(), prime.ReadWrite)
	wantErr(t, "VMap", err, syscall.ENOMEM)
	if stats, ok, err := o.Stats(t.Context()); err != nil || !ok || stats != (gem.Stats{}) {
		t.Errorf("counters after the failure: %+v, %v, %v", stats, ok, err)
	}
	wantErr(t, "Close", o.Close(), nil)
	small, _ := env.object(t, dev)
	wantErr(t, "a small map", work(t.Context(), store, store, false, 4), nil)
	withBytes(t, small, func(m []byte) { m[0] = 1 })
}

// exhaustGroup has a process of a memory group map more than the group may
// have. It looks at the charge, which stays with the object. That a process
// that goes on as if nothing was is killed for its next page is not tried: the
// kernel's report of it is what the guard takes for a fault. So the process
// is a fork that makes one system call, and a Go program's pages are not in
// the group.
func exhaustGroup(t T, env *Env) {
	const limit = 16 << 20
	group := memoryGroup(t, limit)
	dev := env.Open(t)
	o, err := gem.StoreOf(dev).Create(4096, 2048, 32)
	if err != nil {
		t.Fatalf("%v", err)
	}
	offset, err := dev.MapDumb(o.Handle())
	if err != nil {
		t.Fatalf("%v", err)
	}
	var errno syscall.Errno
	err = dev.FD().Use(func(n int) (err error) {
		errno, err = forkMmap(n, o.Size(), offset, func(pid int) error {
			return os.WriteFile(filepath.Join(group, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0o644)
		})
		return err
	})
	if err != nil {
		t.Fatalf("a process in the group: %v", err)
	}
	if errno != syscall.ENOMEM {
		t.Errorf("mapping %d bytes where %d are allowed: %v, want ENOMEM", o.Size(), limit, errno)
	}
	charged := groupCharge(t, group)
	if charged < limit/2 {
		t.Errorf("after the failed map, and without its process, %d KiB are charged: want most of %d", charged>>10, limit>>10)
	}
	wantErr(t, "Close", o.Close(), nil)
	for wait := time.Millisecond; groupCharge(t, group) > charged/2; wait *= 2 {
		if wait > 2*time.Second {
			t.Fatalf("%d KiB are still charged after Close, %d before", groupCharge(t, group)>>10, charged>>10)
		}
		time.Sleep(wait)
	}
	again := createObject(t, gem.StoreOf(dev))
	withBytes(t, again, number)
	wantErr(t, "Close", again.Close(), nil)
}

// memoryGroup makes a memory group that goes with the case.
func memoryGroup(t T, limit int) (path string) {
	t.Helper()
	root, err := os.MkdirTemp("", "cgroup")
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() { os.Remove(root) })
	if err := unix.Mount("cgroup2", root, "cgroup2", 0, ""); err != nil {
		t.Skipf("control groups: %v", err)
	}
	t.Cleanup(func() { wantErr(t, "umount of the control groups", unix.Unmount(root, unix.MNT_DETACH), nil) })
	control := filepath.Join(root, "cgroup.subtree_control")
	before, err := os.ReadFile(control)
	if err == nil {
		err = os.WriteFile(control, []byte("+memory"), 0o644)
	}
	if err != nil {
		t.Skipf("memory groups: %v", err)
	}
	if !slices.Contains(strings.Fields(string(before)), "memory") {
		// It stays if somebody has come to use it meanwhile.
		t.Cleanup(func() { _ = os.WriteFile(control, []byte("-memory"), 0o644) })
	}
	path = filepath.Join(root, "gemtool-"+strconv.Itoa(os.Getpid()))
	if err := os.Mkdir(path, 0o755); err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() { wantErr(t, "removing the group", removeGroup(path), nil) })
	if err := os.WriteFile(filepath.Join(path, "memory.max"), []byte(strconv.Itoa(limit)), 0o644); err != nil {
		t.Fatalf("%v", err)
	}
	return path
}

// removeGroup removes a group, whose last process may be gone in a moment.
func removeGroup(path string) (err error) {
	for wait := time.Millisecond; wait < 2*time.Second; wait *= 2 {
		if err = unix.Rmdir(path); err != unix.EBUSY {
			return err
		}
		time.Sleep(wait)
	}
	return err
}

func groupCharge(t T, group string) (bytes int) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(group, "memory.current"))
	if err == nil {
		_, err = fmt.Sscan(string(text), &bytes)
	}
	if err != nil {
		t.Fatalf("%v", err)
	}
	return bytes
}

// limitChild has no address space left when it maps: PATH.
func limitChild(c *child) error {
	dev, err := drm.Open(c.args[0], drm.Options{})
	if err != nil {
		return err
	}
	store := gem.StoreOf(dev)
	if err := work(c.context(), store, store, false, 1); err != nil {
		return err
	}
	o, err := store.Create(1024, 1024, 32)
	if err != nil {
		return err
	}
	var old unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_AS, &old); err != nil {
		return err
	}
	// It is less than what the process has: it keeps that, and gets no more.
	if err := unix.Setrlimit(unix.RLIMIT_AS, &unix.Rlimit{Cur: 1 << 20, Max: old.Max}); err != nil {
		return err
	}
	_, mapErr := o.VMap(c.context(), prime.ReadWrite)
	if err := unix.Setrlimit(unix.RLIMIT_AS, &old); err != nil {
		return err
	}
	if !errors.Is(mapErr, syscall.ENOMEM) {
		return fmt.Errorf("a map without address space: %v, want ENOMEM", mapErr)
	}
	if stats, ok, err := o.Stats(c.context()); err != nil || !ok || stats != (gem.Stats{}) {
		return fmt.Errorf("counters after the failure: %+v, %v, %v", stats, ok, err)
	}
	if err := write(c.context(), o, 1); err != nil {
		return fmt.Errorf("with address space again: %w", err)
	}
	return o.Close()
}

func exhaustAddresses(t T, env *Env) {
	env.start(t, "limit", nil, env.Path).end()
}

// exhaustHandles fills a file with objects and looks whether the kernel has
// its memory back at the end.
func exhaustHandles(t T, env *Env) {
	dev := env.Open(t)
	slab := memInfo(t, "SUnreclaim")
	seen := make(map[drm.Handle]bool)
	for range env.Effort.Rounds(t, env.scale(20_000), 100_000) {
		b, err := dev.CreateDumb(64, 16, 32)
		if err != nil {
			t.Fatalf("%v, after %d", err, len(seen))
		}
		if seen[b.Handle] {
			t.Fatalf("%v is given twice", b.Handle)
		}
		seen[b.Handle] = true
	}
	full := memInfo(t, "SUnreclaim")
	if full < slab+uint64(len(seen))*500 {
		t.Errorf("%d objects take %d bytes of the kernel: it does not count what this case is about", len(seen), full-slab)
	}
	for h := range seen {
		if err := dev.CloseHandle(h); err != nil {
			t.Fatalf("%v", err)
		}
	}
	for wait := time.Millisecond; memInfo(t, "SUnreclaim") > slab+(full-slab)/4; wait *= 2 {
		if wait > 4*time.Second {
			t.Fatalf("%d objects took %d KiB of the kernel, and %d KiB stay", len(seen), (full-slab)>>10, (memInfo(t, "SUnreclaim")-slab)>>10)
		}
		time.Sleep(wait) // for the kernel to free what it frees later
	}
}

func exhaustUdmabuf(t T, env *Env) {
	limit := 64
	if text, err := os.ReadFile("/sys/module/udmabuf/parameters/size_limit_mb"); err == nil {
		if _, err := fmt.Sscan(string(text), &limit); err != nil {
			t.Fatalf("%v", err)
		}
	}
	b, err := prime.NewUdmabuf(uint64(limit) << 20)
	if errors.Is(err, prime.ErrNotSupported) || errors.Is(err, prime.ErrPermission) {
		t.Skipf("%v", err)
	}
	wantErr(t, "as large as may be", err, nil)
	if err == nil {
		wantErr(t, "Close", b.Close(), nil)
	}
	wantErr(t, "a page more", second(prime.NewUdmabuf(uint64(limit)<<20+pageSize)), prime.ErrRange)

	mem, err := unix.MemfdCreate("pages", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err == nil {
		defer unix.Close(mem)
		err = unix.Ftruncate(mem, int64(limit)<<20+pageSize)
	}
	if err == nil {
		_, err = unix.FcntlInt(uintptr(mem), unix.F_ADD_SEALS, unix.F_SEAL_SHRINK)
	}
	if err != nil {
		t.Fatalf("memfd: %v", err)
	}
	// The kernel's own limits: of the size, and of the number of parts
	// (list_limit).
	for _, test := range []struct {
		parts int
		size  uint64
		want  error
	}{
		{1, pageSize, nil}, {1024, pageSize, nil}, {1025, pageSize, syscall.EINVAL},
		{1, uint64(limit)<<20 + pageSize, syscall.EINVAL},
	} {
		n, err := udmabufOf(mem, test.parts, test.size)
		wantErr(t, fmt.Sprintf("%d parts of %d bytes", test.parts, test.size), err, test.want)
		if err == nil {
			wantErr(t, "close", unix.Close(n), nil)
		}
	}
}

func exhaustHost(t T, env *Env) {
	log := readKernelLog(t)
	store := gem.StoreOf(env.Open(t))
	// QEMU gives the guest's buffers 256 MiB of the host, unless told more.
	o, err := store.Create(8192, 8200, 32)
	if errors.Is(err, syscall.ENOMEM) {
		t.Skipf("this machine has no 257 MiB: %v", err)
	}
	if err != nil {
		t.Fatalf("%v", err)
	}
	withBytes(t, o, func(m []byte) { m[0], m[len(m)-1] = 1, 2 })
	wantErr(t, "Close", o.Close(), nil)
	// The host's answer comes later than CREATE_DUMB's.
	wantErr(t, "a buffer behind it", work(t.Context(), store, store, true, 1), nil)
	if !env.Strict {
		return // other hosts have other limits
	}
	for wait := time.Millisecond; !log.has("response 0x1201"); wait *= 2 {
		if wait > 2*time.Second {
			t.Errorf("the kernel's log does not tell of the host's refusal (response 0x1201)")
			return
		}
		time.Sleep(wait)
	}
}

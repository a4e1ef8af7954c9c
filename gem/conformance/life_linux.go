package conformance

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/ioctl"
	"github.com/gemtool/gemtool/gem"
	"github.com/gemtool/gemtool/prime"
)

var lifeCases = []Case{
	{ID: "I01", Title: "a process killed with five maps leaves none", Needs: Needs{Shares: true}, Run: killMapped},
	{ID: "I02", Title: "a process killed with imports, exports and fences leaves none", Needs: Needs{Shares: true}, Run: killBusy},
	{ID: "I05", Title: "a child that is started gets no descriptor of a device or a buffer", Needs: Needs{Shares: true}, Run: childDescriptors},
	{ID: "I06", Title: "a fork counts as a map, unless told not to", Run: forkMapped},
	{ID: "I07", Title: "starting children does not touch the maps", Run: startMany},
	{ID: "I08", Title: "a process that panics leaves nothing", Needs: Needs{Shares: true}, Run: panicMapped},
	{ID: "I10", Title: "masters come and go, buffers stay", Needs: Needs{Drivers: []string{"vkms"}}, Run: changeMaster},
	{ID: "I12", Title: "a process stopped by a debugger goes on as if nothing was", Needs: Needs{Shares: true}, Run: stopWorking},
}

// holdChild imports the buffer that it is given and makes one of its own,
// exports, maps and keeps all of it: PATH MAPS.
func holdChild(c *child) error {
	dev, err := drm.Open(c.args[0], drm.Options{})
	if err != nil {
		return err
	}
	maps, err := strconv.Atoi(c.args[1])
	if err != nil {
		return err
	}
	b, err := given()
	if err != nil {
		return err
	}
	v, err := dev.Version()
	if err != nil {
		return err
	}
	if h, err := b.Import(dev); err == nil && v.Name == "vgem" { // some devices take no foreign buffers
		arg := rawVgemAttach{handle: uint32(h), flags: rawVgemWrite}
		if err := rawOpVgemAttach.Do(dev.FD(), &arg); err != nil && err != syscall.EBUSY {
			return err
		}
	}
	var keep []any
	for range maps {
		again, err := b.Dup() // has a mapping of its own
		if err != nil {
			return err
		}
		m, err := again.Map()
		if err != nil {
			return err
		}
		m.Bytes()[0] = 1
		keep = append(keep, m)
	}
	if dev.Kind() == drm.NodePrimary {
		own, err := gem.StoreOf(dev).Create(64, 64, 32)
		if err != nil {
			return err
		}
		exported, err := own.Export()
		if err != nil && !errors.Is(err, drm.ErrNotSupported) {
			return err
		}
		keep = append(keep, own, exported)
	}
	c.say("holding")
	err = c.wait()
	runtime.KeepAlive(keep)
	return err
}

// holding starts a child that holds the object until it is killed.
func holding(t T, env *Env, o *gem.Object, maps int) *process {
	t.Helper()
	return holdingOn(t, env, env.Path, exportObject(t, o), maps)
}

func holdingOn(t T, env *Env, path string, b *prime.Buffer, maps int) *process {
	t.Helper()
	file, err := b.File()
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer file.Close()
	p := env.start(t, "hold", withFile(file), path, strconv.Itoa(maps))
	for p.line() != "holding" {
	}
	return p
}

func killMapped(t T, env *Env) {
	o, watch := env.object(t, env.Open(t))
	p := holding(t, env, o, 5)
	watch.want(t, "the child has five maps", 5)
	p.kill()
	if p.signal() != syscall.SIGKILL {
		t.Errorf("the child ended by %v", p.cmd.ProcessState)
	}
	watch.want(t, "the child is dead", 0)
	withBytes(t, o, func(m []byte) {
		if m[0] != 1 {
			t.Errorf("what the child wrote reads %d, want 1", m[0])
		}
	})
}

// killBusy kills children that have the case's buffer imported, on its own
// device and on the others, and, on vgem, fences attached to it. The suite
// looks for dma-bufs and attachments that stay.
func killBusy(t T, env *Env) {
	o, watch := env.object(t, env.Open(t))
	b := exportObject(t, o)
	before, told := dmaBufs()
	var children []*process
	for _, target := range env.Targets {
		children = append(children, holdingOn(t, env, target.Path, b, 1))
	}
	if now, _ := dmaBufs(); told && now.attachments == before.attachments && importedElsewhere(env) {
		t.Errorf("no device is attached to the buffer while children have imported it")
	}
	for _, p := range children {
		p.kill()
	}
	watch.want(t, "the children are dead", 0)
	// A fence that was left would hold this up until vgem's own limit of ten
	// seconds.
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	w, err := b.BeginAccess(ctx, prime.ReadWrite)
	if err != nil {
		t.Fatalf("the children's fences: %v", err)
	}
	wantErr(t, "End", w.End(), nil)
}

// importedElsewhere says whether some other device imports buffers of the
// case's.
func importedElsewhere(env *Env) bool {
	return memoryOf(env.Driver, env.Kernel) == Shmem && slices.ContainsFunc(env.Targets, func(other Target) bool {
		return other.Driver != env.Driver && importError(other.Driver, env.Kernel) == nil
	})
}

// childDescriptors lists what a child has that was started while this process
// holds one of everything.
func childDescriptors(t T, env *Env) {
	dev := env.Open(t)
	o, _ := env.object(t, dev)
	b := exportObject(t, o)
	again := importObject(t, gem.StoreOf(env.Open(t)), b)
	m, err := b.Map()
	if err != nil {
		t.Fatalf("%v", err)
	}
	if all := descriptorsOfChild(t); len(all) != 0 {
		t.Errorf("the child has %q", all)
	}
	wantErr(t, "Close of the map", m.Close(), nil)
	wantErr(t, "Close of the import", again.Close(), nil)
}

// forkMapped is the table of SEMANTICS.md 1.4 from mmap to "child exits".
func forkMapped(t T, env *Env) {
	dev := env.Open(t)
	b := createDumb(t, dev, 64, 64, 32)
	watch := env.watchUse(t, dev, b)
	offset, err := dev.MapDumb(b.Handle)
	if err != nil {
		t.Fatalf("%v", err)
	}
	raw := func() []byte {
		m, err := rawMmap(dev.FD(), offset, int(b.Size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		if err != nil {
			t.Fatalf("mmap: %v", err)
		}
		return m
	}
	m, other := raw(), raw()
	watch.want(t, "two maps", 2)
	wantErr(t, "munmap of the second", unix.Munmap(other), nil)
	watch.want(t, "one map", 1)
	wantErr(t, "munmap of page 1", punch(m[pageSize:2*pageSize]), nil)
	watch.want(t, "a map with a hole", 2)

	stop := fork(t)
	watch.want(t, "forked", 4)
	stop()
	watch.want(t, "the child is dead", 2)
	wantErr(t, "MADV_DONTFORK", unix.Madvise(m[:pageSize], unix.MADV_DONTFORK), nil)
	stop = fork(t)
	watch.want(t, "forked without the head", 3)
	stop()
	watch.want(t, "the second child is dead", 2)
	wantErr(t, "munmap of the rest", unix.Munmap(m), nil)
	watch.want(t, "no map", 0)
}

// startMany starts children as os/exec does, which shares the memory map with
// the parent until the exec instead of copying it.
func startMany(t T, env *Env) {
	o, watch := env.object(t, env.Open(t))
	withBytes(t, o, func(m []byte) {
		for i := range env.Effort.Rounds(t, env.scale(1000), 1000) {
			// What fails in the exec has forked before.
			_, err := syscall.ForkExec("/nonexistent", nil, nil)
			wantErr(t, "ForkExec", err, syscall.ENOENT)
			m[i%len(m)]++
		}
		watch.want(t, "while mapped", 1)
		for range env.Effort.Rounds(t, 3, 1000) {
			env.start(t, "exit", nil).end()
			watch.want(t, "while mapped, after a child", 1)
		}
	})
	watch.want(t, "unmapped", 0)
}

// panicChild panics with the buffer mapped and an access window open.
func panicChild(c *child) error {
	b, err := given()
	if err != nil {
		return err
	}
	m, err := b.Map()
	if err != nil {
		return err
	}
	if _, err := b.BeginAccess(c.context(), prime.ReadWrite); err != nil {
		return err
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			dev, err := drm.Open(c.args[0], drm.Options{})
			for i := byte(0); err == nil; i++ {
				err = work(c.context(), gem.StoreOf(dev), gem.StoreOf(dev), true, i)
			}
			fmt.Fprintln(os.Stderr, err)
		})
	}
	c.say("working")
	if err := c.wait(); err != nil {
		return err
	}
	m.Bytes()[0] = 8
	panic("the library's user has a bug")
}

func panicMapped(t T, env *Env) {
	o, watch := env.object(t, env.Open(t))
	file, err := exportObject(t, o).File()
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer file.Close()
	p := env.start(t, "panic", withFile(file), env.Path)
	p.line()
	watch.want(t, "mapped by the child", 1)
	_, _ = p.in.Write([]byte("\n"))
	if err := p.wait(); err == nil || p.cmd.ProcessState.ExitCode() != 2 {
		t.Errorf("the child that panics: %v\n%s", err, p.stderr.String())
	}
	watch.want(t, "after the panic", 0)
	withBytes(t, o, func(m []byte) {
		if m[0] != 8 {
			t.Errorf("what the child wrote reads %d, want 8", m[0])
		}
	})
}

func changeMaster(t T, env *Env) {
	// Linux 6.1 compares threads where later kernels compare processes: who
	// opened the file must be who becomes master again.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	one := env.Open(t)
	err := one.SetMaster()
	if !env.Strict && (errors.Is(err, syscall.EBUSY) || errors.Is(err, syscall.EACCES)) {
		t.Skipf("somebody drives this device: %v", err)
	}
	wantErr(t, "SET_MASTER", err, nil)
	two := env.Open(t) // a client of that master, and never one itself
	set, drop, as := error(syscall.EBUSY), error(syscall.EINVAL), unprivileged
	if !env.Strict && errors.Is(two.SetMaster(), syscall.EACCES) {
		// This process has no privileges: the kernel asks for those first.
		set, drop, as = syscall.EACCES, syscall.EACCES, func(f func()) error { f(); return nil }
	}
	o, watch := env.object(t, one)
	withBytes(t, o, func(m []byte) {
		number(m)
		wantErr(t, "SET_MASTER of the other", two.SetMaster(), set)
		wantErr(t, "DROP_MASTER of the other", two.DropMaster(), drop)
		wantErr(t, "SET_MASTER of the master", one.SetMaster(), nil)

		magic, err := two.GetMagic()
		wantErr(t, "GET_MAGIC", err, nil)
		wantErr(t, "AUTH_MAGIC by no master", two.AuthMagic(magic), syscall.EACCES)
		wantErr(t, "AUTH_MAGIC", one.AuthMagic(magic), nil)
		wantErr(t, "AUTH_MAGIC of nobody", one.AuthMagic(magic+1000), syscall.EINVAL)

		// A duplicate of the descriptor is the same file, and the same master.
		n, err := control(one.FD(), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			t.Fatalf("dup: %v", err)
		}
		same := ioctl.NewFD(n)
		wantErr(t, "DROP_MASTER by a duplicate", rawOpDropMaster.Do(same, &struct{}{}), nil)
		wantErr(t, "close", same.Close(), nil)
		wantErr(t, "DROP_MASTER again", one.DropMaster(), syscall.EINVAL)
		wantErr(t, "AUTH_MAGIC by the former master", one.AuthMagic(magic), syscall.EACCES)

		// Without privileges, who has been master may be so again; nobody
		// else may.
		wantErr(t, "without privileges", as(func() {
			wantErr(t, "SET_MASTER of who was", one.SetMaster(), nil)
			wantErr(t, "DROP_MASTER of who was", one.DropMaster(), nil)
			wantErr(t, "SET_MASTER of who was not", two.SetMaster(), syscall.EACCES)
		}), nil)
		wantNumbers(t, "through all of it", m)
		watch.want(t, "mapped", 1)
	})
	watch.want(t, "unmapped", 0)
}

// unprivileged runs f on a thread without any capability.
func unprivileged(f func()) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	// The raw call is about this thread; its saved user takes it back.
	const keep = ^uintptr(0)
	if _, _, errno := syscall.RawSyscall(unix.SYS_SETRESUID, keep, 65534, keep); errno != 0 {
		return errno
	}
	f()
	if _, _, errno := syscall.RawSyscall(unix.SYS_SETRESUID, keep, 0, keep); errno != 0 {
		return errno
	}
	return nil
}

// stopWorking stops all threads of a working child again and again, as a
// debugger does.
func stopWorking(t T, env *Env) {
	o, watch := env.object(t, env.Open(t))
	file, err := exportObject(t, o).File()
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer file.Close()
	p := env.start(t, "random", withFile(file), env.Path, "12", strconv.Itoa(env.scale(120)))
	pid := p.cmd.Process.Pid
	p.line()               // it works: an exec under a debugger would end by SIGTRAP
	runtime.LockOSThread() // the tracer is a thread
	defer runtime.UnlockOSThread()
	stops := 0
	for range env.Effort.Rounds(t, 15, 2000) {
		stops += stopAll(pid)
		time.Sleep(time.Millisecond)
	}
	if stops == 0 {
		t.Errorf("the child was not stopped once")
	}
	p.line() // its work is done, without an error
	p.end()
	watch.want(t, "after the child", 0)
}

// stopAll attaches to all threads of a process, each with a SIGSTOP, and lets
// go of them. It returns how many it has stopped.
func stopAll(pid int) (stopped int) {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
	var attached []int
	for _, task := range tasks {
		tid, err := strconv.Atoi(filepath.Base(task))
		if err != nil || unix.PtraceAttach(tid) != nil {
			continue // it has ended
		}
		if waitStop(tid) {
			attached = append(attached, tid)
		}
	}
	for _, tid := range attached {
		if unix.PtraceDetach(tid) == nil {
			stopped++
		}
	}
	return stopped
}

// waitStop waits for the SIGSTOP of a thread that was attached to, and passes
// on the signals that come before it: it would meet the thread later. A thread
// that ends instead may never be heard of: its process's first thread waits for
// the others.
func waitStop(tid int) bool {
	for end := time.Now().Add(patience / 10); time.Now().Before(end); {
		var status unix.WaitStatus
		n, err := unix.Wait4(tid, &status, unix.WALL|unix.WNOHANG, nil)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return false
		case n == 0:
			time.Sleep(time.Millisecond / 4)
		case !status.Stopped():
			return false
		case status.StopSignal() == unix.SIGSTOP:
			return true
		case unix.PtraceCont(tid, int(status.StopSignal())) != nil:
			return false
		}
	}
	return false
}

package conformance

import (
	"context"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/gem"
	"github.com/gemtool/gemtool/prime"
)

var signalCases = []Case{
	{ID: "K02", Title: "a signal in a wait for a fence ends neither the wait nor its context", Needs: Needs{Drivers: []string{"vgem"}}, Run: signalFence},
	{ID: "K03", Title: "a storm of SIGURG, as Go preempts, is no error", Run: signalPreempt},
	{ID: "K04", Title: "a storm of SIGALRM is no error, and makes nothing twice", Run: signalTimer},
	{ID: "K05", Title: "Linux 6.1 interrupts mmap, and the library does not say so", Needs: Needs{Memory: Shmem, Except: []string{"virtio_gpu"}, Before: Kernel{6, 2}}, Run: signalMmap},
}

// pester sends SIGURG to every thread of this process until stop, far more
// often than Go's scheduler does.
func pester(t T) (stop func()) {
	var done atomic.Bool
	var wg sync.WaitGroup
	wg.Go(func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		pid, self := os.Getpid(), unix.Gettid()
		for !done.Load() {
			tasks, err := os.ReadDir("/proc/self/task")
			if err != nil {
				t.Errorf("%v", err)
				return
			}
			for range 20 {
				for _, task := range tasks {
					if tid, err := strconv.Atoi(task.Name()); err == nil && tid != self {
						_ = unix.Tgkill(pid, tid, unix.SIGURG) // which may have ended
					}
				}
				time.Sleep(50 * time.Microsecond)
			}
		}
	})
	return func() { done.Store(true); wg.Wait() }
}

// busy works from four goroutines on two files of the device.
func busy(t T, env *Env, rounds int) {
	from, to := gem.StoreOf(env.Open(t)), gem.StoreOf(env.Open(t))
	share := shares(env.Driver, env.Kernel)
	workers(4, func(worker int) {
		for i := range env.Effort.Rounds(t, env.scale(rounds), 1000*rounds) {
			if err := work(t.Context(), from, to, share, byte(worker+i)); err != nil {
				t.Errorf("round %d: %v", i, err)
				return
			}
		}
	})
}

func signalPreempt(t T, env *Env) {
	_, watch := env.object(t, env.Open(t))
	defer watch.want(t, "after the storm", 0)
	defer pester(t)()
	busy(t, env, 20)
}

func signalTimer(t T, env *Env) {
	alarms := make(chan os.Signal, 1)
	signal.Notify(alarms, unix.SIGALRM)
	defer signal.Stop(alarms)
	if err := every(time.Millisecond); err != nil {
		t.Skipf("setitimer: %v", err)
	}
	defer every(0)
	dev := env.Open(t)
	for i := range env.Effort.Rounds(t, env.scale(200), 5_000) {
		b, err := dev.CreateDumb(64, 16, 32)
		if err != nil {
			t.Fatalf("%v", err)
		}
		// A second buffer by one call would have taken a number.
		if b.Handle != drm.Handle(i+1) {
			t.Fatalf("buffer %d has %v", i+1, b.Handle)
		}
	}
	busy(t, env, 20)
	select {
	case <-alarms:
	default:
		t.Errorf("no signal came")
	}
}

// every has the kernel send SIGALRM at an interval, or no more for 0.
func every(d time.Duration) error {
	it := unix.Itimerval{Interval: unix.NsecToTimeval(d.Nanoseconds()), Value: unix.NsecToTimeval(d.Nanoseconds())}
	_, err := unix.Setitimer(unix.ITIMER_REAL, it)
	return err
}

// mapsChild maps the buffer that it is given again and again until its case
// ends it.
func mapsChild(*child) error {
	b, err := given()
	for err == nil {
		var m prime.Mapping
		if m, err = b.Map(); err == nil {
			err = m.Close()
		}
	}
	return err
}

// signalMmap maps an object under a storm of signals, while another process
// keeps the lock that Linux 6.1 takes interruptibly: nobody else has the
// pages, so that each map makes them. The calls by hand show what the library
// must hide.
func signalMmap(t T, env *Env) {
	dev := env.Open(t)
	b := createDumb(t, dev, 1024, 1024, 32)
	buffer := exported(t, dev, b.Handle)
	fd := export(t, dev, b.Handle)
	file, err := buffer.File()
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer file.Close()
	for range 2 {
		env.start(t, "maps", withFile(file))
	}
	defer pester(t)()
	interrupted := 0
	for range env.Effort.Rounds(t, 500, 20_000) {
		m, err := rawMmap(fd, 0, int(b.Size), unix.PROT_READ, unix.MAP_SHARED)
		if err == syscall.EINTR {
			interrupted++
		} else if wantErr(t, "mmap by hand", err, nil); err == nil {
			wantErr(t, "munmap", unix.Munmap(m), nil)
		}
		again, err := buffer.Map()
		if err != nil {
			t.Fatalf("%v", err)
		}
		wantErr(t, "Close", again.Close(), nil)
	}
	t.Logf("the kernel interrupted %d calls of mmap by hand", interrupted)
}

func signalFence(t T, env *Env) {
	undo, err := interruptible(unix.SIGURG)
	if err != nil {
		t.Fatalf("rt_sigaction: %v", err)
	}
	defer func() { wantErr(t, "rt_sigaction", undo(), nil) }()
	defer pester(t)()
	dev := env.Open(t)
	b := createDumb(t, dev, 64, 64, 32)
	buffer := exported(t, dev, b.Handle)
	fence := rawVgemAttach{handle: uint32(b.Handle), flags: rawVgemWrite}
	if err := rawOpVgemAttach.Do(dev.FD(), &fence); err != nil {
		t.Fatalf("VGEM_FENCE_ATTACH: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err = buffer.BeginAccess(ctx, prime.Read)
	wantErr(t, "a wait longer than its context", err, context.DeadlineExceeded)
	time.AfterFunc(100*time.Millisecond, func() {
		wantErr(t, "VGEM_FENCE_SIGNAL", rawOpVgemSignal.Do(dev.FD(), &rawVgemSignal{fence: fence.fence}), nil)
	})
	w, err := buffer.BeginAccess(t.Context(), prime.Read)
	if err != nil {
		t.Fatalf("a wait for the fence: %v", err)
	}
	wantErr(t, "End", w.End(), nil)
}

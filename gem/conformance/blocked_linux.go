package conformance

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm"
)

var blockedCases = []Case{
	{ID: "M04", Title: "a wait for events ends when the device goes, where read and poll say nothing", Needs: Needs{Drivers: []string{"bochs-drm", "virtio_gpu"}, ThrowAway: true}, Run: unbindBlocked},
}

// readChild blocks in read(2) on a file of a device that has no events: PATH.
func readChild(c *child) error {
	fd, err := unix.Open(c.args[0], unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	c.say("reading")
	n, err := unix.Read(fd, make([]byte, 4096))
	return fmt.Errorf("read: %d, %v", n, err)
}

func unbindBlocked(t T, env *Env) {
	s := env.slot(t)
	dev := env.Open(t)
	p := env.start(t, "read", nil, env.Path)
	p.line()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		var last error
		for e, err := range dev.Events(ctx) {
			if last = err; err == nil {
				last = fmt.Errorf("event %v that nobody asked for", e.Type)
				break
			}
		}
		ended <- last
	}()
	time.Sleep(100 * time.Millisecond)
	select {
	case err := <-ended:
		t.Fatalf("the wait has ended before the device is gone: %v", err)
	default:
	}

	s.unbind()
	begin := time.Now()
	err := <-ended
	wantErr(t, "the library's wait", err, drm.ErrGone)
	wantErr(t, "the library's wait", err, syscall.ENODEV)
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("it ended after %v", took)
	}
	if err := dev.FD().Use(func(n int) error {
		fds := []unix.PollFd{{Fd: int32(n), Events: unix.POLLIN | unix.POLLPRI}}
		ready, err := unix.Poll(fds, 0)
		if ready != 0 {
			err = fmt.Errorf("%d files are ready, with %#x", ready, fds[0].Revents)
		}
		return err
	}); err != nil {
		t.Errorf("poll on the device that is gone: %v", err)
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil || strings.Contains(string(stat), ") Z ") {
		t.Errorf("read on the device that is gone has ended: %v\n%s", err, p.stderr.String())
	}
	p.kill()
	if p.signal() != syscall.SIGKILL {
		t.Errorf("the child ended by %v", p.cmd.ProcessState)
	}
}

//go:build linux

package vm

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// guest is the guest's side of one program's run.
type guest struct {
	conn *frameConn
	cfg  guestConfig
	kmsg *kmsg

	stdin *inlet
	out   [2]*outlet // stdout, stderr

	mu  sync.Mutex
	pid int // of the program, 0 when it does not run
}

// exitLimit is how long init waits for the host to end the VM.
const exitLimit = 30 * time.Second

// serve runs the program and sends all that comes of it.
func (g *guest) serve() (err error) {
	if g.kmsg, err = openKmsg(g.conn); err != nil {
		return err
	}
	go g.kmsg.follow()
	g.stdin = newInlet(g.conn, frameStdin)
	g.out = [2]*outlet{newOutlet(g.conn, frameStdout), newOutlet(g.conn, frameStderr)}
	go g.readFrames()

	var exit exitFrame
	if err := g.run(&exit); err != nil {
		exit.Code, exit.Error = max(exit.Code, 1), err.Error()
	}
	unix.Sync()
	// The kernel keeps back a line without a newline until the next one.
	logLine(levelInfo, fmt.Sprintf("gemtool: init: the program ended with code %d", exit.Code))
	if err := g.kmsg.drain(); err != nil {
		return err
	}
	if err := g.conn.writeJSON(frameExit, exit); err != nil {
		return err
	}
	// The host ends the VM when it has read that. A guest that powers off at
	// once can be faster than its own last frame.
	time.Sleep(exitLimit)
	return nil
}

func (g *guest) run(exit *exitFrame) error {
	if err := loadModules(g.cfg.Modules); err != nil {
		return err
	}
	if err := mountRest(g.cfg.Mounts); err != nil {
		return err
	}
	if err := grantNodes(); err != nil {
		return err
	}
	before, err := snapshot(g.cfg.Packed)
	if err != nil {
		return err
	}
	if exit.Code, err = g.runProgram(); err != nil {
		return err
	}
	return before.sendChanges(g.conn)
}

// runProgram starts the program, waits for it, and ends whatever it left
// running.
func (g *guest) runProgram() (int, error) {
	var pipes [3]struct{ r, w *os.File }
	for i := range pipes {
		r, w, err := os.Pipe()
		if err != nil {
			return 0, err
		}
		pipes[i].r, pipes[i].w = r, w
	}
	user := g.cfg.User
	pid, err := syscall.ForkExec(g.cfg.Args[0], g.cfg.Args, &syscall.ProcAttr{
		Dir:   g.cfg.Chdir,
		Env:   g.cfg.Env,
		Files: []uintptr{pipes[0].r.Fd(), pipes[1].w.Fd(), pipes[2].w.Fd()},
		Sys: &syscall.SysProcAttr{
			Setsid:     true,
			Credential: &syscall.Credential{Uid: user.UID, Gid: user.GID},
		},
	})
	if err != nil {
		return codeNotStarted, fmt.Errorf("starting %s in %s: %w", g.cfg.Args[0], g.cfg.Chdir, err)
	}
	pipes[0].r.Close()
	pipes[1].w.Close()
	pipes[2].w.Close()
	g.setPID(pid)
	if err := g.conn.write(frameStarted, nil); err != nil {
		return 0, err
	}

	go func() {
		// A program that closes its stdin makes this fail: it wants no more.
		_ = g.stdin.copyTo(pipes[0].w)
		pipes[0].w.Close()
	}()
	var output sync.WaitGroup
	for i, o := range g.out {
		output.Go(func() { _, _ = io.CopyBuffer(o, onlyReader{pipes[i+1].r}, make([]byte, 64<<10)) })
	}
	status, err := g.reap(pid)
	if err != nil {
		return 0, err
	}
	output.Wait()
	return status, nil
}

// onlyReader hides what io.Copy would rather use than its buffer.
type onlyReader struct{ io.Reader }

// reap collects ended processes, the program's orphans among them, until pid
// has ended. Then it kills and collects the rest.
func (g *guest) reap(pid int) (code int, err error) {
	for {
		var status unix.WaitStatus
		got, err := unix.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.ECHILD):
			return code, nil
		case err != nil:
			return code, fmt.Errorf("wait: %w", err)
		case got == pid:
			g.setPID(0)
			if code = status.ExitStatus(); status.Signaled() {
				code = 128 + int(status.Signal())
			}
			if err := unix.Kill(-1, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
				return code, fmt.Errorf("kill: %w", err)
			}
		}
	}
}

func (g *guest) setPID(pid int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pid = pid
}

// readFrames handles what the host sends; it never waits for the program.
func (g *guest) readFrames() {
	for {
		kind, b, err := g.conn.read()
		if err == nil {
			err = g.handle(kind, b)
		}
		if err != nil {
			logLine(levelError, fmt.Sprintf("gemtool: init: lost the host: %v", err))
			_ = unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
			return
		}
	}
}

func (g *guest) handle(kind byte, b []byte) error {
	switch kind {
	case frameStdin:
		return g.stdin.receive(b)
	case frameCredit:
		kind, n, err := parseCredit(b)
		if err != nil {
			return err
		}
		switch kind {
		case frameStdout:
			return g.out[0].grant(n)
		case frameStderr:
			return g.out[1].grant(n)
		}
		return fmt.Errorf("credit for stream %q", kind)
	case frameSignal:
		return g.signal(b)
	}
	return fmt.Errorf("unexpected frame %q", kind)
}

// signal passes a signal on to the program's process group, if it still runs.
func (g *guest) signal(b []byte) error {
	if len(b) != 1 {
		return fmt.Errorf("signal frame of %d bytes", len(b))
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.pid != 0 {
		_ = unix.Kill(-g.pid, unix.Signal(b[0]))
	}
	return nil
}

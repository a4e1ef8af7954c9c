//go:build linux

package vm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// machine is a running QEMU.
type machine struct {
	conn   *os.File // the host's end of the port
	frames *frameConn
	log    *klog
	start  time.Time

	process *os.Process
	ended   chan struct{} // closed when QEMU is gone and all its output read
	err     error         // how it ended; valid after ended
	stderr  head          // valid after ended
}

// startQEMU starts QEMU with args. The kernel kills it when this process
// dies, whatever the reason.
func startQEMU(path string, args []string, image *os.File, console io.Writer) (*machine, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("socketpair: %w", err)
	}
	// Non-blocking, so that os.File uses the poller and has deadlines.
	if err := unix.SetNonblock(fds[0], true); err != nil {
		return nil, fmt.Errorf("socketpair: %w", err)
	}
	m := &machine{
		conn:  os.NewFile(uintptr(fds[0]), "vm"),
		log:   newKlog(console),
		start: time.Now(),
		ended: make(chan struct{}),
	}
	m.frames = newFrameConn(m.conn)
	peer := os.NewFile(uintptr(fds[1]), "port")
	defer peer.Close()

	cmd := exec.Command(path, args...)
	cmd.Stdout = m.log // the serial console
	cmd.Stderr = &m.stderr
	cmd.ExtraFiles = []*os.File{fdPort - 3: peer, fdImage - 3: image}
	// A process group of its own: Ctrl-C on the terminal is for gemtool, which
	// passes it on to the guest's program.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL, Setpgid: true}

	started := make(chan error)
	go func() {
		// The parent-death signal is bound to the thread that forks.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		m.err = cmd.Wait()
		m.log.flush()
		close(m.ended)
	}()
	if err := <-started; err != nil {
		m.conn.Close()
		return nil, fmt.Errorf("QEMU: %w", err)
	}
	m.process = cmd.Process
	return m, nil
}

// head keeps the first bytes written to it: a QEMU that complains for ever
// must not fill this machine's memory.
type head []byte

const headSize = 4 << 10

func (h *head) Write(p []byte) (int, error) {
	*h = append(*h, p[:min(len(p), headSize-len(*h))]...)
	return len(p), nil
}

// kill ends QEMU and waits until it is gone.
func (m *machine) kill() {
	_ = m.process.Kill()
	<-m.ended
	m.conn.Close()
}

// waitHello waits for the guest's init.
func (m *machine) waitHello(ctx context.Context, limit time.Duration) (helloFrame, error) {
	var hello helloFrame
	_ = m.conn.SetReadDeadline(time.Now().Add(limit))
	stop := context.AfterFunc(ctx, func() { _ = m.conn.SetReadDeadline(time.Now()) })
	defer stop()

	err := m.readJSON(frameHello, &hello)
	switch {
	case err == nil && hello.Version != protoVersion:
		return hello, fmt.Errorf("the guest's init speaks protocol %d, not %d", hello.Version, protoVersion)
	case errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() == nil:
		return hello, fmt.Errorf("the guest did not come up within %v", limit)
	case err != nil:
		return hello, m.why(ctx, err)
	}
	_ = m.conn.SetReadDeadline(time.Time{})
	return hello, ctx.Err()
}

// connectionLost are the errors of a connection whose other end is gone.
var connectionLost = []error{io.EOF, io.ErrUnexpectedEOF, unix.EPIPE, unix.ECONNRESET}

// why replaces an error of the connection by what caused it.
func (m *machine) why(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if !slices.ContainsFunc(connectionLost, func(e error) bool { return errors.Is(err, e) }) {
		return err
	}
	// QEMU closes its end when it ends; the console is complete only then.
	select {
	case <-m.ended:
	case <-time.After(5 * time.Second):
		return fmt.Errorf("lost the guest: %w", err)
	}
	if p := m.log.panicked(); p != "" {
		return fmt.Errorf("the guest's kernel panicked: %s", p)
	}
	words, _, _ := strings.Cut(string(m.stderr), "\n")
	words = printable(words)
	switch {
	case m.err != nil && words != "":
		return fmt.Errorf("QEMU ended (%w): %s", m.err, words)
	case m.err != nil:
		return fmt.Errorf("QEMU ended: %w", m.err)
	case words != "":
		return fmt.Errorf("the guest stopped before its program ended: %s", words)
	}
	return errors.New("the guest stopped before its program ended")
}

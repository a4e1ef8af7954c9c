package conformance

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// childEnv names what a process that a case started is for.
const childEnv = "GEMTOOL_CONFORMANCE_CHILD"

// children are the processes that cases start.
var children = map[string]func(c *child) error{
	"core":   coreChild,
	"exit":   func(*child) error { return nil },
	"hold":   holdChild,
	"limit":  limitChild,
	"maps":   mapsChild,
	"panic":  panicChild,
	"random": randomChild,
	"read":   readChild,
}

// RunChild does what a case wants of this process, if a case started it, and
// does not return then. The main function of every program that sets
// [Suite.Children] calls it first.
func RunChild() {
	f, ok := children[os.Getenv(childEnv)]
	if !ok {
		return
	}
	if err := f(&child{args: os.Args[1:], in: bufio.NewReader(os.Stdin)}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// child is the process's own side.
type child struct {
	args []string
	in   *bufio.Reader
}

// patience is how long a child may take before it counts as hanging.
const patience = 2 * time.Minute

// childFile is the descriptor of the first file that a child is given.
const childFile = 3

// say sends a line to the case.
func (c *child) say(values ...any) { fmt.Println(values...) }

// context is the child's for calls that take one: its case kills it.
func (c *child) context() context.Context { return context.Background() }

// wait waits for the case to let the child go on.
func (c *child) wait() error {
	_, err := c.in.ReadString('\n')
	return err
}

// process is the case's side of a child.
type process struct {
	t      T
	name   string
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	stderr bytes.Buffer
	ended  bool
}

// start starts the child of a name, which ends with the case if not before.
// prepare, if any, changes how it is started.
func (e *Env) start(t T, name string, prepare func(*exec.Cmd), args ...string) *process {
	t.Helper()
	if !e.Children {
		t.Skipf("this program does not run children of cases")
	}
	p := &process{t: t, name: name}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	p.cmd = exec.CommandContext(ctx, "/proc/self/exe", args...)
	p.cmd.Args[0] = os.Args[0]
	p.cmd.Env = append(os.Environ(), childEnv+"="+name)
	p.cmd.Stderr = &p.stderr
	if prepare != nil {
		prepare(p.cmd)
	}
	in, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatalf("child %s: %v", name, err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		in.Close()
		t.Fatalf("child %s: %v", name, err)
	}
	p.in, p.out = in, bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		in.Close()
		out.Close()
		t.Fatalf("child %s: %v", name, err)
	}
	t.Cleanup(func() {
		if !p.ended {
			p.kill()
		}
	})
	return p
}

// line waits for the child's next line.
func (p *process) line() string {
	p.t.Helper()
	line, err := p.out.ReadString('\n')
	if err != nil {
		p.t.Fatalf("child %s said no more: %v, %v\n%s", p.name, err, p.wait(), p.stderr.String())
	}
	return strings.TrimSpace(line)
}

// kill ends the child with SIGKILL and waits for that.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.wait()
}

// end lets the child go on behind its wait, and reports one that fails.
func (p *process) end() {
	p.t.Helper()
	_, _ = io.WriteString(p.in, "\n")
	if err := p.wait(); err != nil {
		p.t.Errorf("child %s: %v\n%s", p.name, err, p.stderr.String())
	}
}

// wait waits for the child's end.
func (p *process) wait() error {
	p.ended = true
	_, _ = io.Copy(io.Discard, p.out)
	return p.cmd.Wait()
}

// signal returns what ended the child, 0 for an exit.
func (p *process) signal() syscall.Signal {
	status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() {
		return 0
	}
	return status.Signal()
}

//go:build linux

package vm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// interruptGrace is how long an interrupted program may take to end.
const interruptGrace = 2 * time.Second

// session is the host's side of one program's run.
type session struct {
	m     *machine
	cfg   *Config
	stdin *outlet
	out   map[byte]*inlet
	files *fileSink
}

// runProgram has the guest run the program, and judges the kernel's log
// afterwards.
func (m *machine) runProgram(ctx context.Context, cfg *Config, p *plan) (int, error) {
	s := &session{
		m: m, cfg: cfg,
		stdin: newOutlet(m.frames, frameStdin),
		out:   map[byte]*inlet{frameStdout: newInlet(m.frames, frameStdout), frameStderr: newInlet(m.frames, frameStderr)},
		files: newFileSink(p.packed),
	}
	defer s.files.close()
	exit, err := s.run(ctx, p)
	switch {
	case err != nil:
		return 0, logTail(cfg, m, err)
	case exit.Code == codeNotStarted && exit.Error != "":
		return 0, errors.New(printable(exit.Error))
	case exit.Error != "":
		return 0, logTail(cfg, m, errors.New(printable(exit.Error)))
	}
	if line, report := m.log.problem(tailLines); line != "" {
		showLog(cfg, "the guest's kernel log around its first complaint", report)
		return 0, fmt.Errorf("the guest's kernel complained (the program's exit code was %d): %s", exit.Code, line)
	}
	return exit.Code, nil
}

func (s *session) run(ctx context.Context, p *plan) (exitFrame, error) {
	if err := s.m.frames.writeJSON(frameConfig, &p.guest); err != nil {
		return exitFrame{}, s.m.why(ctx, err)
	}
	// The end of hard gives up the guest. A ctx that is cancelled becomes an
	// interrupt first; a deadline and a failing writer end hard at once.
	hard, kill := context.WithCancelCause(context.WithoutCancel(ctx))
	defer kill(nil)
	defer context.AfterFunc(hard, func() { _ = s.m.conn.SetDeadline(time.Now()) })()
	defer context.AfterFunc(ctx, func() {
		if errors.Is(ctx.Err(), context.Canceled) {
			// A guest that hangs may not even take this.
			go func() { _ = s.m.frames.write(frameSignal, []byte{byte(unix.SIGINT)}) }()
			time.Sleep(interruptGrace)
		}
		kill(context.Cause(ctx))
	})()

	go s.copyStdin()
	defer s.stdin.fail(os.ErrClosed)
	flushed := make(chan struct{}, len(s.out))
	for kind, in := range s.out {
		go func() {
			w := s.cfg.Stdout
			if kind == frameStderr {
				w = s.cfg.Stderr
			}
			if err := in.copyTo(w); err != nil {
				kill(fmt.Errorf("program's output: %w", err))
			}
			flushed <- struct{}{}
		}()
	}
	exit, err := s.readFrames()
	for _, in := range s.out {
		in.end()
	}
	if err != nil {
		return exit, s.m.why(hard, err)
	}
	for range s.out {
		select {
		case <-flushed:
		case <-hard.Done():
			return exit, context.Cause(hard)
		}
	}
	return exit, nil
}

func (s *session) copyStdin() {
	if s.cfg.Stdin != nil {
		if _, err := io.Copy(s.stdin, s.cfg.Stdin); err != nil {
			return // the run is over, or ends because of it
		}
	}
	_ = s.stdin.Close()
}

// readFrames handles what the guest says until its program has ended.
func (s *session) readFrames() (exit exitFrame, err error) {
	for {
		kind, b, err := s.m.frames.read()
		if err != nil {
			return exit, err
		}
		switch kind {
		case frameStdout, frameStderr:
			err = s.out[kind].receive(b)
		case frameCredit:
			var n int
			if _, n, err = parseCredit(b); err == nil {
				err = s.stdin.grant(n)
			}
		case frameStarted:
			if s.cfg.Verbose {
				fmt.Fprintf(s.cfg.Log, "gemtool: vm: program started after %.2f s\n", time.Since(s.m.start).Seconds())
			}
		case frameLog:
			s.m.log.addLines(string(b))
		case frameFile:
			err = s.files.begin(b)
		case frameData:
			err = s.files.data(b)
		case frameExit:
			if err := json.Unmarshal(b, &exit); err != nil {
				return exit, err
			}
			if exit.Code < 0 || exit.Code > 255 {
				return exit, fmt.Errorf("vm protocol: exit code %d", exit.Code)
			}
			return exit, nil
		default:
			err = fmt.Errorf("vm protocol: unexpected frame %q", kind)
		}
		if err != nil {
			return exit, err
		}
	}
}

// readJSON reads one frame that must be of the given kind.
func (m *machine) readJSON(kind byte, v any) error {
	got, b, err := m.frames.read()
	if err != nil {
		return err
	}
	if got != kind {
		return fmt.Errorf("vm protocol: frame %q where %q was expected", got, kind)
	}
	return json.Unmarshal(b, v)
}

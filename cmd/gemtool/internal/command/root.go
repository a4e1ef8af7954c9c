// Package command holds gemtool's commands, a file each: its flags, its table
// and its JSON type together.
package command

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// Exit codes, promised to scripts for the built binary.
const (
	ExitOK      = 0  // everything tried works, or is known not to be supported
	ExitFailed  = 1  // something is broken
	ExitUsage   = 2  // the command line is wrong
	ExitNothing = 77 // nothing could be tested
)

// exitError is an error that chooses the exit code. Err may be nil when the
// command has said all there is to say, or when the code is another program's.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

func usageError(format string, args ...any) error {
	return &exitError{code: ExitUsage, err: fmt.Errorf(format, args...)}
}

// Main runs the command line args and returns the exit code. Data goes to
// stdout, words to stderr.
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)

	err := root.ExecuteContext(ctx)
	if err == nil {
		return ExitOK
	}
	// cobra's own errors (an unknown flag or command, a wrong number of
	// arguments) come before any RunE, and only those are usage errors.
	code := ExitUsage
	var exit *exitError
	var run *runError
	switch {
	case errors.As(err, &exit):
		code = exit.code
		if exit.err == nil {
			return code
		}
	case errors.As(err, &run):
		code = ExitFailed
	}
	fmt.Fprintf(stderr, "gemtool: %v\n", err)
	return code
}

// runError marks an error that came out of a command's body.
type runError struct{ err error }

func (e *runError) Error() string { return e.err.Error() }
func (e *runError) Unwrap() error { return e.err }

// run adapts a command's body, so that Main can tell its errors from cobra's.
func run(body func(cmd *cobra.Command, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		if err := body(cmd, args); err != nil {
			return &runError{err}
		}
		return nil
	}
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "gemtool",
		Short:         "Test and show how DRM devices share buffers",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(newMatrix(), newSelftest(), newVM())
	return root
}

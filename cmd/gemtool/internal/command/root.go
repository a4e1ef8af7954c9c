// Package command holds gemtool's commands, a file each: its flags, its table
// and its JSON type together.
package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gemtool/gemtool/cmd/gemtool/internal/words"
	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/prime"
)

// Exit codes, promised to scripts for the built binary.
const (
	ExitOK      = 0  // everything tried works, or is known not to be supported
	ExitFailed  = 1  // something is broken
	ExitUsage   = 2  // the command line is wrong
	ExitNothing = 77 // nothing could be shown or tested
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

	// Before cobra, which would find fault with its flags first.
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") && !strings.HasPrefix(args[0], "__") {
		if found, _, err := root.Find(args); err != nil || found == root {
			say(stderr, "%v", unknownCommand(root, args[0]))
			return ExitUsage
		}
	}
	err := root.ExecuteContext(ctx)
	if err == nil {
		return ExitOK
	}
	// cobra's own errors (an unknown flag) come before any RunE, and are usage
	// errors.
	code := ExitUsage
	var exit *exitError
	var run *runError
	switch {
	case errors.As(err, &exit):
		code = exit.code
		if exit.err == nil {
			return code
		}
	case errors.As(err, &run) && notOpened(err):
		code = ExitNothing
	case errors.As(err, &run):
		code = ExitFailed
	}
	say(stderr, "%v", err)
	var between *sharing
	exporter, importer := "", ""
	if errors.As(err, &between) {
		exporter, importer = between.exporter, between.importer
	}
	if h, ok := words.ForError(err, exporter, importer); ok && code != ExitUsage {
		say(stderr, "hint: %s", sentences(h.Means, h.Advice()))
	}
	return code
}

// sharing is an error of a buffer's way from one driver to another, on which
// its meaning depends.
type sharing struct {
	error
	exporter, importer string
}

func (e *sharing) Unwrap() error { return e.error }

// say writes a line of words. What others named is escaped.
func say(w io.Writer, format string, args ...any) {
	fmt.Fprintf(w, "gemtool: %s\n", words.Escape(fmt.Sprintf(format, args...)))
}

// notOpened says whether an error is that something may not be opened, or is not
// there, as in a container: then nothing was tried with it.
func notOpened(err error) bool {
	var device *drm.Error
	var buffer *prime.Error
	opening := errors.As(err, &device) && device.Op == "open" || errors.As(err, &buffer) && buffer.Op == "open"
	return opening && (errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, errors.ErrUnsupported))
}

// sentences makes text of what is not empty.
func sentences(parts ...string) (s string) {
	for _, part := range parts {
		switch {
		case part == "":
		case s == "":
			s = part + "."
		default:
			s += " " + part + "."
		}
	}
	return s
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
		Use:   "gemtool",
		Short: "Test and show how DRM devices share buffers",
		Long: `Gemtool shows what the DRM devices of a machine are, what they can do with each
other's buffers, and proves it.

Data goes to stdout, words to stderr. With --json what a command prints is a
document that names its schema and version. Exit codes: 0 all is well, 1
something failed, 2 the command line is wrong, 77 nothing could be shown or
tested: there is no device, or none that this user may open. COLUMNS sets the
width of tables; NO_COLOR keeps a terminal without colours, and CLICOLOR_FORCE=1
gives them to a file or pipe.`,
		Version:       readBuild().version,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.ArbitraryArgs, // Main has seen that the first is a command
	}
	root.RunE = run(func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return unknownCommand(cmd, args[0]) // behind a flag
		}
		return cmd.Help()
	})
	root.SetHelpCommand(newHelp())
	root.SuggestionsMinimumDistance = 2
	root.AddCommand(
		newList(), newInfo(), newCaps(), newProps(), newDraw(),
		newSync(), newMatrix(), newSelftest(), newVM(),
		newExplain(), newVersion(), newMan(),
	)
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() == "completion" {
			mannered(c)
		}
	}
	return root
}

func unknownCommand(parent *cobra.Command, name string) error {
	if all := parent.SuggestionsFor(name); len(all) > 0 {
		return usageError("unknown command %q: did you mean %s?", name, strings.Join(all, " or "))
	}
	return usageError("unknown command %q: see %s --help", name, parent.CommandPath())
}

// newHelp is as cobra's, but an error of usage where there is no such command.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND...]",
		Short: "Show the help of a command",
		Args:  cobra.ArbitraryArgs,
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) (names []string, _ cobra.ShellCompDirective) {
			if found, rest, err := cmd.Root().Find(args); err == nil && len(rest) == 0 {
				for _, c := range found.Commands() {
					if c.IsAvailableCommand() {
						names = append(names, c.Name()+"\t"+c.Short)
					}
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: run(func(cmd *cobra.Command, args []string) error {
			found, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return unknownCommand(found, rest[0])
			}
			found.InitDefaultHelpFlag()
			return found.Help()
		}),
	}
}

// mannered gives cobra's completion command the exit codes of the others.
func mannered(completion *cobra.Command) {
	var shells []string
	for _, c := range completion.Commands() {
		shells = append(shells, c.Name())
		if write := c.RunE; write != nil {
			c.RunE = run(write)
		}
	}
	completion.Args = cobra.ArbitraryArgs
	completion.RunE = run(func(*cobra.Command, []string) error {
		return usageError("completion: say %s", strings.Join(shells, ", "))
	})
}

//go:build linux

package command

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/gemtool/gemtool/cmd/gemtool/internal/vm"
)

// vmFlags are the flags of "gemtool vm" that need parsing of their own.
type vmFlags struct {
	config  vm.Config
	dirs    []string
	load    []string
	env     []string
	user    string
	timeout time.Duration
}

func newVM() *cobra.Command {
	var f vmFlags
	cmd := &cobra.Command{
		Use:   "vm [flags] -- COMMAND [ARG...]",
		Short: "Run a program in a throw-away VM with DRM devices",
		Long: `Boots a throw-away QEMU VM and runs one program of this machine in it, with its
shared libraries if it has any. Stdin, stdout, stderr and the exit code are the
program's; of a terminal here it hears by COLUMNS, CLICOLOR_FORCE, NO_COLOR and
TERM. The VM's kernel log is watched: a WARNING, BUG or Oops in it, a
panic, a hang or the deadline fails the run with exit code 1.

The guest has its root in memory and sees nothing of this machine but the
program and what --dir shares. For a test binary (as with go test -exec) the
module, the working directory, GO* and GEMTOOL_* variables and the directories
that profiles go to are shared too, at the same paths. Directories are shared
by 9p. Where the guest has no 9p they are packed into its image, and the files
that the program made or changed there are copied back at the end.

A kernel is the NAME of one that "make kernel" has put into the cache, "host"
for the one this machine runs, or a PATH (with a slash) to a bzImage file.
Without --modules all that is needed must be built into that kernel.`,
		Example: `  gemtool vm -- ./prog -v
  gemtool vm --device vkms --user 1000 --dir out=/out -- ./prog /out
  gemtool vm --kernel ./bzImage --modules ./lib/modules/6.12.1 -- /bin/uname -a
  go test -exec "gemtool vm --" ./...`,
		RunE: run(f.run),
	}
	cmd.Args = func(_ *cobra.Command, args []string) error {
		if len(args) == 0 {
			return usageError("vm: no COMMAND: see gemtool vm --help")
		}
		return nil
	}
	c := &f.config
	flags := cmd.Flags()
	flags.SetInterspersed(false) // what follows COMMAND is COMMAND's
	flags.StringVar(&c.Kernel, "kernel", "", "kernel `NAME|host|PATH` (default $GEMTOOL_KERNEL, else 6.12)")
	flags.StringVar(&c.Modules, "modules", "", "the kernel's modules: a `DIR` with modules.dep")
	flags.StringVar(&c.Accel, "accel", "auto", "`auto|kvm|tcg`: auto tries KVM and else emulates")
	flags.StringSliceVar(&c.Devices, "device", nil, "give the VM the device `NAME`, repeatable; known: "+strings.Join(vm.DeviceNames(), ", ")+
		" (default is "+strings.Join(vm.DefaultDevices, ",")+", as far as kernel and QEMU have them)")
	flags.StringArrayVar(&f.dirs, "dir", nil, "share a directory as `HOST=GUEST[:ro]`, repeatable")
	flags.StringVar(&c.Share, "share", "auto", "`auto|9p|pack`: how directories are shared")
	flags.StringVar(&c.Memory, "memory", "1G", "`SIZE` of the VM's memory")
	flags.IntVar(&c.CPUs, "cpus", 1, "`N` CPUs; with more than one, vkms before vblank timers (up to Linux 6.12) can hang")
	flags.DurationVar(&f.timeout, "timeout", 2*time.Minute, "deadline of the whole run; for a test binary its -test.timeout where that is more")
	flags.StringVar(&f.user, "user", "", "run the program as `UID[:GID]` (default root)")
	flags.StringArrayVar(&f.env, "env", nil, "set `NAME[=VALUE]` for the program, by default as it is here; repeatable")
	flags.StringVar(&c.Chdir, "chdir", "", "the program's working directory, a `DIR` of the guest (default /)")
	flags.StringVar(&c.Append, "append", "", "further kernel `ARGS`")
	flags.StringArrayVar(&f.load, "load", nil, "load a further kernel `MODULE[,OPTION=VALUE...]`, repeatable")
	flags.Bool("json", false, "print the run as JSON, with what the program wrote in it")
	flags.BoolVarP(&c.Verbose, "verbose", "v", false, "kernel console and boot times on stderr")
	for name, values := range map[string]func() []string{
		"kernel": vm.Kernels, "device": vm.DeviceNames,
		"accel": func() []string { return []string{"auto", "kvm", "tcg"} },
		"share": func() []string { return []string{"auto", "9p", "pack"} },
	} {
		// The flags are there: they were added just now.
		_ = cmd.RegisterFlagCompletionFunc(name, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return values(), cobra.ShellCompDirectiveNoFileComp
		})
	}
	return cmd
}

func (f *vmFlags) run(cmd *cobra.Command, args []string) error {
	c := f.config
	c.Args = args
	c.Stdin, c.Stdout, c.Stderr, c.Log = cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr(), cmd.ErrOrStderr()
	if err := f.parse(&c); err != nil {
		return usageError("%w", err)
	}
	if cmd.Flags().Changed("timeout") {
		c.Timeout = f.timeout
	}
	if vm.IsGoTest(args) {
		if err := c.ForGoTest(); err != nil {
			return err
		}
	}
	asJSON, _ := cmd.Flags().GetBool("json")
	var stdout, stderr bounded
	if asJSON {
		c.Stdout, c.Stderr = &stdout, &stderr
	}
	if !vm.IsGoTest(args) && !asJSON {
		c.Env = append(manner(cmd.OutOrStdout()), c.Env...)
	}
	start := time.Now()
	code, err := vm.Run(cmd.Context(), c)
	var mistake *vm.ConfigError
	if errors.As(err, &mistake) {
		return usageError("vm: %w", err)
	}
	if err != nil {
		return fmt.Errorf("vm: %w", err)
	}
	if asJSON {
		doc := vmJSON{"gemtool.vm/v1", args, code, time.Since(start).Seconds(), stdout.kept.String(), stderr.kept.String(), stdout.cut || stderr.cut}
		if err := writeJSON(cmd.OutOrStdout(), doc); err != nil {
			return err
		}
	}
	if code != 0 {
		return &exitError{code: code}
	}
	return nil
}

// manner tells the guest's program, which has pipes, what stdout is here.
func manner(stdout io.Writer) (env []string) {
	for _, name := range []string{"NO_COLOR", "TERM"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	if n := columns(stdout); n > 0 {
		env = append(env, fmt.Sprintf("COLUMNS=%d", n))
	}
	if inColor(stdout) {
		env = append(env, "CLICOLOR_FORCE=1")
	}
	return env
}

// vmJSON is the document of a run that came to its end. Text that is no UTF-8
// has U+FFFD in its place.
type vmJSON struct {
	Schema  string   `json:"schema"`
	Args    []string `json:"args"`
	Code    int      `json:"code"` // 128+n if signal n ended the program
	Seconds float64  `json:"seconds"`
	Stdout  string   `json:"stdout"`
	Stderr  string   `json:"stderr"`
	Cut     bool     `json:"cut"` // it wrote more than is kept
}

// bounded keeps the first 64 MiB of what is written to it.
type bounded struct {
	kept bytes.Buffer
	cut  bool
}

func (b *bounded) Write(p []byte) (int, error) {
	const most = 64 << 20
	keep := p[:min(len(p), most-b.kept.Len())]
	b.cut = b.cut || len(keep) < len(p)
	b.kept.Write(keep)
	return len(p), nil
}

func (f *vmFlags) parse(c *vm.Config) (err error) {
	if f.timeout <= 0 {
		return fmt.Errorf("--timeout must be positive")
	}
	if c.CPUs < 1 {
		return fmt.Errorf("--cpus must be at least 1")
	}
	for _, s := range f.dirs {
		d, err := vm.ParseDir(s)
		if err != nil {
			return fmt.Errorf("--dir: %w", err)
		}
		c.Dirs = append(c.Dirs, d)
	}
	for _, s := range f.load {
		name, options, _ := strings.Cut(s, ",")
		c.Load = append(c.Load, vm.Module{Name: name, Options: strings.ReplaceAll(options, ",", " ")})
	}
	for _, s := range f.env {
		name, _, given := strings.Cut(s, "=")
		if name == "" {
			return fmt.Errorf("--env %q: no name", s)
		}
		if !given {
			value, set := os.LookupEnv(name)
			if !set {
				continue
			}
			s += "=" + value
		}
		c.Env = append(c.Env, s)
	}
	if f.user != "" {
		if c.User, err = parseUser(f.user); err != nil {
			return err
		}
	}
	return c.Check()
}

// parseUser parses UID[:GID]; a GID left out is the UID.
func parseUser(s string) (vm.User, error) {
	uid, gid, ok := strings.Cut(s, ":")
	if !ok {
		gid = uid
	}
	u, err := strconv.ParseUint(uid, 10, 32)
	if err == nil {
		var g uint64
		if g, err = strconv.ParseUint(gid, 10, 32); err == nil {
			return vm.User{UID: uint32(u), GID: uint32(g)}, nil
		}
	}
	return vm.User{}, fmt.Errorf("--user %q: want UID[:GID] in numbers", s)
}

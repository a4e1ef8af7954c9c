//go:build linux

// Package vm runs one program of this machine inside a throw-away virtual
// machine and brings its output and exit code back.
//
// The host side (Run) collects a kernel, its modules and the program into an
// initramfs, starts QEMU and talks to the guest over one virtio-serial port.
// The guest side (Init) is the same executable: the kernel starts it as
// process 1. The kernel's console is a channel of its own, so the program's
// output is never mixed with it.
//
// Nothing of a VM has a name on the host: the archive is a memfd and the
// connection a socket pair, so that nothing is left behind however gemtool
// ends.
package vm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime"
	"slices"
	"sync"
	"time"
)

// defaultCPUs is one, as up to Linux 6.12 vkms_disable_vblank waits for its
// timer with locks held that the timer's function may wait for on another CPU,
// and the guest spins for good. Emulated CPUs share one of the host's anyway.
const defaultCPUs = 1

// Config says what to run and where. The zero value of a field means its
// default.
type Config struct {
	Args []string // program and its arguments; the program is looked up on the host

	Kernel  string        // name in the cache, "host" or a path; default "6.12"
	Modules string        // directory with modules.dep; default beside the kernel
	Accel   string        // auto (default), kvm or tcg
	Devices []string      // nil: "default", which is DefaultDevices; "none": no device
	Load    []Module      // further modules
	Wanted  []string      // further modules, where there are devices and the kernel has them
	Append  string        // further kernel arguments
	Memory  string        // as QEMU's -m; default 1G
	CPUs    int           // default 1: see defaultCPUs
	Timeout time.Duration // of the whole run; default 2 minutes
	Share   string        // auto (default), 9p or pack
	Dirs    []Dir         // host directories the guest sees
	User    User          // default root
	Env     []string      // NAME=VALUE, added to a minimal environment
	Chdir   string        // default /

	Stdin          io.Reader // nil: empty
	Stdout, Stderr io.Writer // the program's
	Log            io.Writer // gemtool's own words
	Verbose        bool      // the kernel's console and boot times go to Log

	Init string // executable that calls Init as process 1; default: this one

	bootLimit time.Duration // how long init may take to come up
}

// User is who the program runs as in the guest.
type User struct{ UID, GID uint32 }

// Dir is a host directory and where the guest sees it.
type Dir struct {
	Host, Guest string
	ReadOnly    bool
}

// Module is a kernel module and the options it is loaded with.
type Module struct{ Name, Options string }

// Run boots a VM, runs cfg.Args in it and returns the program's exit code,
// 128+n if signal n ended it. An error means that the run itself failed, or
// that the guest's kernel logged a warning; it then counts more than the code.
// When ctx ends, the program is interrupted, and shortly after that the VM is
// killed.
func Run(ctx context.Context, cfg Config) (int, error) {
	if runtime.GOARCH != "amd64" {
		return 0, fmt.Errorf("vm: only amd64 hosts and guests are supported, this is %s", runtime.GOARCH)
	}
	cfg.setDefaults()
	if err := cfg.Check(); err != nil {
		return 0, err
	}

	qemu, err := findQEMU(ctx)
	if err != nil {
		return 0, err
	}
	kern, err := findKernel(cfg.Kernel, cfg.Modules)
	if err != nil {
		return 0, err
	}
	p, err := newPlan(ctx, &cfg, kern, qemu)
	if err != nil {
		return 0, err
	}
	image, err := p.buildImage(&cfg)
	if err != nil {
		return 0, err
	}
	defer image.Close()

	ctx, cancel := withTimeout(ctx, cfg.Timeout)
	defer cancel()
	m, err := bootAccel(ctx, &cfg, p, image)
	if err != nil {
		return 0, err
	}
	defer m.kill()
	return m.runProgram(ctx, &cfg, p)
}

func (c *Config) setDefaults() {
	def(&c.Kernel, DefaultKernel())
	def(&c.Accel, "auto")
	def(&c.Memory, "1G")
	def(&c.CPUs, defaultCPUs)
	def(&c.Timeout, 2*time.Minute)
	def(&c.Share, "auto")
	def(&c.Chdir, "/")
	if c.Devices == nil {
		c.Devices = []string{"default"}
	}
	if c.Stdout == nil {
		c.Stdout = io.Discard
	}
	if c.Stderr == nil {
		c.Stderr = io.Discard
	}
	if c.Log == nil {
		c.Log = io.Discard
	}
	def(&c.bootLimit, bootTime)
	// Both are often one file, and both are written to by several goroutines.
	var mu sync.Mutex
	c.Stderr, c.Log = &lockedWriter{&mu, c.Stderr}, &lockedWriter{&mu, c.Log}
}

// Check finds what can only be a mistake of whoever wrote the Config.
func (c *Config) Check() error {
	if a := c.Accel; !slices.Contains([]string{"", "auto", "kvm", "tcg"}, a) {
		return configError("accelerator %q: want auto, kvm or tcg", a)
	}
	if s := c.Share; !slices.Contains([]string{"", "auto", "9p", "pack"}, s) {
		return configError("sharing %q: want auto, 9p or pack", s)
	}
	if c.CPUs < 0 || c.Timeout < 0 {
		return configError("negative number of CPUs or time")
	}
	if c.Memory != "" && !memorySize.MatchString(c.Memory) {
		return configError("memory %q: want a size as 1G or 512M", c.Memory)
	}
	for _, m := range c.Load {
		if m.Name == "" {
			return configError("module to load: no name")
		}
	}
	if err := checkDevices(c.Devices); err != nil {
		return &ConfigError{err}
	}
	_, err := resolveDirs(c.Dirs)
	return err
}

// memorySize is what QEMU takes for -m; a bare number means MiB.
var memorySize = regexp.MustCompile(`^0*[1-9][0-9]*[MmGgTt]?$`)

// ConfigError is a mistake in a Config, found before anything was started.
type ConfigError struct{ err error }

func (e *ConfigError) Error() string { return e.err.Error() }
func (e *ConfigError) Unwrap() error { return e.err }

func configError(format string, args ...any) error {
	return &ConfigError{fmt.Errorf(format, args...)}
}

type lockedWriter struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

func def[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// errTimeout is the cause of a context that Config.Timeout ended.
var errTimeout = errors.New("deadline exceeded")

// withTimeout is context.WithTimeoutCause, with errors told apart from a
// cancellation that the caller asked for.
func withTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, d, fmt.Errorf("%w after %v", errTimeout, d))
}

// initPath is the executable that the guest starts as process 1.
func (c *Config) initPath() (string, error) {
	if c.Init != "" {
		return c.Init, nil
	}
	return os.Executable()
}

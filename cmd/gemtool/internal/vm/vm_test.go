//go:build linux

package vm

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// guestProgram builds testdata/guest once, which is init and program of the
// tests' VMs. It is static whatever the tests are built with.
var guestProgram = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "gemtool-test-")
	if err != nil {
		return "", err
	}
	buildDir = dir
	bin := filepath.Join(dir, "guest")
	cmd := exec.Command("go", "build", "-o", bin, "./testdata/guest")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return bin, nil
})

var buildDir string // set by guestProgram

func TestMain(m *testing.M) {
	code := m.Run()
	if buildDir != "" {
		os.RemoveAll(buildDir)
	}
	os.Exit(code)
}

// vmSlots keeps the number of VMs at what two cores carry.
var vmSlots = make(chan struct{}, 2)

// result is what a run left.
type result struct {
	code                int
	err                 error
	stdout, stderr, log string
}

// vmConfig returns a Config for a VM without devices, or skips where there can
// be no VM; under CI or with GEMTOOL_VM_TESTS=1 that is a failure. Nobody has
// VMs inside of the VM.
func vmConfig(t *testing.T, args ...string) Config {
	t.Helper()
	if os.Getenv("GEMTOOL_VM") != "" {
		t.Skip("this is a VM already")
	}
	missing := func(err error) {
		t.Helper()
		if os.Getenv("CI") != "" || os.Getenv("GEMTOOL_VM_TESTS") == "1" {
			t.Fatal(err)
		}
		t.Skipf("NO VM TESTED: %v", err)
	}
	if testing.Short() {
		t.Skip("NO VM TESTED: -short")
	}
	if _, err := findQEMU(t.Context()); err != nil {
		missing(err)
	}
	if _, err := findKernel(DefaultKernel(), ""); err != nil {
		missing(err)
	}
	guest, err := guestProgram()
	if err != nil {
		t.Fatal(err)
	}
	return Config{
		Args:    append([]string{guest}, args...),
		Init:    guest,
		Devices: []string{"none"},
	}
}

// runVM runs cfg in parallel with other tests.
func runVM(t *testing.T, cfg Config) result {
	t.Helper()
	t.Parallel()
	vmSlots <- struct{}{}
	defer func() { <-vmSlots }()
	return runNow(t.Context(), cfg)
}

func runNow(ctx context.Context, cfg Config) result {
	var out, errs, log bytes.Buffer
	if cfg.Stdout == nil {
		cfg.Stdout = &out
	}
	cfg.Stderr, cfg.Log = &errs, &log
	code, err := Run(ctx, cfg)
	return result{code, err, out.String(), errs.String(), log.String()}
}

func (r result) want(t *testing.T, code int, stdout, stderr string) {
	t.Helper()
	if r.err != nil || r.code != code || r.stdout != stdout || r.stderr != stderr {
		t.Errorf("got code %d, error %v, stdout %q, stderr %q\nwant code %d, stdout %q, stderr %q\n%s",
			r.code, r.err, r.stdout, r.stderr, code, stdout, stderr, r.log)
	}
}

func (r result) wantError(t *testing.T, text string) {
	t.Helper()
	if r.err == nil || !strings.Contains(r.err.Error(), text) {
		t.Fatalf("got code %d, error %v, want an error with %q\n%s", r.code, r.err, text, r.log)
	}
}

// Arguments, environment, directory, user and exit code arrive, and the two
// outputs stay apart.
func TestRunProgram(t *testing.T) {
	cfg := vmConfig(t, "show", "a b", "")
	cfg.Env = []string{"TEST_VAR=x y"}
	cfg.Chdir = "/tmp"
	cfg.User = User{1000, 1001}
	cfg.Devices = nil
	r := runVM(t, cfg)
	r.want(t, 7, `["a b" ""] 1000 1001 /tmp x y`, "words")
}

func TestRunSignal(t *testing.T) {
	runVM(t, vmConfig(t, "signal", "15")).want(t, 128+15, "", "")
}

// A program of this machine comes with its shared libraries.
func TestRunDynamicProgram(t *testing.T) {
	cfg := vmConfig(t)
	cfg.Args = []string{"sh", "-c", "echo $((6 * 7))"}
	runVM(t, cfg).want(t, 0, "42\n", "")
}

// 20 MB of every byte value pass both ways unchanged, more than any window or
// pipe holds.
func TestRunLargeStreams(t *testing.T) {
	cfg := vmConfig(t, "copy")
	data := make([]byte, 20<<20)
	rng := rand.NewChaCha8([32]byte{1})
	rng.Read(data)
	sum := sha256.New()
	cfg.Stdin, cfg.Stdout = bytes.NewReader(data), sum
	runVM(t, cfg).want(t, 0, "", "")
	if got, want := sum.Sum(nil), sha256.Sum256(data); !bytes.Equal(got, want[:]) {
		t.Errorf("stdout has sum %x, want stdin's %x", got, want)
	}
}

// endless is a stdin without end.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// A program that ignores an endless stdin and the interrupt is gone soon after
// the context is, and QEMU with it.
func TestRunCancel(t *testing.T) {
	cfg := vmConfig(t, "deaf")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cfg.Stdin, cfg.Stdout = endless{}, writerFunc(func(p []byte) (int, error) {
		time.AfterFunc(100*time.Millisecond, cancel)
		return len(p), nil
	})
	t.Parallel()
	vmSlots <- struct{}{}
	defer func() { <-vmSlots }()
	cfg.Append = "gemtool.test=" + t.Name()
	r := runNow(ctx, cfg)
	if !errors.Is(r.err, context.Canceled) {
		t.Errorf("got code %d, error %v, want %v", r.code, r.err, context.Canceled)
	}
	checkGone(t, cfg.Append)
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// checkGone fails if a process has the mark on its command line.
func checkGone(t *testing.T, mark string) {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if b, err := os.ReadFile(f); err == nil && bytes.Contains(b, []byte(mark)) {
			t.Errorf("%s still runs: %q", f, b)
		}
	}
}

func TestRunTimeout(t *testing.T) {
	cfg := vmConfig(t, "deaf")
	cfg.Timeout = 2 * time.Second
	cfg.Append = "gemtool.test=" + t.Name()
	r := runVM(t, cfg)
	r.wantError(t, "deadline exceeded after 2s")
	if !errors.Is(r.err, errTimeout) {
		t.Errorf("got error %v, want %v", r.err, errTimeout)
	}
	checkGone(t, cfg.Append)
}

// A program whose output nobody takes ends the run.
func TestRunBrokenStdout(t *testing.T) {
	cfg := vmConfig(t, "copy")
	cfg.Stdin = endless{}
	cfg.Stdout = writerFunc(func([]byte) (int, error) { return 0, os.ErrClosed })
	r := runVM(t, cfg)
	r.wantError(t, "program's output")
	if !errors.Is(r.err, os.ErrClosed) {
		t.Errorf("got error %v, want %v", r.err, os.ErrClosed)
	}
}

func TestRunPanic(t *testing.T) {
	r := runVM(t, vmConfig(t, "write", "/proc/sysrq-trigger", "c"))
	r.wantError(t, "the guest's kernel panicked: ")
	if !strings.Contains(r.log, "sysrq_handle_crash") {
		t.Errorf("the log has no trace of the panic:\n%s", r.log)
	}
}

func TestRunHang(t *testing.T) {
	cfg := vmConfig(t, "show")
	cfg.Accel = "tcg"
	cfg.Append = "TEST_INIT_HANGS=1"
	cfg.bootLimit = 8 * time.Second
	r := runVM(t, cfg)
	r.wantError(t, "the guest did not come up within 8s")
}

// A warning in the kernel's log fails a run whose program is content, also as
// the last line and without an end, and the guest cannot steer the terminal
// with it.
func TestRunWarning(t *testing.T) {
	r := runVM(t, vmConfig(t, "write", "/dev/kmsg", "WARNING: test \x1b[2J"))
	r.wantError(t, "WARNING: test")
	r.wantError(t, "exit code was 0")
	if strings.Contains(r.err.Error()+r.log, "\x1b") {
		t.Errorf("an escape character got through: %q\n%q", r.err, r.log)
	}
}

func TestRunSideBySide(t *testing.T) {
	cfg := vmConfig(t, "copy")
	t.Parallel()
	for range cap(vmSlots) {
		vmSlots <- struct{}{}
		defer func() { <-vmSlots }()
	}
	var all sync.WaitGroup
	for i := range cap(vmSlots) {
		all.Go(func() {
			cfg, text := cfg, fmt.Sprint("VM ", i)
			cfg.Stdin = strings.NewReader(text)
			runNow(t.Context(), cfg).want(t, 0, text, "")
		})
	}
	all.Wait()
}

// What the program writes into a shared directory is on the host afterwards,
// and a read-only one cannot be written to, whichever way they are shared.
func TestRunShare(t *testing.T) {
	for _, share := range []string{"9p", "pack"} {
		t.Run(share, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.Mkdir(filepath.Join(dir, "sub"), 0o755); err != nil {
				t.Fatal(err)
			}
			cfg := vmConfig(t)
			cfg.Args = []string{"sh", "-c", "read x < in && echo $x-out > sub/out && { echo no > /ro/no || true; }"}
			cfg.Share, cfg.Chdir = share, "/dir"
			cfg.Dirs = []Dir{{Host: dir, Guest: "/dir"}, {Host: t.TempDir(), Guest: "/ro", ReadOnly: true}}
			for name, text := range map[string]string{"in": "in\n", "same": "same"} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			r := runVM(t, cfg)
			if r.err != nil || r.code != 0 {
				t.Errorf("got code %d, error %v, stderr %q\n%s", r.code, r.err, r.stderr, r.log)
			}
			if got, err := os.ReadFile(filepath.Join(dir, "sub", "out")); err != nil || string(got) != "in-out\n" {
				t.Errorf("sub/out: got %q, %v, want %q", got, err, "in-out\n")
			}
			if _, err := os.Stat(filepath.Join(cfg.Dirs[1].Host, "no")); err == nil {
				t.Error("the program wrote to a read-only directory")
			}
		})
	}
}

func TestRunModule(t *testing.T) {
	cfg := vmConfig(t, "copy")
	cfg.Load = []Module{{Name: "no_such_module"}}
	runVM(t, cfg).wantError(t, "no such kernel module: no_such_module")
}

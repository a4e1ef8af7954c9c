//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/cmd/gemtool/internal/nvml"
	"github.com/gemtool/gemtool/drm/drmtest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"gemtool": main})
}

// TestScripts passes if gemtool, run as a user runs it, has the exit code, the
// words and the files that the scripts say. Most of them need the devices of
// the VM, where this test runs as root.
//
// Case N29, in words.txtar
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "../../testdata/script",
		Setup: func(env *testscript.Env) error {
			// Users without privileges work here, too.
			return errors.Join(os.Chmod(filepath.Dir(env.WorkDir), 0o755), os.Chmod(env.WorkDir, 0o777))
		},
		Condition: func(name string) (bool, error) {
			switch name {
			case "vm":
				return drmtest.InVM(), nil
			case "linux61", "linux7":
				release, err := os.ReadFile("/proc/sys/kernel/osrelease")
				return strings.HasPrefix(string(release), map[string]string{"linux61": "6.1.", "linux7": "7."}[name]), err
			case "nvml":
				return nvml.Built, nil
			case "dri":
				cards, err := filepath.Glob("/sys/class/drm/card*")
				return len(cards) > 0, err
			}
			return false, fmt.Errorf("unknown condition %q", name)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"run":   runGemtool,
			"small": small,
			"none":  none,
		},
	})
}

// runGemtool is the script command
//
//	run [-user UID:GID] [-nodes DIR] [-sys DIR] [-stdout FILE] [-interrupt GLOB|DURATION] CODE [ARG...]
//
// It runs "gemtool ARG..." and fails unless that exits with CODE. -nodes and
// -sys put DIR in the place of /dev and /sys, for this process alone;
// -interrupt sends SIGINT as soon as a file matches, or after a time.
func runGemtool(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("say the exit code instead")
	}
	// The test's own binary, which is gemtool when it is named so. A user
	// without privileges may run it by this path, too.
	cmd := &exec.Cmd{Path: "/proc/self/exe", SysProcAttr: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}}
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = []string{"PATH=" + ts.Getenv("PATH"), "HOME=" + ts.Getenv("HOME"), "TMPDIR=" + ts.Getenv("TMPDIR"), "COLUMNS=" + ts.Getenv("COLUMNS"), "LD_LIBRARY_PATH=" + ts.Getenv("LD_LIBRARY_PATH")}
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(""), &stdout, &stderr

	var when string
	over := map[string]string{}
	for ; len(args) > 1 && strings.HasPrefix(args[0], "-"); args = args[2:] {
		switch args[0] {
		case "-user":
			var uid, gid uint32
			if _, err := fmt.Sscanf(args[1], "%d:%d", &uid, &gid); err != nil {
				ts.Fatalf("-user %q: %v", args[1], err)
			}
			cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uid, Gid: gid}
		case "-nodes":
			over["/dev"] = ts.MkAbs(args[1])
		case "-sys":
			over["/sys"] = ts.MkAbs(args[1])
		case "-stdout":
			f, err := os.OpenFile(ts.MkAbs(args[1]), os.O_WRONLY, 0)
			ts.Check(err)
			defer f.Close()
			cmd.Stdout = f
		case "-interrupt":
			when = args[1]
		default:
			ts.Fatalf("unknown flag %s", args[0])
		}
	}
	if len(args) == 0 {
		ts.Fatalf("usage: run [FLAG VALUE...] CODE [ARG...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	cmd.Args = append([]string{"gemtool"}, args[1:]...)

	err = inNamespace(over, func() error {
		if err := cmd.Start(); err != nil {
			return err
		}
		if when != "" {
			if err := interrupt(cmd, when); err != nil {
				return errors.Join(err, cmd.Process.Kill(), cmd.Wait())
			}
		}
		var exit *exec.ExitError
		if err := cmd.Wait(); !errors.As(err, &exit) {
			return err
		}
		return nil
	})
	fmt.Fprint(ts.Stdout(), stdout.String())
	fmt.Fprint(ts.Stderr(), stderr.String())
	ts.Check(err)
	if got := cmd.ProcessState.ExitCode(); got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// inNamespace runs f on a thread for which some folders stand in the places of
// others, if there are any. What f starts inherits that.
func inNamespace(over map[string]string, f func() error) error {
	if len(over) == 0 {
		// Pdeathsig is about the thread that starts the process, which must
		// not become one of those below, that end.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		return f()
	}
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with the goroutine
		err := unix.Unshare(unix.CLONE_NEWNS | unix.CLONE_FS)
		if err == nil {
			err = unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
		}
		for place, dir := range over {
			if err == nil {
				err = unix.Mount(dir, place, "", unix.MS_BIND, "")
			}
		}
		if err == nil {
			err = f()
		}
		done <- err
	}()
	return <-done
}

// interrupt sends SIGINT to a command after a time, or as soon as a file
// matches.
func interrupt(cmd *exec.Cmd, when string) error {
	if d, err := time.ParseDuration(when); err == nil {
		time.Sleep(d)
		return cmd.Process.Signal(os.Interrupt)
	}
	for range 60_000 {
		files, err := filepath.Glob(filepath.Join(cmd.Dir, when))
		if err != nil {
			return err
		}
		if len(files) > 0 {
			return cmd.Process.Signal(os.Interrupt)
		}
		time.Sleep(time.Millisecond)
	}
	return fmt.Errorf("no %s appeared", when)
}

// small is the script command
//
//	small DIR OPTIONS
//
// It makes DIR a file system in memory with these mount options.
func small(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: small DIR OPTIONS")
	}
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o777))
	var flags uintptr
	options := strings.Split(args[1], ",")
	if options[0] == "ro" {
		flags, options = unix.MS_RDONLY, options[1:]
	}
	ts.Check(unix.Mount("tmpfs", dir, "tmpfs", flags, strings.Join(options, ",")))
	ts.Defer(func() { ts.Check(unix.Unmount(dir, unix.MNT_DETACH)) })
}

// none is the script command
//
//	[!] none GLOB
//
// which fails if any file matches; "*" matches hidden files as well.
func none(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: [!] none GLOB")
	}
	files, err := filepath.Glob(ts.MkAbs(args[0]))
	ts.Check(err)
	if neg == (len(files) == 0) {
		ts.Fatalf("%d files match %s: %v", len(files), args[0], files)
	}
}

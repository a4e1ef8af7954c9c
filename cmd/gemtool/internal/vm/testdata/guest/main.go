// Guest is what the tests of package vm run in VMs: both the guest's init and,
// by its first argument, a program.
package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/gemtool/gemtool/cmd/gemtool/internal/vm"
)

func main() {
	if vm.IsInit() {
		// The kernel passes unknown arguments of its own to init.
		for os.Getenv("TEST_INIT_HANGS") != "" {
			time.Sleep(time.Hour)
		}
		vm.Init()
	}
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(99)
	}
}

func run(name string, args []string) error {
	switch name {
	case "show":
		dir, err := os.Getwd()
		if err != nil {
			return err
		}
		fmt.Printf("%q %d %d %s %s", args, os.Getuid(), os.Getgid(), dir, os.Getenv("TEST_VAR"))
		fmt.Fprint(os.Stderr, "words")
		os.Exit(7)
	case "signal":
		n, err := strconv.Atoi(args[0])
		if err != nil {
			return err
		}
		if err := syscall.Kill(os.Getpid(), syscall.Signal(n)); err != nil {
			return err
		}
		time.Sleep(time.Minute)
	case "copy": // stdin to stdout
		_, err := io.Copy(os.Stdout, os.Stdin)
		return err
	case "deaf": // ignores SIGINT and stdin
		signal.Ignore(syscall.SIGINT)
		fmt.Println("ready")
		time.Sleep(time.Minute)
	case "write": // FILE TEXT
		return os.WriteFile(args[0], []byte(args[1]), 0o644)
	}
	return fmt.Errorf("unknown program %q", name)
}

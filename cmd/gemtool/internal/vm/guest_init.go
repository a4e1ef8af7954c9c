//go:build linux

package vm

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/u-root/u-root/pkg/kmodule"
	"golang.org/x/sys/unix"
)

// IsInit reports whether this process is the first one of a VM started by Run.
func IsInit() bool {
	if os.Getpid() != 1 {
		return false
	}
	_, err := os.Stat(initMarker)
	return err == nil
}

// Init is the guest's process 1: it runs the program that the host names and
// powers the VM off. It does not return.
func Init() {
	if err := initMain(); err != nil {
		// The console belongs to the kernel's log, which the host shows.
		logLine(levelError, fmt.Sprintf("gemtool: init: %v", err))
	}
	unix.Sync()
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
	select {}
}

func initMain() error {
	if err := mountFirst(); err != nil {
		return err
	}
	early, err := earlyModules()
	if err != nil {
		return err
	}
	if err := loadModules(early); err != nil {
		return err
	}
	port, err := openPort()
	if err != nil {
		return err
	}
	g := &guest{conn: newFrameConn(port)}
	var uts unix.Utsname
	if err := unix.Uname(&uts); err != nil {
		return err
	}
	hello := helloFrame{Version: protoVersion, Release: unix.ByteSliceToString(uts.Release[:])}
	if err := g.conn.writeJSON(frameHello, hello); err != nil {
		return err
	}
	kind, b, err := g.conn.read()
	if err != nil {
		return err
	}
	if kind != frameConfig {
		return fmt.Errorf("vm protocol: frame %q where the configuration was expected", kind)
	}
	if err := json.Unmarshal(b, &g.cfg); err != nil {
		return err
	}
	return g.serve()
}

func earlyModules() (early []guestModule, err error) {
	b, err := os.ReadFile(initMarker)
	if err != nil {
		return nil, err
	}
	return early, json.Unmarshal(b, &early)
}

func loadModules(mods []guestModule) error {
	for _, m := range mods {
		if err := loadModule(m); err != nil && !errors.Is(err, unix.EEXIST) {
			return fmt.Errorf("loading kernel module %s: %w", moduleName(m.Path), err)
		}
	}
	return nil
}

func loadModule(m guestModule) error {
	f, err := os.Open(m.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	return kmodule.FileInit(f, m.Options, 0)
}

// portLimit is how long the port may take to appear after its driver; it
// comes up in a worker of the kernel.
const portLimit = 20 * time.Second

// openPort finds the virtio-serial port by its name and waits until the
// kernel knows that the host has it open: before that reads end at once.
func openPort() (io.ReadWriter, error) {
	deadline := time.Now().Add(portLimit)
	for {
		if dev := findPort(); dev != "" {
			f, err := os.OpenFile(dev, os.O_RDWR, 0)
			if err != nil {
				return nil, err
			}
			return f, waitConnected(f, deadline)
		}
		if time.Now().After(deadline) {
			return nil, errors.New("no virtio port named " + portName)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func findPort() string {
	names, _ := filepath.Glob("/sys/class/virtio-ports/*/name")
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err == nil && strings.TrimSpace(string(b)) == portName {
			return filepath.Join("/dev", filepath.Base(filepath.Dir(name)))
		}
	}
	return ""
}

func waitConnected(f *os.File, deadline time.Time) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	for time.Now().Before(deadline) {
		var fds [1]unix.PollFd
		err := raw.Control(func(fd uintptr) {
			fds[0] = unix.PollFd{Fd: int32(fd), Events: unix.POLLOUT}
			_, _ = unix.Poll(fds[:], 0)
		})
		if err != nil {
			return err
		}
		if fds[0].Revents&unix.POLLHUP == 0 {
			return nil
		}
		time.Sleep(2 * time.Millisecond)
	}
	return errors.New("the host did not open the virtio port")
}

// Levels of the kernel's log.
const (
	levelError = 3
	levelInfo  = 6
)

// logLine writes to the kernel's log.
func logLine(level int, s string) {
	f, err := os.OpenFile("/dev/kmsg", os.O_WRONLY, 0)
	if err != nil {
		fmt.Fprintln(os.Stderr, s) // /dev/console
		return
	}
	defer f.Close()
	fmt.Fprintf(f, "<%d>%s\n", level, s)
}

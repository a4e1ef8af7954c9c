package conformance

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// exportToChild lists the descriptors of a child that has been started and
// has not run yet: the kernel stops it for its tracer behind the exec.
func exportToChild(t T, env *Env) {
	dev := env.Open(t)
	b := createDumb(t, dev, 64, 64, 32)
	for _, test := range []struct {
		what  string
		flags uint32
		want  int
	}{{"close-on-exec", rawRDWR | rawCLOEXEC, 0}, {"not close-on-exec", rawRDWR, 1}} {
		fd, err := rawExport(t, dev, b.Handle, test.flags)
		if err != nil {
			t.Fatalf("export: %v", err)
		}
		if got := len(descriptorsOfChild(t)); got != test.want {
			t.Errorf("%s: the child has %d descriptors, want %d", test.what, got, test.want)
		}
		wantErr(t, "close", fd.Close(), nil)
	}
	fd, err := dev.HandleToFD(b.Handle)
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer fd.Close()
	if got := descriptorsOfChild(t); len(got) != 0 {
		t.Errorf("the library's export: the child has %q", got)
	}
}

// descriptorsOfChild lists the dma-bufs and DRM nodes that a child has as it
// begins.
func descriptorsOfChild(t T) (all []string) {
	t.Helper()
	runtime.LockOSThread() // the tracer is a thread
	defer runtime.UnlockOSThread()
	pid, err := syscall.ForkExec("/proc/self/exe", []string{"child"}, &syscall.ProcAttr{
		Sys: &syscall.SysProcAttr{Ptrace: true, Pdeathsig: syscall.SIGKILL},
	})
	if err != nil {
		t.Skipf("tracing a child: %v", err)
	}
	defer func() {
		_ = unix.Kill(pid, unix.SIGKILL)
		_, _ = reap(pid)
	}()
	var status unix.WaitStatus
	for {
		_, err := unix.Wait4(pid, &status, 0, nil)
		if err == nil {
			break
		}
		if err != unix.EINTR {
			t.Fatalf("wait: %v", err)
		}
	}
	if !status.Stopped() {
		t.Fatalf("the child did not stop behind its exec: %#x", status)
	}
	fds, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil {
		t.Fatalf("%v", err)
	}
	for _, fd := range fds {
		target, err := os.Readlink(fd)
		if err == nil && (strings.HasPrefix(target, "/dmabuf:") || strings.HasPrefix(target, "/dev/dri/")) {
			all = append(all, target)
		}
	}
	return all
}

package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/gem"
	"github.com/gemtool/gemtool/prime"
)

// TestSyncChild is no test: TestSync starts it as gemtool, or as the process that
// has descriptors.
func TestSyncChild(t *testing.T) {
	args := os.Getenv("SYNC_TEST_CHILD")
	switch args {
	case "":
		return
	case "hold":
		os.Stdin.Read(make([]byte, 1)) // until the parent closes it
		os.Exit(0)
	}
	os.Exit(Main(t.Context(), strings.Fields(args), os.Stdin, os.Stdout, os.Stderr))
}

// syncChild is a command that runs TestSyncChild as some user.
func syncChild(t *testing.T, uid uint32, args string, files ...*os.File) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^TestSyncChild$")
	cmd.Env = append(os.Environ(), "SYNC_TEST_CHILD="+args, "COLUMNS=200")
	cmd.ExtraFiles = files
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	return cmd
}

// syncRun runs gemtool and returns its exit code.
func syncRun(t *testing.T, uid uint32, args string, files ...*os.File) (code int, stdout, stderr string) {
	t.Helper()
	cmd := syncChild(t, uid, args, files...)
	var out, words bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &words
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), words.String()
}

// TestSync passes if the fences on another process's descriptors, and on those
// passed on, are shown while they are active and when they are over, to root
// and to the same user, and others are told what they lack.
func TestSync(t *testing.T) {
	dev := drmtest.RequireDevice(t, "vgem")
	if os.Geteuid() != 0 {
		t.Skip("this test becomes other users")
	}
	drmtest.CheckLeaks(t)
	o, err := gem.StoreOf(dev).Create(64, 64, 32)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	b, err := o.Export()
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := b.SetName("evil\x1b[31m"); err != nil {
		t.Fatal(err)
	}
	buffer, err := b.File()
	if err != nil {
		t.Fatal(err)
	}
	defer buffer.Close()
	fence := drmtest.AttachFence(t, dev, o.Handle(), true) // for ten seconds
	s, err := b.ExportSyncFile(prime.Read)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	syncFile, err := s.File()
	if err != nil {
		t.Fatal(err)
	}
	defer syncFile.Close()

	// A file can have a dma-buf's name. To take and close one could hang: whoever
	// serves its file system may not answer.
	const forgedName = "/dmabuf:forged"
	forged, err := os.Create(forgedName)
	if err != nil {
		t.Fatal(err)
	}
	defer os.Remove(forgedName)
	defer forged.Close()

	holder := syncChild(t, 1000, "hold", buffer, syncFile, forged)
	stdin, err := holder.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	defer holder.Wait()
	defer stdin.Close()
	for fd, want := range map[int]bool{3: true, 4: true, 5: false, 0: false} {
		if got, err := isFenced(holder.Process.Pid, fd); got != want || err != nil {
			t.Errorf("descriptor %d: %v, %v, want %v", fd, got, err, want)
		}
	}
	process := fmt.Sprintf("sync --pid %d", holder.Process.Pid)
	dmabuf := process + " --fd 3"
	check := func(uid uint32, code int, args string, wants ...string) {
		t.Helper()
		got, stdout, stderr := syncRun(t, uid, args, buffer, syncFile)
		if got != code {
			t.Errorf("user %d: gemtool %s: exit code %d, want %d", uid, args, got, code)
		}
		for _, want := range wants {
			if !strings.Contains(stdout+stderr, want) {
				t.Errorf("user %d: gemtool %s: no %q in\n%s%s", uid, args, want, stdout, stderr)
			}
		}
		if strings.Contains(stdout+stderr, "\x1b") {
			t.Errorf("gemtool %s: raw escapes", args)
		}
	}
	start := time.Now()
	check(0, 1, dmabuf+" --wait 10ms", "not ready to read or to write", "vgem", "active", "not ready after 10ms: descriptor 3")
	check(1000, 0, process, "evil", "not ready to read or to write", "readers, writers", "not signaled")
	check(0, 0, "sync 3 4", "not ready to read or to write", "not signaled")
	if time.Since(start) > 9*time.Second {
		t.Log("the machine is slow: the fence may be over by itself")
	}
	check(1001, 77, process, "CAP_SYS_PTRACE", "permission denied")
	check(1001, 77, dmabuf, "CAP_SYS_PTRACE", "permission denied")
	var signal sync.WaitGroup
	signal.Go(func() {
		time.Sleep(100 * time.Millisecond)
		fence.Signal(t)
	})
	check(0, 0, process+" --wait 60s", "ready to read and to write", "signaled", " ago")
	signal.Wait() // its call holds the device's file
	check(0, 2, process+" --fd 99", "no descriptor 99")
	check(0, 2, process+" --fd 0", "neither a dma-buf nor a sync_file")
	check(0, 2, process+" --fd 5", "neither a dma-buf nor a sync_file")

	_, stdout, _ := syncRun(t, 1000, process+" --json")
	var doc syncJSON
	if err := json.Unmarshal([]byte(stdout), &doc); err != nil || len(doc.Files) != 2 {
		t.Fatalf("%v: %s", err, stdout)
	}
	if f := doc.Files[0]; f.FD != 3 || f.Size != b.Size() || f.Inode != b.Inode() || !f.ToRead.Ready || len(f.ToWrite.Fences) != 0 {
		t.Errorf("%+v", f)
	}
	if f := doc.Files[1]; f.FD != 4 || !f.All.Ready || len(f.All.Fences) != 1 || f.All.Fences[0].Age == nil {
		t.Errorf("%+v", f)
	}
}

package prime_test

import (
	"os"
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm/ioctl"
)

// TestSWSyncProcess passes if a fence is signaled by another process, which has
// the timeline by inheritance or over a socket.
//
// Case D30
func TestSWSyncProcess(t *testing.T) {
	switch os.Getenv("PRIME_TEST_CHILD") {
	case "timeline":
		swTimeline{ioctl.NewFD(childFD)}.inc(t, 1)
		return
	case "socket":
		swTimeline{ioctl.NewFD(receive(t, childFD))}.inc(t, 1)
		return
	}
	t.Run("sync_busy_fork", func(t *testing.T) {
		guard(t)
		tl := newSWTimeline(t)
		s := tl.fence(t, 1)
		wantSignaled(t, "before", s, false)
		cmd := again(t, "timeline", tl.file(t))
		if err := s.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	})
	t.Run("sync_busy_fork_unixsocket", func(t *testing.T) {
		guard(t)
		tl := newSWTimeline(t)
		s := tl.fence(t, 1)
		pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(pair[0])
		cmd := again(t, "socket", os.NewFile(uintptr(pair[1]), "socket"))
		f := tl.file(t)
		defer f.Close()
		if err := unix.Sendmsg(pair[0], []byte{0}, unix.UnixRights(int(f.Fd())), nil, 0); err != nil {
			t.Fatal(err)
		}
		if err := s.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	})
}

// again starts this test in a child that has f, and closes f here.
func again(t *testing.T, as string, f *os.File) *exec.Cmd {
	t.Helper()
	defer f.Close()
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^TestSWSyncProcess$")
	cmd.Env = append(os.Environ(), "PRIME_TEST_CHILD="+as)
	cmd.ExtraFiles = []*os.File{f}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

func (tl swTimeline) file(t *testing.T) (f *os.File) {
	t.Helper()
	err := tl.fd.Use(func(n int) error {
		m, err := unix.FcntlInt(uintptr(n), unix.F_DUPFD_CLOEXEC, 0)
		f = os.NewFile(uintptr(m), "timeline")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// receive takes the one descriptor that comes over a socket.
func receive(t *testing.T, socket int) int {
	t.Helper()
	oob := make([]byte, unix.CmsgSpace(4))
	_, n, flags, _, err := unix.Recvmsg(socket, make([]byte, 1), oob, unix.MSG_CMSG_CLOEXEC)
	if err != nil || flags&unix.MSG_CTRUNC != 0 {
		t.Fatalf("recvmsg: %v, flags %#x", err, flags)
	}
	msgs, err := unix.ParseSocketControlMessage(oob[:n])
	if err != nil || len(msgs) != 1 {
		t.Fatalf("%d messages, %v", len(msgs), err)
	}
	fds, err := unix.ParseUnixRights(&msgs[0])
	if err != nil || len(fds) != 1 {
		t.Fatalf("%d descriptors, %v", len(fds), err)
	}
	return fds[0]
}

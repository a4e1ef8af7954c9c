package drm

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// ueventSocket receives the kernel's uevents, in the runtime's poller.
type ueventSocket struct {
	ctx  context.Context
	file *os.File
	raw  syscall.RawConn
	stop func()
	buf  [maxUevent]byte
	oob  [64]byte // a cmsghdr and a ucred
}

// kernelGroup is the multicast group of what the kernel sends. In group 2 udev
// sends what it has made of it.
const kernelGroup = 1

func openUevents(ctx context.Context) (*ueventSocket, error) {
	n, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_KOBJECT_UEVENT)
	if err != nil {
		return nil, err
	}
	s := &ueventSocket{ctx: ctx, file: os.NewFile(uintptr(n), "uevents")}
	err = unix.SetsockoptInt(n, unix.SOL_SOCKET, unix.SO_PASSCRED, 1)
	if err == nil {
		err = unix.Bind(n, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: kernelGroup})
	}
	if err == nil {
		s.raw, err = s.file.SyscallConn()
	}
	if err != nil {
		s.file.Close()
		return nil, err
	}
	s.stop = wakeAtEnd(ctx, s.file)
	return s, nil
}

// close leaves no goroutine and no descriptor behind.
func (s *ueventSocket) close() {
	s.stop()
	s.file.Close()
}

// next returns the next message that is the kernel's and well formed.
func (s *ueventSocket) next() (uevent, error) {
	for {
		b, err := s.receive()
		if err != nil {
			return uevent{}, err
		}
		if u, err := parseUevent(b); err == nil {
			return u, nil
		}
	}
}

// receive waits for a message. It returns an empty one for one that is not to
// be believed.
func (s *ueventSocket) receive() (b []byte, err error) {
	var size, oobSize, flags int
	var from unix.Sockaddr
	readErr := s.raw.Read(func(n uintptr) (done bool) {
		for {
			size, oobSize, flags, from, err = unix.Recvmsg(int(n), s.buf[:], s.oob[:], unix.MSG_DONTWAIT)
			if err != unix.EINTR {
				return err != unix.EAGAIN
			}
		}
	})
	switch {
	case errors.Is(readErr, os.ErrDeadlineExceeded):
		return nil, s.ctx.Err()
	case readErr != nil:
		return nil, readErr
	case err != nil:
		return nil, err
	case flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC) != 0 || !fromKernel(from, s.oob[:oobSize]):
		return nil, nil
	}
	return s.buf[:size], nil
}

// fromKernel says whether the kernel sent a message, be it one of its own or
// one that root had it send in its name: see uevent_net_broadcast. What root
// sends to the group by itself has another address.
func fromKernel(from unix.Sockaddr, oob []byte) bool {
	addr, ok := from.(*unix.SockaddrNetlink)
	if !ok || addr.Pid != 0 || addr.Groups != kernelGroup {
		return false
	}
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil || len(messages) != 1 {
		return false
	}
	cred, err := unix.ParseUnixCredentials(&messages[0])
	return err == nil && cred.Uid == 0
}

// wakeAtEnd ends a read of file when ctx ends, with os.ErrDeadlineExceeded.
// After stop nothing of it is left.
func wakeAtEnd(ctx context.Context, file *os.File) (stop func()) {
	woken := make(chan struct{})
	cancel := context.AfterFunc(ctx, func() {
		defer close(woken)
		file.SetReadDeadline(time.Unix(1, 0))
	})
	return func() {
		if !cancel() {
			<-woken
		}
	}
}

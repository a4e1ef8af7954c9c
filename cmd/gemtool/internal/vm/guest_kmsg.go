//go:build linux

package vm

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// kmsg follows /dev/kmsg, from the first line that the kernel still has.
type kmsg struct {
	fd   int
	conn *frameConn
	mu   sync.Mutex // one drain at a time
	buf  [8192]byte // a record is at most that long
}

func openKmsg(conn *frameConn) (*kmsg, error) {
	fd, err := unix.Open("/dev/kmsg", unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("opening /dev/kmsg: %w", err)
	}
	return &kmsg{fd: fd, conn: conn}, nil
}

// follow sends new lines for ever. A pause between two looks keeps a chatty
// kernel from being slowed down by its own listener.
func (k *kmsg) follow() {
	for {
		fds := []unix.PollFd{{Fd: int32(k.fd), Events: unix.POLLIN}}
		if _, err := unix.Poll(fds, -1); err != nil && !errors.Is(err, unix.EINTR) {
			return
		}
		if k.drain() != nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// drain sends what the log has now.
func (k *kmsg) drain() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	var text strings.Builder
	for {
		n, err := unix.Read(k.fd, k.buf[:])
		switch {
		case errors.Is(err, unix.EPIPE), errors.Is(err, unix.EINTR):
			continue // lines were overwritten before they were read
		case errors.Is(err, unix.EAGAIN), err == nil && n == 0:
			if text.Len() == 0 {
				return nil
			}
			return k.conn.write(frameLog, []byte(text.String()))
		case err != nil:
			return err
		}
		formatKmsg(&text, string(k.buf[:n]))
		if text.Len() > 64<<10 {
			if err := k.conn.write(frameLog, []byte(text.String())); err != nil {
				return err
			}
			text.Reset()
		}
	}
}

// formatKmsg turns a record "PRIORITY,SEQUENCE,MICROSECONDS,FLAGS;TEXT" into
// the line that the console shows for it. Lines that begin with a space are
// the record's dictionary, not its text.
func formatKmsg(w *strings.Builder, record string) {
	head, text, ok := strings.Cut(record, ";")
	fields := strings.Split(head, ",")
	if !ok || len(fields) < 3 {
		return
	}
	us, err := strconv.ParseUint(fields[2], 10, 64)
	if err != nil {
		return
	}
	text, _, _ = strings.Cut(text, "\n")
	fmt.Fprintf(w, "[%5d.%06d] %s\n", us/1e6, us%1e6, text)
}

package conformance

import (
	"bytes"

	"golang.org/x/sys/unix"
)

// kernelLog is what the kernel has printed since a case began.
type kernelLog struct {
	fd   int
	text []byte
}

func readKernelLog(t T) *kernelLog {
	t.Helper()
	// Not an os.File: its Read waits for the next message.
	fd, err := unix.Open("/dev/kmsg", unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return &kernelLog{fd: -1}
	}
	t.Cleanup(func() { unix.Close(fd) })
	if _, err := unix.Seek(fd, 0, unix.SEEK_END); err != nil {
		t.Fatalf("the kernel's log: %v", err)
	}
	return &kernelLog{fd: fd}
}

// has says whether a line with this text has been printed by now.
func (l *kernelLog) has(text string) bool {
	record := make([]byte, 8192) // CONSOLE_EXT_LOG_MAX
	for {
		n, err := unix.Read(l.fd, record)
		if err == unix.EPIPE || err == unix.EINTR {
			continue // EPIPE: the log has wrapped around
		}
		if err != nil || n == 0 {
			return bytes.Contains(l.text, []byte(text))
		}
		l.text = append(l.text, record[:n]...)
	}
}

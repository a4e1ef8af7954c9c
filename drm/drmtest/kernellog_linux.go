package drmtest

import (
	"strings"

	"golang.org/x/sys/unix"
)

// GuardKernelLog fails the test if the kernel complains until it ends. Where
// the log may not be read it does nothing: gemtool vm reads it, too.
func GuardKernelLog(t TB) {
	t.Helper()
	// Not an os.File: its Read waits for the next message.
	log, err := unix.Open("/dev/kmsg", unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	if _, err := unix.Seek(log, 0, unix.SEEK_END); err != nil {
		unix.Close(log)
		return
	}
	t.Cleanup(func() {
		t.Helper()
		defer unix.Close(log)
		record := make([]byte, 8192) // CONSOLE_EXT_LOG_MAX
		for {
			n, err := unix.Read(log, record)
			if err == unix.EPIPE || err == unix.EINTR {
				continue // EPIPE: the log has wrapped around
			}
			if err != nil || n == 0 {
				return
			}
			// "level,seq,time,flags;text\n key=value\n"
			_, text, _ := strings.Cut(string(record[:n]), ";")
			text, _, _ = strings.Cut(text, "\n")
			if KernelComplaint(text) {
				t.Errorf("kernel log: %q", text)
			}
		}
	})
}

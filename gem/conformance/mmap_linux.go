//go:build !386 && !arm

package conformance

import "golang.org/x/sys/unix"

// The system call that maps, and what it counts offsets in.
const (
	sysMmap    = unix.SYS_MMAP
	offsetUnit = 1
)

//go:build 386 || arm

package conformance

import "golang.org/x/sys/unix"

// The system call that maps, and what it counts offsets in.
const (
	sysMmap    = unix.SYS_MMAP2
	offsetUnit = 4096
)

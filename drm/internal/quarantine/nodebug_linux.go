//go:build !gemdebug

package quarantine

import "golang.org/x/sys/unix"

// Munmap is [unix.Munmap].
func Munmap(b []byte) error { return unix.Munmap(b) }

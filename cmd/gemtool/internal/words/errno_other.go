//go:build !linux

package words

import (
	"fmt"
	"syscall"
)

// Name names an errno by its number: the names here are Linux's.
func Name(e syscall.Errno) string { return fmt.Sprintf("errno-%d", int(e)) }

// Parse knows no errno: they are Linux's.
func Parse(string) (syscall.Errno, bool) { return 0, false }

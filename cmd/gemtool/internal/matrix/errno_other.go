//go:build !linux

package matrix

import (
	"fmt"
	"syscall"
)

func errnoName(e syscall.Errno) string { return fmt.Sprintf("errno-%d", int(e)) }

package words

import (
	"fmt"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Name names an errno as C does.
func Name(e syscall.Errno) string {
	if e == syscall.EOPNOTSUPP {
		return "EOPNOTSUPP" // the kernel does not know C's other name, ENOTSUP
	}
	if name := unix.ErrnoName(e); name != "" {
		return name
	}
	return fmt.Sprintf("errno-%d", int(e))
}

// lastErrno is EHWPOISON, the highest that user space sees.
const lastErrno = 133

// Parse reads an errno by its name, its number (also as the kernel prints it,
// negative) or its text, such as "no such device".
func Parse(s string) (syscall.Errno, bool) {
	if n, err := strconv.Atoi(strings.TrimPrefix(s, "-")); err == nil {
		e := syscall.Errno(n)
		return e, n > 0 && n <= lastErrno && unix.ErrnoName(e) != ""
	}
	switch strings.ToUpper(s) { // C's other names
	case "EWOULDBLOCK":
		return syscall.EAGAIN, true
	case "EDEADLOCK":
		return syscall.EDEADLK, true
	}
	for n := 1; n <= lastErrno; n++ {
		e := syscall.Errno(n)
		if unix.ErrnoName(e) == "" {
			continue // one of the numbers that Linux has left out
		}
		if strings.EqualFold(s, unix.ErrnoName(e)) || strings.EqualFold(s, Name(e)) || strings.EqualFold(s, e.Error()) {
			return e, true
		}
	}
	return 0, false
}

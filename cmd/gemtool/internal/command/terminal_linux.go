package command

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// isTerminal says whether w is a terminal, where a line can be overwritten.
func isTerminal(w io.Writer) bool {
	return control(w, func(fd int) error {
		_, err := unix.IoctlGetTermios(fd, unix.TCGETS)
		return err
	}) == nil
}

// terminalWidth returns the columns of a terminal, 0 for what is none.
func terminalWidth(w io.Writer) (n int) {
	control(w, func(fd int) error {
		size, err := unix.IoctlGetWinsize(fd, unix.TIOCGWINSZ)
		if err == nil {
			n = int(size.Col)
		}
		return err
	})
	return n
}

func control(w io.Writer, f func(fd int) error) error {
	file, ok := w.(*os.File)
	if !ok {
		return os.ErrInvalid
	}
	raw, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var result error
	if err := raw.Control(func(fd uintptr) { result = f(int(fd)) }); err != nil {
		return err
	}
	return result
}

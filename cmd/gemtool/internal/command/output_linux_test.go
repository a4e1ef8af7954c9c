package command

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// terminal makes a terminal that is so wide, and returns the program's side of
// it.
func terminal(t *testing.T, width uint16) *os.File {
	t.Helper()
	ptmx, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("NO TERMINAL TESTED: %v", err)
	}
	t.Cleanup(func() { ptmx.Close() })
	fd := int(ptmx.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Col: width, Row: 24}); err != nil {
		t.Fatal(err)
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("NO TERMINAL TESTED: %v", err)
	}
	t.Cleanup(func() { tty.Close() })
	return tty
}

// TestTerminal passes if a terminal gets colours and its own width, unless the
// user says otherwise, and nothing else does.
func TestTerminal(t *testing.T) {
	for _, name := range []string{"NO_COLOR", "COLUMNS", "CLICOLOR_FORCE"} {
		t.Setenv(name, "")
	}
	t.Setenv("TERM", "xterm")
	tty := terminal(t, 97)
	if !isTerminal(tty) || !inColor(tty) || columns(tty) != 97 {
		t.Errorf("terminal %v, colour %v, %d columns", isTerminal(tty), inColor(tty), columns(tty))
	}
	for name, value := range map[string]string{"NO_COLOR": "1", "TERM": "dumb"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, value)
			if inColor(tty) {
				t.Error("colours all the same")
			}
		})
	}
	t.Run("COLUMNS", func(t *testing.T) {
		t.Setenv("COLUMNS", "33")
		if got := columns(tty); got != 33 {
			t.Errorf("%d columns", got)
		}
	})
	var b strings.Builder
	if isTerminal(&b) || inColor(&b) || columns(&b) != 0 {
		t.Errorf("what is no terminal: colour %v, %d columns", inColor(&b), columns(&b))
	}
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if isTerminal(file) || inColor(file) || columns(file) != 0 {
		t.Errorf("a file: colour %v, %d columns", inColor(file), columns(file))
	}
}

// TestVMManner passes if a program in a VM hears of the terminal that it writes to
// in the end, and of none where there is none.
func TestVMManner(t *testing.T) {
	for _, name := range []string{"NO_COLOR", "COLUMNS", "CLICOLOR_FORCE"} {
		t.Setenv(name, "")
		os.Unsetenv(name)
	}
	t.Setenv("TERM", "xterm")
	var b strings.Builder
	if got, want := manner(&b), []string{"TERM=xterm"}; !slices.Equal(got, want) {
		t.Errorf("a pipe: got %q, want %q", got, want)
	}
	tty := terminal(t, 97)
	if got, want := manner(tty), []string{"TERM=xterm", "COLUMNS=97", "CLICOLOR_FORCE=1"}; !slices.Equal(got, want) {
		t.Errorf("a terminal: got %q, want %q", got, want)
	}
	t.Setenv("NO_COLOR", "1")
	if got, want := manner(tty), []string{"NO_COLOR=1", "TERM=xterm", "COLUMNS=97"}; !slices.Equal(got, want) {
		t.Errorf("without colours: got %q, want %q", got, want)
	}
	t.Setenv("NO_COLOR", "")
	t.Setenv("CLICOLOR_FORCE", "1")
	if !inColor(&b) {
		t.Error("no colours for a pipe that shall have them")
	}
}

// TestPaint passes if a page without colours has none.
func TestPaint(t *testing.T) {
	if got := (&page{}).paint(red, "x"); got != "x" {
		t.Errorf("got %q", got)
	}
	if got := (&page{color: true}).paint(red, "x"); got != "\x1b[31mx\x1b[0m" {
		t.Errorf("got %q", got)
	}
}

//go:build linux

package vm

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"unicode"
)

// klog collects the guest's kernel log. Lines come from two sources: the
// serial console, which is slow and therefore gets warnings only but works to
// the very end of a panic, and /dev/kmsg, which has everything but is sent by
// a living init. Both are formatted alike, with the kernel's time stamp, so
// that a line that comes from both counts once.
type klog struct {
	console io.Writer // gets each console line, or nil

	mu    sync.Mutex
	lines []string        // the last klogLines
	seen  map[string]bool // exactly those in lines
	part  []byte          // of a console line not yet ended
	guard guard
}

const (
	klogLines   = 4000
	klogMaxLine = 4 << 10
)

func newKlog(console io.Writer) *klog {
	return &klog{console: console, seen: map[string]bool{}, guard: newGuard()}
}

// Write takes bytes of the serial console.
func (l *klog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range p {
		if c == '\n' || len(l.part) >= klogMaxLine {
			l.consoleLine()
		}
		if c != '\n' && c != '\r' {
			l.part = append(l.part, c)
		}
	}
	return len(p), nil
}

// flush ends a last line without a newline.
func (l *klog) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.part) > 0 {
		l.consoleLine()
	}
}

func (l *klog) consoleLine() {
	line := string(l.part)
	l.part = l.part[:0]
	if l.console != nil {
		fmt.Fprintln(l.console, printable(line))
	}
	l.add(line)
}

// addLines takes text from /dev/kmsg.
func (l *klog) addLines(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(text) {
		l.add(strings.TrimSuffix(line, "\n"))
	}
}

func (l *klog) add(line string) {
	line = line[:min(len(line), klogMaxLine)]
	if line == "" || l.seen[line] {
		return
	}
	if len(l.lines) == klogLines {
		delete(l.seen, l.lines[0])
		l.lines = l.lines[1:]
	}
	l.lines = append(l.lines, line)
	l.seen[line] = true
	l.guard.check(line)
}

// tail returns the last n lines.
func (l *klog) tail(n int) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines := l.sorted()
	return printableAll(lines[max(0, len(lines)-n):])
}

// lead is how many lines come before a complaint that can name its cause: of what
// ran out of memory, the first line is no complaint yet.
const lead = 3

// problem returns the first line that the guard stopped at, or "", and the
// log from shortly before on, n lines at most.
func (l *klog) problem(n int) (line string, report []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines := l.sorted()
	lines = lines[max(0, slices.Index(lines, l.guard.problem)-lead):]
	return printable(l.guard.problem), printableAll(lines[:min(n, len(lines))])
}

// sorted returns the lines in the order of their time stamps.
func (l *klog) sorted() []string {
	lines := slices.Clone(l.lines)
	// Lines without a stamp (firmware, the rest of a long message) stay
	// behind the one before them.
	stamps := make(map[string]string, len(lines))
	last := ""
	for _, s := range lines {
		if stamp, _, ok := strings.Cut(s, "]"); ok && strings.HasPrefix(s, "[") {
			last = stamp
		}
		stamps[s] = last
	}
	slices.SortStableFunc(lines, func(a, b string) int { return strings.Compare(stamps[a], stamps[b]) })
	return lines
}

// panicked returns the line of a kernel panic, or "".
func (l *klog) panicked() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return printable(l.guard.panic)
}

func printableAll(lines []string) []string {
	for i, s := range lines {
		lines[i] = printable(s)
	}
	return lines
}

// printable escapes what could steer a terminal: the text comes from a guest.
func printable(s string) string {
	var b strings.Builder
	for _, r := range s {
		if unicode.IsPrint(r) || r == '\t' {
			b.WriteRune(r)
		} else {
			q := fmt.Sprintf("%+q", r)
			b.WriteString(q[1 : len(q)-1])
		}
	}
	return b.String()
}

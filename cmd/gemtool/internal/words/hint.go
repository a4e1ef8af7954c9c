package words

import (
	"errors"
	"slices"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf8"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/prime"
)

// Hint says what an errno means where it came from.
type Hint struct {
	Errno    string // as C names it
	Call     string // as the C header names the ioctl, or the system call; empty: any
	Importer []string
	Exporter []string // only of these drivers, as VERSION names them; empty: any
	Means    string
	Try      string // may be empty
	Versions string // what kernels differ in; may be empty
}

// Question is what a hint is wanted for. Drivers may be empty: unknown.
type Question struct{ Errno, Call, Importer, Exporter string }

// Find returns the hint that fits best: hints about drivers come before those
// about a call, and those before general ones. A hint about drivers fits only
// if they are known.
func Find(q Question) (Hint, bool) {
	best, ok := Hint{}, false
	for _, h := range hints {
		if h.Errno == q.Errno && (h.Call == q.Call || h.Call == "") && among(h.Importer, q.Importer) && among(h.Exporter, q.Exporter) &&
			(!ok || h.weight() > best.weight()) {
			best, ok = h, true
		}
	}
	return best.of(q), ok
}

// About returns all that is known of an errno: of a call, what is said of it
// and of any call; without a call everything.
func About(errno, call string) []Hint {
	var all []Hint
	for _, h := range hints {
		if h.Errno == errno && (call == "" || h.Call == call || h.Call == "") {
			all = append(all, h.of(Question{}))
		}
	}
	slices.SortStableFunc(all, func(a, b Hint) int { return b.weight() - a.weight() })
	return all
}

// ForError returns the hint for what a call of a device or a dma-buf said, if
// something is known of just that call, and the error has no hint of its own.
// The drivers are those that shared the buffer, or empty.
func ForError(err error, exporter, importer string) (Hint, bool) {
	var call, own string
	var device *drm.Error
	var buffer *prime.Error
	switch {
	case errors.As(err, &device):
		call, own = device.Op, device.Hint
	case errors.As(err, &buffer):
		call, own = buffer.Op, buffer.Hint
	}
	var errno syscall.Errno
	if call == "" || own != "" || errors.Is(err, drm.ErrGone) || !errors.As(err, &errno) {
		return Hint{}, false
	}
	h, ok := Find(Question{Errno: Name(errno), Call: call, Exporter: exporter, Importer: importer})
	return h, ok && h.Call != ""
}

// Calls lists the calls that something is known of.
func Calls() []string {
	var all []string
	for _, h := range hints {
		if h.Call != "" {
			all = append(all, h.Call)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Errnos lists the errnos that something is known of.
func Errnos() []string {
	var all []string
	for _, h := range hints {
		all = append(all, h.Errno)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func among(drivers []string, driver string) bool {
	return len(drivers) == 0 || slices.Contains(drivers, driver)
}

// Advice is what to try, as a part of a sentence; empty if nothing is known.
func (h Hint) Advice() string {
	if h.Try == "" {
		return ""
	}
	first, size := utf8.DecodeRuneInString(h.Try)
	second, _ := utf8.DecodeRuneInString(h.Try[size:])
	if unicode.IsUpper(second) || second == '_' { // the name of something
		return "Try: " + h.Try
	}
	return "Try: " + string(unicode.ToLower(first)) + h.Try[size:]
}

func (h Hint) weight() int {
	w := 0
	if h.Call != "" {
		w = 1
	}
	if len(h.Importer) > 0 {
		w += 4
	}
	if len(h.Exporter) > 0 {
		w += 2
	}
	return w
}

// of puts the names of drivers into the text.
func (h Hint) of(q Question) Hint {
	importer, exporter := "the importer", "the exporter"
	if q.Importer != "" {
		importer = Escape(q.Importer)
	}
	if q.Exporter != "" {
		exporter = Escape(q.Exporter)
	}
	r := strings.NewReplacer("{importer}", importer, "{exporter}", exporter)
	h.Means = r.Replace(h.Means)
	if after, ok := strings.CutPrefix(h.Means, "the "); ok {
		h.Means = "The " + after
	}
	return h
}

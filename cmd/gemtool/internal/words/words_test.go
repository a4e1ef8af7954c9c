package words

import (
	"errors"
	"fmt"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/prime"
)

func TestEscape(t *testing.T) {
	for text, want := range map[string]string{
		"":                          "",
		"vkms card0":                "vkms card0",
		"a \x1b[2J\n\"é\\":          `a \x1b[2J\n"é\`,
		"\x9b31m\xff":               `\x9b31m\xff`,
		"\u009b31m \u202eabc\u200b": `\u009b31m \u202eabc\u200b`,
		"\u00a0\x7f\x00":            `\u00a0\x7f\x00`,
		"x │ 1 ▒":                   `x \u2502 1 \u2592`,        // a table's lines
		"\u3164\u2800\ufe0f\u034f":  `\u3164\u2800\ufe0f\u034f`, // nothing to see
		"שא 1 \u0301e":              `\u05e9\u05d0 1 \u0301e`,   // turns the number, stands on the space
		"日本 GPU":                    "日本 GPU",
	} {
		if got := Escape(text); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

// FuzzEscape passes if nothing is left that a terminal acts on. Case N34.
func FuzzEscape(f *testing.F) {
	f.Add("a\x1b[31m\u009b")
	f.Fuzz(func(t *testing.T, s string) {
		got := Escape(s)
		if !utf8.ValidString(got) || strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) || unicode.IsMark(r) }) || Escape(got) != got {
			t.Errorf("%q: got %q", s, got)
		}
	})
}

func TestParse(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("errnos are Linux's")
	}
	for text, want := range map[string]syscall.Errno{
		"EINVAL": syscall.EINVAL, "einval": syscall.EINVAL, "22": syscall.EINVAL, "-22": syscall.EINVAL,
		"Invalid Argument": syscall.EINVAL, "EOPNOTSUPP": syscall.EOPNOTSUPP, "ENOTSUP": syscall.EOPNOTSUPP,
		"no such device": syscall.ENODEV, "EWOULDBLOCK": syscall.EAGAIN, "edeadlock": syscall.EDEADLK,
	} {
		if got, ok := Parse(text); !ok || got != want {
			t.Errorf("%q: got %v, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "0", "-0", "99999999999999999999", "4096", "-4096", "EWHAT", "41", "EINVAL\n"} {
		if got, ok := Parse(text); ok {
			t.Errorf("%q: got %v", text, got)
		}
	}
}

// TestFind passes if the hint that fits best is found, and drivers are named.
func TestFind(t *testing.T) {
	for _, test := range []struct {
		Question
		want string
	}{
		{Question{Errno: "ENODEV", Call: "PRIME_FD_TO_HANDLE", Importer: "virtio_gpu"}, "without blob resources"},
		{Question{Errno: "ENODEV", Call: "PRIME_FD_TO_HANDLE", Importer: "some\x1b"}, `some\x1b is there, and refuses this buffer`},
		{Question{Errno: "ENODEV", Call: "PRIME_FD_TO_HANDLE"}, "The importer is there"},
		{Question{Errno: "EINVAL", Call: "PRIME_FD_TO_HANDLE", Importer: "vboxvideo", Exporter: "qxl"}, "but vboxvideo is known to have no import"},
		{Question{Errno: "ENOSYS", Call: "PRIME_FD_TO_HANDLE", Importer: "qxl", Exporter: "vgem"}, "qxl takes no buffers"},
		{Question{Errno: "ENOSYS", Call: "PRIME_FD_TO_HANDLE", Importer: "vgem", Exporter: "qxl"}, "qxl keeps buffers"},
		{Question{Errno: "ENOSYS", Call: "PRIME_FD_TO_HANDLE", Exporter: "bochs-drm"}, "bochs-drm keeps buffers"},
		{Question{Errno: "ENOSYS", Call: "PRIME_FD_TO_HANDLE", Exporter: "vkms"}, "One of the two drivers"},
		{Question{Errno: "EINVAL", Call: "NO_SUCH_CALL"}, "proves nothing"},
		{Question{Errno: "EXFULL"}, ""},
	} {
		h, ok := Find(test.Question)
		if ok != (test.want != "") || !strings.Contains(h.Means, test.want) {
			t.Errorf("%+v: got %+v, %v", test.Question, h, ok)
		}
	}
}

// TestForError passes if an error gets a hint only where something is known of
// just that call, and it does not have one already.
func TestForError(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("errnos are Linux's")
	}
	for _, test := range []struct {
		err  error
		want string
	}{
		{&drm.Error{Op: "MODE_CREATE_DUMB", Err: syscall.EACCES}, "A render node makes no dumb buffers"},
		{fmt.Errorf("drawing: %w", &prime.Error{Op: "UDMABUF_CREATE", Err: syscall.EINVAL}), "not sealed against shrinking"},
		{&drm.Error{Op: "MODE_CREATE_DUMB", Err: syscall.EACCES, Hint: "its own"}, ""},
		{&drm.Error{Op: "MODE_CREATE_DUMB", Err: drm.ErrShortBuffer}, ""},
		{&drm.Error{Op: "GEM_CLOSE", Err: syscall.ENODEV, Kind: drm.ErrGone}, ""},
		{&drm.Error{Op: "VERSION", Err: syscall.EINVAL}, ""},
		{errors.New("something else"), ""},
	} {
		h, ok := ForError(test.err, "", "")
		if ok != (test.want != "") || !strings.Contains(h.Means, test.want) {
			t.Errorf("%v: got %+v, %v", test.err, h, ok)
		}
	}
}

func TestAdvice(t *testing.T) {
	for try, want := range map[string]string{
		"": "", "Another exporter": "Try: another exporter", "A plane": "Try: a plane", "TEST_ONLY first": "Try: TEST_ONLY first", "F_SEAL_SHRINK": "Try: F_SEAL_SHRINK",
	} {
		if got := (Hint{Try: try}).Advice(); got != want {
			t.Errorf("%q: got %q", try, got)
		}
	}
}

// TestTable passes if every hint can be found, names an errno that there is,
// and says something that can be a sentence.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, h := range hints {
		key := fmt.Sprint(h.Errno, h.Call, h.Importer, h.Exporter)
		if seen[key] {
			t.Errorf("%s: twice", key)
		}
		seen[key] = true
		if _, ok := Parse(h.Errno); !ok && runtime.GOOS == "linux" {
			t.Errorf("%s: no errno", key)
		}
		if !regexp.MustCompile(`^(open|mmap|[A-Z0-9_]*)$`).MatchString(h.Call) {
			t.Errorf("%s: no call", key)
		}
		for _, text := range []string{h.Means, h.Try, h.Versions} {
			if strings.HasSuffix(text, ".") || strings.TrimSpace(text) != text {
				t.Errorf("%s: %q", key, text)
			}
		}
		if h.Means == "" {
			t.Errorf("%s: says nothing", key)
		}
	}
}

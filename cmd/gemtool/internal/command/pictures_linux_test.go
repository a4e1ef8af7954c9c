package command

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestWriteWhole passes if a file is there whole or as it was before, if nothing
// but a file is replaced, and if errors name what the user named.
func TestWriteWhole(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	write := func(path string, err error) error {
		return writeWhole(path, func(w io.Writer) error {
			_, e := io.WriteString(w, "new")
			return errors.Join(e, err)
		})
	}
	read := func(path string) string {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if err := write(file, nil); err != nil || read(file) != "new" {
		t.Fatalf("got %v, %q", err, read(file))
	}
	if err := os.WriteFile(file, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := write(file, errors.New("broken")); err == nil || read(file) != "old" {
		t.Errorf("a failure: got %v, %q", err, read(file))
	}
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	fifo := filepath.Join(dir, "fifo") // not /dev/null, which root's test could replace
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{link, fifo, dir} {
		var e *fs.PathError
		if err := write(path, nil); !errors.As(err, &e) || e.Path != path || !strings.Contains(err.Error(), "no regular file") {
			t.Errorf("%s: got %v", path, err)
		}
	}
	if read(file) != "old" {
		t.Errorf("what a link leads to was written")
	}
	missing := filepath.Join(dir, "nothing", "x.png")
	if err := write(missing, nil); err == nil || !strings.Contains(err.Error(), missing+": ") {
		t.Errorf("a folder that is not there: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 { // the pattern is good
		t.Errorf("left behind: %v", left)
	}
}

// TestMan passes if the pages are written, and nothing over a link.
func TestMan(t *testing.T) {
	dir := t.TempDir()
	if code, _, stderr := gemtool(t, "man", dir); code != ExitOK {
		t.Fatal(stderr)
	}
	for page, wants := range map[string][]string{
		"gemtool-explain.1":         {`"GEMTOOL-EXPLAIN" "1"`, "DRM_IOCTL_;"},
		"gemtool-completion-bash.1": {"/etc/bash_completion.d"},
	} {
		text, err := os.ReadFile(filepath.Join(dir, page))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range wants {
			if !strings.Contains(string(text), want) {
				t.Errorf("no %s in\n%s", want, text)
			}
		}
	}
	victim := filepath.Join(t.TempDir(), "victim")
	if err := os.WriteFile(victim, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "gemtool-vm.1")
	if err := errors.Join(os.Remove(link), os.Symlink(victim, link)); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := gemtool(t, "man", dir); code != ExitFailed || !strings.Contains(stderr, "no regular file") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	if st, err := os.Stat(victim); err != nil || st.Size() > 0 {
		t.Errorf("the page went to %s", victim)
	}
}

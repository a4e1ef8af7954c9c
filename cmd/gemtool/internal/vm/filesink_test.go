//go:build linux

package vm

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func beginFile(t *testing.T, s *fileSink, path string) error {
	t.Helper()
	b, err := json.Marshal(fileFrame{Path: path, Mode: 0o644})
	if err != nil {
		t.Fatal(err)
	}
	return s.begin(b)
}

// TestFileSinkReplaces passes if a file from the guest replaces the host's when it is
// complete and not before, and neither reaches anything but regular files
// below the directory nor fills the disk.
func TestFileSinkReplaces(t *testing.T) {
	dir := t.TempDir()
	old := filepath.Join(dir, "old")
	if err := os.WriteFile(old, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	read := func() string {
		b, err := os.ReadFile(old)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	s := newFileSink([]Dir{{Host: dir}})
	if err := beginFile(t, s, "old"); err != nil {
		t.Fatal(err)
	}
	if err := s.data([]byte("new")); err != nil || read() != "old" {
		t.Errorf("in the middle: %q, %v", read(), err)
	}
	if err := s.data(nil); err != nil || read() != "new" {
		t.Errorf("at the end: %q, %v", read(), err)
	}

	// Cut off.
	if err := beginFile(t, s, "old"); err != nil {
		t.Fatal(err)
	}
	s.data([]byte("half"))
	s.close()
	if read() != "new" {
		t.Errorf("cut off: %q", read())
	}

	if err := unix.Mkfifo(filepath.Join(dir, "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"fifo", "../out", "/etc/out", "."} {
		if beginFile(t, s, path) == nil {
			t.Errorf("%s was begun", path)
		}
		s.close()
	}

	s.room = 10
	if err := beginFile(t, s, "bomb"); err != nil {
		t.Fatal(err)
	}
	if s.data(make([]byte, 11)) == nil {
		t.Error("more bytes than there is room for were written")
	}
	s.close()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("left: %v, %v, want old and fifo", entries, err)
	}
}

func TestLastOfEach(t *testing.T) {
	got := lastOfEach([]string{"A=1", "B=2", "A=3"})
	if len(got) != 2 || got[0] != "B=2" || got[1] != "A=3" {
		t.Errorf("got %q", got)
	}
}

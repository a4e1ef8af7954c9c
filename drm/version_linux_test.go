package drm_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gemtool/gemtool/drm"
)

// TestVersionLong passes if a name longer than the first guess arrives whole.
func TestVersionLong(t *testing.T) {
	f := newFake(t, drm.NodePrimary)
	for _, n := range []int{0, 4, 64, 65, 1000} {
		f.name = strings.Repeat("x", n)
		v, err := f.Version()
		if err != nil || v.Name != f.name {
			t.Errorf("%d bytes: got %d, %v", n, len(v.Name), err)
		}
	}
}

// TestOpenRefuses passes if what is not a DRM node is refused, before it is
// opened, with an error that says so.
//
// Case N19
func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	regular := filepath.Join(dir, "card0")
	if err := os.WriteFile(regular, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "card1")
	if err := os.Symlink(os.DevNull, link); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]error{
		regular: drm.ErrNotDRM, link: drm.ErrNotDRM, dir: drm.ErrNotDRM, os.DevNull: drm.ErrNotDRM,
		filepath.Join(dir, "none"): os.ErrNotExist,
	} {
		dev, err := drm.Open(path, drm.Options{})
		if !errors.Is(err, want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, want %v", path, err, want)
		}
		if err == nil {
			dev.Close()
		}
	}
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := drm.FromFile(f); !errors.Is(err, drm.ErrNotDRM) {
		t.Errorf("FromFile: %v, want ErrNotDRM", err)
	}
}

// TestFromClosedFile passes if a closed file is ErrClosed.
func TestFromClosedFile(t *testing.T) {
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if _, err := drm.FromFile(f); !errors.Is(err, drm.ErrClosed) {
		t.Errorf("FromFile of a closed file: %v, want ErrClosed", err)
	}
}

package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const module = "github.com/gemtool/gemtool/"

// TestImports passes if the libraries import nothing but the standard library
// and x/sys, and dependencies point one way: gem to prime to drm to
// drm/ioctl, with drm/kms beside them.
func TestImports(t *testing.T) {
	if os.Getenv("GEMTOOL_VM") != "" {
		t.Skip("the VM has no go command; this runs on the host")
	}
	for pkg, allowed := range map[string][]string{
		"drm/ioctl":  {"drm/internal/hook", "drm/ioctl"},
		"drm":        {"drm/internal/hook", "drm/internal/uapi", "drm/ioctl", "drm"},
		"drm/fourcc": {"drm/fourcc"},
		"drm/kms":    {"drm/internal/hook", "drm/internal/uapi", "drm/ioctl", "drm/fourcc", "drm", "drm/kms"},
		"prime/resv": {"prime/resv"},
		"prime":      {"drm/internal/hook", "drm/internal/uapi", "drm/ioctl", "drm/fourcc", "drm", "prime/internal/uapi", "prime"},
		"gem":        {"drm/internal/hook", "drm/internal/uapi", "drm/ioctl", "drm/fourcc", "drm", "prime/internal/uapi", "prime/resv", "prime", "gem"},
	} {
		out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", module+pkg).Output()
		if err != nil {
			t.Fatalf("go list: %v", err)
		}
		ok := map[string]bool{}
		for _, p := range allowed {
			ok[module+p] = true
		}
		for dep := range strings.FieldsSeq(string(out)) {
			if !ok[dep] && !strings.HasPrefix(dep, "golang.org/x/sys/") {
				t.Errorf("%s imports %s", pkg, dep)
			}
		}
	}
}

// TestUnsafe passes if only files that say so in their names use unsafe.
func TestUnsafe(t *testing.T) {
	for _, dir := range []string{"drm", "prime", "gem", "cmd"} {
		err := filepath.WalkDir(top+dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".go" || strings.Contains(d.Name(), "_unsafe") {
				return err
			}
			text, err := os.ReadFile(path)
			if strings.Contains(string(text), "\n\t\"unsafe\"\n") || strings.Contains(string(text), "import \"unsafe\"") {
				t.Errorf("%s imports unsafe", path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

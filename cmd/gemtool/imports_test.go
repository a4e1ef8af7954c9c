package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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
	// hidden is what drm and all above it have inside.
	hidden := []string{"drm/internal/hook", "drm/internal/quarantine", "drm/internal/uapi", "drm/ioctl"}
	share := append([]string{"drm/fourcc", "drm", "prime/internal/hook", "prime/internal/uapi", "prime/resv", "prime"}, hidden...)
	for pkg, allowed := range map[string][]string{
		"drm/ioctl":   {"drm/internal/hook", "drm/internal/quarantine", "drm/ioctl"},
		"drm":         append([]string{"drm"}, hidden...),
		"drm/fourcc":  {"drm/fourcc"},
		"drm/kms":     append([]string{"drm/fourcc", "drm", "drm/kms"}, hidden...),
		"drm/debugfs": {"drm/debugfs", "drm/internal/textfile"},
		"prime/resv":  {"prime/resv"},
		"prime":       share,
		"gem":         append([]string{"gem"}, share...),
		"gem/scanout": append([]string{"gem", "gem/scanout", "drm/kms"}, share...),
		"drm/edid":    {"drm/edid"},
		"drm/fdinfo":  {"drm/fdinfo", "drm/internal/textfile"},
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

// TestOracleImports passes if only tests use the client of the tests' kernel
// module.
func TestOracleImports(t *testing.T) {
	if os.Getenv("GEMTOOL_VM") != "" {
		t.Skip("the VM has no go command; this runs on the host")
	}
	const oracle = module + "gem/internal/oracle"
	out, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.ImportPath}}: {{.Imports}}", module+"...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		if importer, imports, _ := strings.Cut(line, ":"); strings.Contains(imports, oracle) {
			t.Errorf("%s imports %s", importer, oracle)
		}
	}
}

// TestCommandImports passes if only one package knows NVIDIA's library, which
// takes cgo; if nothing fetches anything; and if nothing but the VM and the
// conformance cases, which start themselves again, starts programs: gemtool may
// run as root with another's environment.
//
// Case N31
func TestCommandImports(t *testing.T) {
	if os.Getenv("GEMTOOL_VM") != "" {
		t.Skip("the VM has no go command; this runs on the host")
	}
	const cmd = module + "cmd/gemtool"
	cmdline := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{.ImportPath}}: {{join .Imports \" \"}}", cmd)
	out, err := cmdline.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	execs := []string{cmd + "/internal/vm", module + "gem/conformance", module + "drm/drmtest"}
	for line := range strings.Lines(string(out)) {
		importer, imports, _ := strings.Cut(strings.TrimSpace(line), ": ")
		if importer == "net/http" {
			t.Error("gemtool links net/http")
		}
		if !strings.HasPrefix(importer, module) {
			continue
		}
		for i := range strings.FieldsSeq(imports) {
			switch {
			case strings.HasPrefix(i, "github.com/NVIDIA/") && importer != cmd+"/internal/nvml":
				t.Errorf("%s imports %s", importer, i)
			case i == "os/exec" && !slices.Contains(execs, importer):
				t.Errorf("%s starts programs", importer)
			}
		}
	}
}

// TestUnsafe passes if only files that say so in their names use unsafe. That
// there is no cgo but NVML's the build without it shows.
//
// Case N32
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

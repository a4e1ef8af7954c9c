//go:build linux

package command

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gemtool/gemtool/cmd/gemtool/internal/vm"
)

func TestVMUsage(t *testing.T) {
	tests := []struct {
		args, stderr string
		code         int
	}{
		{"vm", "no COMMAND", ExitUsage},
		{"vm --nosuch -- /bin/true", "unknown flag", ExitUsage},
		{"vm --device nosuch -- /bin/true", `unknown device "nosuch", known are: none, default, vkms`, ExitUsage},
		{"vm --device none,vkms -- /bin/true", "none goes with no other", ExitUsage},
		{"vm --accel nosuch -- /bin/true", "want auto, kvm or tcg", ExitUsage},
		{"vm --share nosuch -- /bin/true", "want auto, 9p or pack", ExitUsage},
		{"vm --user root -- /bin/true", "want UID[:GID]", ExitUsage},
		{"vm --dir =/x -- /bin/true", "want HOST=GUEST[:ro]", ExitUsage},
		{"vm --dir /nosuch=/x -- /bin/true", "/nosuch: no such directory", ExitUsage},
		{"vm --dir /tmp=x -- /bin/true", "no absolute path", ExitUsage},
		{"vm --memory junk -- /bin/true", `memory "junk": want a size as 1G or 512M`, ExitUsage},
		{"vm --memory 0G -- /bin/true", `memory "0G"`, ExitUsage},
		{"vm --load , -- /bin/true", "module to load: no name", ExitUsage},
		{"vm --timeout 0s -- /bin/true", "--timeout must be positive", ExitUsage},
		{"vm --cpus 0 -- /bin/true", "--cpus must be at least 1", ExitUsage},
		{"vm --kernel nosuch -- /bin/true", `run "make kernel KERNEL=nosuch"`, ExitUsage},
		{"vm --kernel /nosuch -- /bin/true", "no such file", ExitUsage},
		{"vm --kernel /dev/null -- /bin/true", "not an x86 kernel image", ExitFailed},
	}
	if _, err := exec.LookPath("qemu-system-x86_64"); err != nil {
		t.Skipf("NO VM TESTED: %v", err)
	}
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	for _, test := range tests {
		var stdout, stderr bytes.Buffer
		code := Main(t.Context(), strings.Fields(test.args), nil, &stdout, &stderr)
		if code != test.code || !strings.Contains(stderr.String(), test.stderr) || stdout.Len() > 0 {
			t.Errorf("%s: code %d, stdout %q, stderr %q; want code %d, stderr with %q",
				test.args, code, stdout.String(), stderr.String(), test.code, test.stderr)
		}
		if lines := strings.Count(stderr.String(), "\n"); lines != 1 {
			t.Errorf("%s: %d lines on stderr, want 1:\n%s", test.args, lines, stderr.String())
		}
	}
}

func TestParseUser(t *testing.T) {
	for s, want := range map[string]vm.User{"0": {}, "1000": {UID: 1000, GID: 1000}, "1000:44": {UID: 1000, GID: 44}} {
		if got, err := parseUser(s); err != nil || got != want {
			t.Errorf("%s: got %v, %v, want %v", s, got, err, want)
		}
	}
	for _, s := range []string{":", "1:", "-1", "4294967296", "1:2:3"} {
		if got, err := parseUser(s); err == nil {
			t.Errorf("%s: got %v, want an error", s, got)
		}
	}
}

// With go test -exec a test runs in a VM as it does here: in the package's
// directory, with the module around it; and what it writes there and its
// coverage profile are on this machine afterwards.
func TestVMGoTestExec(t *testing.T) {
	if os.Getenv("GEMTOOL_VM") != "" || testing.Short() {
		t.Skip("NO VM TESTED: this is a VM already, or -short")
	}
	need := func(err error) {
		t.Helper()
		switch {
		case err == nil:
		case os.Getenv("CI") != "" || os.Getenv("GEMTOOL_VM_TESTS") == "1":
			t.Fatal(err)
		default:
			t.Skipf("NO VM TESTED: %v", err)
		}
	}
	_, err := exec.LookPath("qemu-system-x86_64")
	need(err)
	need(vm.CheckKernel(vm.DefaultKernel(), ""))

	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":         "module example.com/m\n\ngo 1.26\n",
		"data":           "text",
		"p/p.go":         "package p\n\nfunc F(x int) int {\n\tif x > 0 {\n\t\treturn 1\n\t}\n\treturn 2\n}\n",
		"p/p_test.go":    vmTestSource,
		"p/testdata/.ok": "",
	} {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	gemtool := filepath.Join(t.TempDir(), "gemtool")
	build := exec.Command("go", "build", "-o", gemtool, "../..")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	cmd := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-exec", gemtool+" vm --device none --", "-coverprofile=cover.out", "./p")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GEMTOOL_TEST=passed on", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "p/testdata/out")); err != nil || string(b) != "text" {
		t.Errorf("file of the test: got %q, %v", b, err)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "cover.out")); err != nil || !bytes.Contains(b, []byte("example.com/m/p/p.go:3.19,4.11 1 1")) {
		t.Errorf("coverage profile: got %q, %v", b, err)
	}
}

const vmTestSource = `package p

import (
	"os"
	"testing"
)

func TestF(t *testing.T) {
	if F(1) != 1 || os.Getenv("GEMTOOL_VM") != "1" || os.Getenv("GEMTOOL_TEST") != "passed on" {
		t.Errorf("environment: %q", os.Environ())
	}
	b, err := os.ReadFile("../data")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("testdata/out", b, 0o644); err != nil {
		t.Fatal(err)
	}
}
`

// TestBounded passes if what is too much is left out and said.
func TestBounded(t *testing.T) {
	var b bounded
	block := make([]byte, 1<<20)
	for i := range 66 {
		if n, err := b.Write(block); n != len(block) || err != nil || b.cut != (i >= 64) {
			t.Fatalf("block %d: %d, %v, cut %v", i, n, err, b.cut)
		}
	}
	if b.kept.Len() != 64<<20 {
		t.Errorf("%d bytes are kept", b.kept.Len())
	}
}

// TestVMJSON passes if the document is as it was.
func TestVMJSON(t *testing.T) {
	goldenJSON(t, "vm.json", &vmJSON{"gemtool.vm/v1", []string{"/bin/prog", "-v"}, 139, 6.5, "out\n\x1b", "words\n", true})
}

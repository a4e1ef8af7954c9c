package command

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestListScreenOff passes if list and info leave a device alone whose console is
// blanked, and do not turn that on: when the last file of a device is closed the
// kernel restores its console.
func TestListScreenOff(t *testing.T) {
	needVM(t)
	const driver = "bochs-drm"
	names, err := filepath.Glob("/sys/class/graphics/fb*/name")
	if err != nil {
		t.Fatal(err)
	}
	var blank string
	for _, name := range names {
		if text, err := os.ReadFile(name); err == nil && strings.HasPrefix(string(text), driver) {
			blank = filepath.Join(filepath.Dir(name), "blank")
		}
	}
	if blank == "" {
		t.Skip("NOT TESTED: this kernel has no console on " + driver)
	}
	set := func(level string) { // of FBIOBLANK
		t.Helper()
		if err := os.WriteFile(blank, []byte(level), 0); err != nil {
			t.Fatal(err)
		}
	}
	set("4")
	defer set("0")
	for range 2 { // the second time the first has not turned it on
		if _, stdout, stderr := gemtool(t, "list"); !strings.Contains(stdout, "screen off (--wake opens it)") {
			t.Fatalf("list: got\n%s%s", stdout, stderr)
		}
	}
	if code, _, stderr := gemtool(t, "info", "driver:nosuch"); code != ExitNothing || !strings.Contains(stderr, "--wake opens it") {
		t.Errorf("info: exit code %d, %s", code, stderr)
	}
	if _, stdout, _ := gemtool(t, "list", "--wake"); strings.Contains(stdout, "screen off") {
		t.Errorf("list --wake: got\n%s", stdout)
	}
}

package conformance

import (
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gemtool/gemtool/drm/drmtest"
)

//go:embed required.txt
var requiredText string

// TestRegistry passes if the ids are unique, every id that was promised is
// there or says why it is not, and no id is there that nobody promised.
func TestRegistry(t *testing.T) {
	cases := make(map[string]Case)
	for _, c := range All() {
		if _, twice := cases[c.ID]; twice {
			t.Errorf("%s: two cases", c.ID)
		}
		cases[c.ID] = c
		if c.Title == "" || c.Run == nil {
			t.Errorf("%s: no title or nothing to run", c.ID)
		}
	}
	required := make(map[string]string)
	for line := range strings.Lines(requiredText) {
		id, where, _ := strings.Cut(strings.TrimSpace(line), " ")
		if id == "" || strings.HasPrefix(id, "#") {
			continue
		}
		if _, twice := required[id]; twice {
			t.Errorf("required.txt: %s stands there twice", id)
		}
		required[id] = strings.TrimSpace(where)
	}
	for _, id := range slices.Sorted(maps.Keys(required)) {
		_, registered := cases[id]
		switch elsewhere := required[id]; {
		case elsewhere == "" && !registered:
			t.Errorf("%s is required and not registered", id)
		case elsewhere != "" && registered:
			t.Errorf("%s is registered, and required.txt says it is not: %s", id, elsewhere)
		case elsewhere != "":
			if err := lookElsewhere(id, elsewhere); err != nil {
				t.Errorf("required.txt: %s: %v", id, err)
			}
		}
	}
	for id := range cases {
		if _, ok := required[id]; !ok {
			t.Errorf("%s is registered and not in required.txt", id)
		}
	}
}

// lookElsewhere checks what stands behind an id in required.txt.
func lookElsewhere(id, text string) error {
	kind, rest, _ := strings.Cut(text, " ")
	switch kind {
	case "kernel", "later":
		if rest == "" {
			return errors.New("no reason")
		}
		return nil
	case "test":
		file, name, _ := strings.Cut(rest, " ")
		source, err := os.ReadFile(filepath.Join("../..", filepath.FromSlash(file)))
		if err != nil {
			return err
		}
		if !regexp.MustCompile(`(?m)^func ` + name + `\(. \*testing\.[TF]\)`).Match(source) {
			return fmt.Errorf("%s has no test %s", file, name)
		}
		if !regexp.MustCompile(`(?m)^// Cases? .*\b` + id + `\b`).Match(source) {
			return fmt.Errorf("no comment in %s names it", file)
		}
		return nil
	}
	return fmt.Errorf("unknown: %s", text)
}

// TestComplaints passes if the guard that every case runs under takes the
// kernel's complaints for such, and nothing that cases provoke on purpose.
//
// Case L07
func TestComplaints(t *testing.T) {
	for line, want := range map[string]bool{
		"WARNING: CPU: 1 PID: 7 at drivers/gpu/drm/drm_gem_shmem_helper.c:208":     true,
		"WARNING: possible circular locking dependency detected":                   true,
		"BUG: KASAN: slab-use-after-free in drm_gem_object_free+0x1c/0x40":         true,
		"BUG: sleeping function called from invalid context at mm/slub.c:1":        true,
		"refcount_t: underflow; use-after-free.":                                   true,
		"Call Trace:":                                                              true,
		"[drm] Unknown color mode 33; guessing buffer size.":                       false, // A16
		"[drm:virtio_gpu_dequeue_ctrl_func] *ERROR* response 0x1201 (command 0x1)": false, // J11
		"vkms_vblank_simulate: vblank timer overrun":                               false,
	} {
		if got := drmtest.KernelComplaint(line); got != want {
			t.Errorf("%q: a complaint: %v, want %v", line, got, want)
		}
	}
}

// TestSkips passes if every line of skips.txt names a case that exists.
func TestSkips(t *testing.T) {
	for _, s := range parseSkips(skipsText) {
		if !slices.ContainsFunc(All(), func(c Case) bool { return c.ID == s.id }) {
			t.Errorf("skips.txt: no case %s", s.id)
		}
	}
	if _, ok := allowedSkip("A16", Kernel{6, 12}, noDevice); !ok {
		t.Error("A16 may skip on 6.12")
	}
	if _, ok := allowedSkip("A16", Kernel{7, 2}, noDevice); ok {
		t.Error("A16 must run on 7.2")
	}
}

package conformance

import (
	_ "embed"
	"maps"
	"slices"
	"strings"
	"testing"
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
		if id == "" || id == "#" {
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
		}
	}
	for id := range cases {
		if _, ok := required[id]; !ok {
			t.Errorf("%s is registered and not in required.txt", id)
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

// TestBufinfo passes if the number of dma-bufs is the kernel's, whatever a
// dma-buf is named.
func TestBufinfo(t *testing.T) {
	for _, test := range []struct {
		text string
		n    int
		ok   bool
	}{
		{"\nDma-buf Objects:\nsize flags\n\nTotal 0 objects, 0 bytes\n", 0, true},
		{"00016384 drm 1 x\nTotal 9 objects\n\tAttached Devices:\nTotal 0 devices attached\n\n\nTotal 12 objects, 49152 bytes\n", 12, true},
		{"Total 9 objects\nmore", 0, false},
		{"", 0, false},
	} {
		if n, ok := parseBufinfo(test.text); n != test.n || ok != test.ok {
			t.Errorf("%q: %d, %v, want %d, %v", test.text, n, ok, test.n, test.ok)
		}
	}
}

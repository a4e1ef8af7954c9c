package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

const root = "../../.."

// TestReadme passes if README has the table as it is printed now.
func TestReadme(t *testing.T) {
	var want bytes.Buffer
	if err := table(&want, root); err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile(root + "/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(readme), "<!-- coverage -->\n")
	got, _, ended := strings.Cut(rest, "<!-- /coverage -->\n")
	if !found || !ended {
		t.Fatal("README has no <!-- coverage --> and <!-- /coverage -->")
	}
	if got != want.String() {
		t.Errorf("README's table is not what go run ./testdata/uapi/coverage prints:\n%s", want.String())
	}
}

// TestComplete passes if every ioctl of the table is bound here, or is legacy
// and left out with a reason, and no other is bound. That the table and the
// reasons have all ioctls of the headers is make uapi's to see.
func TestComplete(t *testing.T) {
	_, rows, err := readPeers(root)
	if err != nil {
		t.Fatal(err)
	}
	ours, err := bound(root)
	if err != nil {
		t.Fatal(err)
	}
	reasons, err := leftOut(root)
	if err != nil {
		t.Fatal(err)
	}
	known := make(map[string]bool)
	for _, r := range rows {
		known[r.ioctl] = true
		switch {
		case r.group == legacy && reasons[r.ioctl] == "":
			t.Errorf("%s is left out without a reason", r.ioctl)
		case r.group != legacy && !ours[r.ioctl]:
			t.Errorf("%s of %s is not bound", r.ioctl, r.group)
		}
	}
	for name := range ours {
		if !known[name] {
			t.Errorf("%s is bound, and not in coverage.tsv", name)
		}
		if reasons[name] != "" {
			t.Errorf("%s is bound, and left out as %q", name, reasons[name])
		}
	}
}

package command

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/gemtool/gemtool/cmd/gemtool/internal/devinfo"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares text with a file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("../../../../testdata/golden", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (go test -update writes it)", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s: want -, got +:\n%s", name, diff)
	}
}

// goldenJSON compares a document with a file, checks that it begins with a
// schema and its version, that its JSON is ASCII, and that it reads back.
func goldenJSON(t *testing.T, name string, doc any) {
	t.Helper()
	var b bytes.Buffer
	if err := writeJSON(&b, doc); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	if !strings.HasPrefix(text, "{\n  \"schema\": \"gemtool.") || strings.ContainsFunc(text, func(r rune) bool { return r > 0x7e || r < ' ' && r != '\n' }) {
		t.Errorf("%s: got\n%s", name, text)
	}
	back := reflect.New(reflect.TypeOf(doc).Elem()).Interface()
	dec := json.NewDecoder(&b)
	dec.DisallowUnknownFields()
	if err := dec.Decode(back); err != nil {
		t.Errorf("%s: reading it back: %v", name, err)
	}
	golden(t, name, text)
}

// TestManner passes if every command that does something has --json, a short
// description that is no sentence, and flags that are described.
func TestManner(t *testing.T) {
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		for _, c := range cmd.Commands() {
			walk(c)
		}
		if cmd.Hidden || cmd.HasSubCommands() || slices.Contains([]string{"help", "bash", "zsh", "fish", "powershell"}, cmd.Name()) {
			return
		}
		if cmd.Flags().Lookup("json") == nil {
			t.Errorf("%s has no --json", cmd.CommandPath())
		}
		if cmd.Short == "" || strings.HasSuffix(cmd.Short, ".") || cmd.Args == nil {
			t.Errorf("%s: short %q", cmd.CommandPath(), cmd.Short)
		}
	}
	walk(newRoot())
}

// TestGoldenCases passes if the document of the cases begins as it was.
func TestGoldenCases(t *testing.T) {
	doc := listCases()
	doc.Cases = doc.Cases[:2]
	goldenJSON(t, "cases.json", doc)
}

// TestGolden passes if the other documents, and their texts, are as they were.
func TestGolden(t *testing.T) {
	value := uint64(3)
	sums := sumsJSON{0xdeadbeef, strings.Repeat("ab", 32)}
	set, cells := fixed()
	fixedTime := newMatrixJSON(set, cells, configOf(64, 32), nil)
	fixedTime.Kernel = "6.12.0"
	for name, doc := range map[string]document{
		"version": &versionJSON{Schema: "gemtool.version/v1", Version: "v0.1.0", Revision: "0123abcd", Time: "2026-11-22T00:00:00Z", Modified: true, Go: "go1.26.8", OS: "linux", Arch: "arm64", NVML: true, Kernel: "6.12.0-é\x1b"},
		"explain": &explainJSON{Schema: "gemtool.explain/v1", Errno: "ENODEV", Number: 19, Text: "no such device", Call: "CALL", Meanings: []meaningJSON{
			{Errno: "ENODEV", Call: "CALL", Importer: []string{"a", "b"}, Exporter: []string{"c"}, Means: "It means something that takes more than eighty columns to say, so that it is wrapped", Try: "Try it", Versions: "since 6.1"},
			{Errno: "ENODEV", Means: "Anything"}}},
		"caps": &capsJSON{Schema: "gemtool.caps/v1", Node: "/dev/dri/card0", Driver: "vkms", Caps: []capJSON{{Name: "PRIME", Value: &value}, {Name: "SYNCOBJ", Errno: "EOPNOTSUPP"}},
			ClientCaps: []capJSON{{Name: "ATOMIC", Value: &value}, {Name: "STEREO_3D", Errno: "EINVAL"}}, Planes: []formatJSON{{31, []string{"XR24", "AR24"}}}},
		"props": &propsJSON{Schema: "gemtool.props/v1", Node: "/dev/dri/card0", Objects: []objectJSON{{"plane", 31, []devinfo.Property{
			{Name: "type\x1b", ID: 8, Kind: "enum", Value: 1, Enums: []devinfo.Enum{{Name: "Primary", Value: 1}}, Names: []string{"Primary"}}, {Name: "zpos", ID: 17, Kind: "range", Value: 1 << 63}}}}},
		"draw": &drawJSON{Schema: "gemtool.draw/v1", Where: "/dev/dri/card0", Driver: "vkms", Width: 64, Height: 32, Format: "XR24", Pitch: 256, Size: 8192,
			Through: "map", Equal: false, Drawn: sums, Read: sums, File: "out.png"},
		"matrix": fixedTime,
	} {
		for _, width := range []int{80, 200} {
			p := &page{width: width}
			doc.text(p)
			golden(t, name+"-"+map[int]string{80: "80", 200: "200"}[width]+".txt", p.String())
			for line := range strings.Lines(p.String()) {
				if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > width {
					t.Errorf("%s: a line of %d columns on a page of %d: %s", name, n, width, line)
				}
			}
		}
		goldenJSON(t, name+".json", doc)
	}
}

package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gemtool/gemtool/cmd/gemtool/internal/matrix"
	"github.com/gemtool/gemtool/cmd/gemtool/internal/pattern"
	"github.com/gemtool/gemtool/drm"
)

// TestMatrixUsage passes if each wrong size or device is one line and exit
// code 2, before anything is made.
func TestMatrixUsage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"--size", "0"}, `--size "0": want WxH, each from 16 to 8192`},
		{[]string{"--size", "0x0"}, "want WxH"},
		{[]string{"--size", "-1x64"}, "want WxH"},
		{[]string{"--size", "64x2147483648"}, "want WxH"},
		{[]string{"--size", "100000000000x64"}, "want WxH"},
		{[]string{"--size", "99999999999999999999x64"}, "want WxH"},
		{[]string{"--size", "15x64"}, "want WxH"},
		{[]string{"--size", "64x8193"}, "want WxH"},
		{[]string{"--size", "64x64x64"}, "want WxH"},
		{[]string{"--size", "wide"}, "want WxH"},
		{[]string{"--size", ""}, "want WxH"},
		{[]string{"--device", "none\x1b[31m"}, "no such device"},
		{[]string{"--device", file}, "not a DRM device node"},
		{[]string{"--device", file + "-none"}, "no such file"},
		{[]string{"argument"}, "one argument too many"},
	} {
		code, stdout, stderr := gemtool(t, append([]string{"matrix"}, test.args...)...)
		if code != ExitUsage || stdout != "" || !strings.Contains(stderr, test.want) ||
			strings.Count(stderr, "\n") != 1 || strings.Contains(stderr, "\x1b") {
			t.Errorf("%q: exit code %d, stdout %q, stderr %q", test.args, code, stdout, stderr)
		}
	}
}

func TestParseSize(t *testing.T) {
	for s, want := range map[string][2]int{"16x16": {16, 16}, "8192x64": {8192, 64}, "250x190": {250, 190}} {
		if w, h, err := parseSize(s); err != nil || w != want[0] || h != want[1] {
			t.Errorf("%q: %d, %d, %v", s, w, h, err)
		}
	}
}

// fixed is a matrix with one cell of each sort.
func fixed() (*matrix.Set, []*matrix.Cell) {
	card := &matrix.Endpoint{Name: "one card0", Driver: "one", Bus: "pci:0", Path: "/dev/dri/card0"}
	render := &matrix.Endpoint{Name: "one renderD128", Driver: "one", Bus: "pci:0", Path: "/dev/dri/renderD128", Kind: matrix.Render}
	virtio := &matrix.Endpoint{Name: "virtio_gpu card1", Driver: "virtio_gpu", Bus: "virtio:virtio0", Path: "/dev/dri/card1"}
	closed := &matrix.Endpoint{Name: "pci:1 card2", Bus: "pci:1", Path: "/dev/dri/card2", Err: fs.ErrPermission, Group: "video"}
	memory := &matrix.Endpoint{Name: "udmabuf", Driver: "udmabuf", Path: "/dev/udmabuf", Kind: matrix.Udmabuf}
	set := &matrix.Set{
		Exporters: []*matrix.Endpoint{card, memory},
		Importers: []*matrix.Endpoint{card, render, virtio, closed},
	}
	refused := &drm.Error{Op: "PRIME_FD_TO_HANDLE", Path: virtio.Path, Err: syscall.ENODEV}
	wrong := &pattern.Mismatch{X: 1, Y: 2, Got: 3, Want: 4, Count: 5, Total: 6, Guess: "it looks \x1b[31mred"}
	step := func(name string, o matrix.Outcome, err error) matrix.Step {
		return matrix.Step{Name: name, Outcome: o, Err: err, Time: 1500 * time.Nanosecond}
	}
	ok := step(matrix.StepAllocate, matrix.OK, nil)
	return set, []*matrix.Cell{
		{Exporter: card, Importer: card, Self: true, Depth: matrix.FB, Steps: []matrix.Step{ok}},
		{Exporter: card, Importer: render, Self: true, Depth: matrix.CPU, Steps: []matrix.Step{ok}},
		{Exporter: card, Importer: virtio, Outcome: matrix.Refused, Steps: []matrix.Step{ok, step(matrix.StepImport, matrix.Refused, refused)}},
		{Exporter: card, Importer: closed, Outcome: matrix.Denied},
		{Exporter: memory, Importer: card, Depth: matrix.Engine, Steps: []matrix.Step{ok}},
		{Exporter: memory, Importer: render, Depth: matrix.Attach, Outcome: matrix.Failed, Steps: []matrix.Step{ok, step(matrix.StepRead, matrix.Failed, wrong)}},
		{Exporter: memory, Importer: virtio, Outcome: matrix.Refused, Steps: []matrix.Step{ok, step(matrix.StepImport, matrix.Refused, refused)}},
		{Exporter: memory, Importer: closed, Outcome: matrix.Denied},
	}
}

const fixedTable = `┌─────────────────────┬───────────┬───────────────────┬──────────────────┬─────────────┐
│ exporter \ importer │ one card0 │ one renderD128    │ virtio_gpu card1 │ pci:1 card2 │
├─────────────────────┼───────────┼───────────────────┼──────────────────┼─────────────┤
│ one card0           │ self      │ self              │ import ENODEV    │ denied      │
│ udmabuf             │ engine    │ read wrong-pixels │ import ENODEV    │ denied      │
└─────────────────────┴───────────┴───────────────────┴──────────────────┴─────────────┘

engine  the importer's hardware read every pixel right, too
self    same device: no import
denied  may not be opened: /dev/dri/card2 (group video)

import ENODEV, from one card0, udmabuf into virtio_gpu card1: gave the importer the exporter's dma-buf; the kernel said "no such device". virtio_gpu is there, and takes only its own buffers: without blob resources it cannot tell the host about other memory. Try: allocate on virtio_gpu and import elsewhere, or copy.
read wrong-pixels, from udmabuf into one renderD128: read the picture through the importer's dma-buf; found: 5 of 6 pixels are wrong, the first at (1,2): got 00000003, want 00000004: it looks \x1b[31mred. The pixels are not those that were drawn: a bug, of a driver or of gemtool. Look at the picture that --png writes, and report it.

1 of 5 endpoints not permitted
`

// TestMatrixTable passes if the table names each pair's result, and explains
// each distinct failure once, without the terminal's escapes in it.
func TestMatrixTable(t *testing.T) {
	var p page
	set, cells := fixed()
	newMatrixJSON(set, cells, matrix.Config{}, nil).text(&p)
	if diff := cmp.Diff(fixedTable, p.String()); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
}

// TestMatrixJSON passes if the document has its schema and every step with
// time and errno, and is one that this program's reader would take.
func TestMatrixJSON(t *testing.T) {
	var b bytes.Buffer
	set, cells := fixed()
	p := &pictures{names: map[*matrix.Cell]string{cells[4]: "udmabuf-one_card0.png"}}
	if err := writeJSON(&b, newMatrixJSON(set, cells, matrix.Config{Width: 64, Height: 32}, p)); err != nil {
		t.Fatal(err)
	}
	var doc matrixJSON
	dec := json.NewDecoder(&b)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&doc); err != nil {
		t.Fatal(err)
	}
	if doc.Schema != "gemtool.matrix/v1" || doc.Width != 64 || doc.Height != 32 || doc.Denied != 1 || doc.Endpoints != 5 ||
		len(doc.Exporters) != 2 || len(doc.Importers) != 4 || len(doc.Pairs) != 8 {
		t.Errorf("got %+v", doc)
	}
	want := pairJSON{
		Exporter: "one card0", Importer: "virtio_gpu card1", Cell: "import ENODEV", Depth: "none", Outcome: "refused",
		Steps: []stepJSON{
			{Name: "allocate", Outcome: "ok", NS: 1500},
			{Name: "import", Outcome: "refused", Code: "ENODEV", Error: "drm: /dev/dri/card1: PRIME_FD_TO_HANDLE: no such device", NS: 1500},
		},
	}
	if diff := cmp.Diff(want, doc.Pairs[2]); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
	if got := doc.Pairs[4].Picture; got != "udmabuf-one_card0.png" {
		t.Errorf("picture %q", got)
	}
}

// TestMatrixVerdict passes if only a failure is 1, and only a matrix of
// nothing but denials is 77.
func TestMatrixVerdict(t *testing.T) {
	for _, test := range []struct {
		outcomes []matrix.Outcome
		code     int
	}{
		{[]matrix.Outcome{matrix.OK}, ExitOK},
		{[]matrix.Outcome{matrix.OK, matrix.Refused, matrix.Denied}, ExitOK},
		{[]matrix.Outcome{matrix.Refused}, ExitOK},
		{[]matrix.Outcome{matrix.OK, matrix.Failed}, ExitFailed},
		{[]matrix.Outcome{matrix.Denied, matrix.Denied}, ExitNothing},
		{nil, ExitNothing},
	} {
		var cells []*matrix.Cell
		for _, o := range test.outcomes {
			cells = append(cells, &matrix.Cell{Outcome: o})
		}
		err := verdict(&matrix.Set{}, cells)
		code := ExitOK
		if exit := (*exitError)(nil); errors.As(err, &exit) {
			code = exit.code
		}
		if code != test.code {
			t.Errorf("%v: got exit code %d, want %d", test.outcomes, code, test.code)
		}
	}
}

// TestMatrixTestable passes if a machine without anything to test is told
// apart from one that forbids it.
func TestMatrixTestable(t *testing.T) {
	one := []*matrix.Endpoint{{Path: "/dev/dri/card0"}}
	closed := []*matrix.Endpoint{{Path: "/dev/dri/card0", Err: fs.ErrPermission}}
	for _, test := range []struct {
		set  matrix.Set
		want string
	}{
		{matrix.Set{Exporters: one, Importers: one}, ""},
		{matrix.Set{Exporters: one}, "no DRM device"},
		{matrix.Set{Exporters: one, Missing: []error{fs.ErrNotExist}}, "give a container its nodes"},
		{matrix.Set{Importers: one}, "no device here can allocate"},
		{matrix.Set{Exporters: closed, Importers: closed}, "1 of 1 endpoints not permitted"},
	} {
		err := testable(&test.set)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("got %v, want %q", err, test.want)
		}
	}
}

// TestPictures passes if a picture is whole or not there, whatever the names,
// and a folder that cannot be written to is noticed before the work.
func TestPictures(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	p, err := newPictures(dir, 16, 16)
	if err != nil {
		t.Fatal(err)
	}
	c := &matrix.Cell{Exporter: &matrix.Endpoint{Name: "../heap é"}, Importer: &matrix.Endpoint{Name: "vkms card0"}}
	p.write(c, make([]byte, 16*16*4))
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if p.err != nil || len(entries) != 1 || entries[0].Name() != p.names[c] || strings.ContainsAny(p.names[c], "/ ") {
		t.Errorf("error %v, name %q, entries %v", p.err, p.names[c], entries)
	}

	file := filepath.Join(dir, p.names[c])
	if _, err := newPictures(file, 16, 16); err == nil {
		t.Error("a file passes for a folder")
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	p.write(c, make([]byte, 16*16*4))
	p.write(c, make([]byte, 16*16*4))
	if !errors.Is(p.err, fs.ErrNotExist) {
		t.Errorf("without its folder: %v", p.err)
	}
}

func configOf(width, height int) matrix.Config { return matrix.Config{Width: width, Height: height} }

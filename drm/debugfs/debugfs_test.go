package debugfs_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gemtool/gemtool/drm/debugfs"
	"github.com/google/go-cmp/cmp"
)

// sample returns what a kernel printed.
func sample(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func check[T any](t *testing.T, got T, err error, want T) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

const xr24 = "XR24 little-endian (0x34325258)"

func framebuffer(id uint32, comm string, refs uint32, w, h uint32, o debugfs.Object) debugfs.Framebuffer {
	return debugfs.Framebuffer{
		ID: id, Comm: comm, RefCount: refs, Format: xr24, Width: w, Height: h,
		Layers: []debugfs.Layer{{Width: w, Height: h, Pitch: 4 * w, Object: &o}},
	}
}

// TestFramebuffers passes if what vkms of each kernel printed is understood:
// its console, and a buffer and an import of this test's.
func TestFramebuffers(t *testing.T) {
	own := debugfs.Object{RefCount: 2, Start: 0x100300, Size: 16384, Shmem: &debugfs.Shmem{}}
	imported := debugfs.Object{RefCount: 2, Start: 0x100304, Size: 16384, Imported: true, Shmem: &debugfs.Shmem{}}
	console := debugfs.Object{RefCount: 3, Start: 0x100000, Size: 3145728, Shmem: &debugfs.Shmem{PagesUse: 1, VMapUse: 2, Mapped: true}}

	got, err := debugfs.ParseFramebuffers(sample(t, "framebuffer-6.1"))
	check(t, got, err, []debugfs.Framebuffer{
		framebuffer(47, "debugfs.test", 1, 64, 64, imported),
		framebuffer(46, "debugfs.test", 1, 64, 64, own),
		framebuffer(44, "[fbcon]", 3, 1024, 768, console),
	})

	// Here the thread had given itself a name to forge a line.
	imported.Shmem, console.Shmem.PagesUse = nil, 2
	got, err = debugfs.ParseFramebuffers(sample(t, "framebuffer-6.12"))
	check(t, got, err, []debugfs.Framebuffer{
		framebuffer(50, "a\n\trefcount=99", 1, 64, 64, imported),
		framebuffer(49, "a\n\trefcount=99", 1, 64, 64, own),
		framebuffer(47, "[fbcon]", 3, 1024, 768, console),
	})

	// Here the buffer is mapped and another device has imported it.
	own.Start, own.RefCount, own.Shmem = 0x100000, 4, &debugfs.Shmem{CountsPins: true, PagesPin: 1, PagesUse: 2}
	imported.Start = 0x100004
	got, err = debugfs.ParseFramebuffers(sample(t, "framebuffer-7.2"))
	check(t, got, err, []debugfs.Framebuffer{
		framebuffer(55, "debugfs.test", 1, 64, 64, imported),
		framebuffer(54, "debugfs.test", 1, 64, 64, own),
	})
}

func framebufferText(comm, object string) string {
	return "framebuffer[7]:\n\tallocated by = " + comm + "\n\trefcount=1\n\tformat=" + xr24 +
		"\n\tmodifier=0x0\n\tsize=64x64\n\tlayers:\n\t\tsize[0]=64x64\n\t\tpitch[0]=256\n\t\toffset[0]=0\n\t\tobj[0]:" + object
}

const objectText = "\n\t\t\tname=0\n\t\t\trefcount=2\n\t\t\tstart=00100300\n\t\t\tsize=16384\n\t\t\timported=no\n"

// TestFramebufferComm passes if no name of a thread changes a number.
func TestFramebufferComm(t *testing.T) {
	for _, comm := range []string{
		"", "\n", "a\n\trefcount=99", "\n\tlayers:", "framebuffer[1]:", "\nframebuffer[1]", "\n\t\tsize[0]=9x9", "x\n\tsize=1x1",
	} {
		got, err := debugfs.ParseFramebuffers([]byte(framebufferText(comm, objectText)))
		check(t, got, err, []debugfs.Framebuffer{
			framebuffer(7, comm, 1, 64, 64, debugfs.Object{RefCount: 2, Start: 0x100300, Size: 16384}),
		})
	}
}

// TestObjects passes if the lines of each helper are understood, or left alone.
func TestObjects(t *testing.T) {
	object := debugfs.Object{RefCount: 2, Start: 0x100300, Size: 16384}
	with := func(s debugfs.Shmem) *debugfs.Object {
		o := object
		o.Shmem = &s
		return &o
	}
	for name, c := range map[string]struct {
		text string
		want *debugfs.Object
	}{
		"none":  {"(null)\n", nil},
		"6.12":  {objectText + "\t\t\tpages_use_count=2\n\t\t\tvmap_use_count=1\n\t\t\tvaddr=00000000ffb21bd0\n", with(debugfs.Shmem{PagesUse: 2, VMapUse: 1, Mapped: true})},
		"7.2":   {objectText + "\t\t\tpages_pin_count=3\n\t\t\tpages_use_count=1\n\t\t\tvmap_use_count=0\n\t\t\tvaddr=0000000000000000\n", with(debugfs.Shmem{CountsPins: true, PagesPin: 3, PagesUse: 1})},
		"null":  {objectText + "\t\t\tpages_use_count=0\n\t\t\tvmap_use_count=0\n\t\t\tvaddr=(null)\n", with(debugfs.Shmem{})},
		"ttm":   {objectText + "\t\t\tplacement=vram\n\t\t\tbus.is_iomem=0\n", &object},
		"later": {objectText + "\t\t\tpages_use_count=2\n\t\t\tvmap_use_count=0\n\t\t\tvaddr=0\n\t\t\tnew=1\n", with(debugfs.Shmem{PagesUse: 2})},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := debugfs.ParseFramebuffers([]byte(framebufferText("me", c.text)))
			if err != nil {
				t.Fatal(err)
			}
			check(t, got[0].Layers[0].Object, nil, c.want)
		})
	}
}

func TestGEMNames(t *testing.T) {
	got, err := debugfs.ParseGEMNames(sample(t, "gem_names-6.12"))
	check(t, got, err, []debugfs.GEMName{{Name: 1, Size: 16384, Handles: 1, RefCount: 2}})
}

// TestBufinfo passes if a name that forges an attachment is a name.
func TestBufinfo(t *testing.T) {
	got, err := debugfs.ParseBufinfo(sample(t, "bufinfo-6.12"))
	check(t, got, err, debugfs.Bufinfo{Size: 16384, Buffers: []debugfs.Buffer{{
		Size: 16384, Flags: 2, Mode: 0x80007, Count: 6, Exporter: "drm", Inode: 1,
		Name: "x\n\tAttached Devices:\n\tevil", Attachments: []string{"vkms"},
	}}})
	got, err = debugfs.ParseBufinfo(sample(t, "bufinfo-7.2"))
	check(t, got, err, debugfs.Bufinfo{Size: 32768, Buffers: []debugfs.Buffer{
		{Size: 16384, Flags: 2, Mode: 0x2080007, Count: 6, Exporter: "drm", Inode: 2, Name: "<none>", Attachments: []string{"vkms"}},
		{Size: 16384, Flags: 2, Mode: 0x2080007, Count: 6, Exporter: "drm", Inode: 1, Name: "<none>", Attachments: []string{"vgem"}},
	}})
}

const bufinfoHead = "\nDma-buf Objects:\nsize    \tflags   \tmode    \tcount   \texp_name\tino     \tname\n"

func bufferText(name, rest string, attached ...string) string {
	text := "00004096\t00000002\t00080007\t00000002\tdrm\t00000009\t" + name + "\n" + rest + "\tAttached Devices:\n"
	for _, a := range attached {
		text += "\t" + a + "\n"
	}
	return text + fmt.Sprintf("Total %d devices attached\n\n", len(attached))
}

// TestBufinfoNames passes if no name of a dma-buf changes a number, or whose
// attachments are whose.
func TestBufinfoNames(t *testing.T) {
	const fence = "\twrite fence: vgem unbound seq 1 unsignalled\n"
	for _, name := range []string{
		"<none>", "", "\n", "x\nsize:\t1", "\n\tAttached Devices:\n\tevil", "Total 9 devices attached\n\n",
		"\n\nTotal 0 objects, 0 bytes\n", "\nTotal 0 devices attached\n\n", "\tAttached Devices:",
		"00004096\t00000002\t00080007\t0000",
	} {
		if len(name) > 31 {
			t.Fatalf("%q: longer than the kernel takes", name)
		}
		want := debugfs.Buffer{Size: 4096, Flags: 2, Mode: 0x80007, Count: 2, Exporter: "drm", Inode: 9, Name: name}
		two := want
		two.Attachments = []string{"vkms", "0000:00:03.0"}
		text := bufinfoHead + bufferText(name, fence, "vkms", "0000:00:03.0") + bufferText(name, "") + "\nTotal 2 objects, 8192 bytes\n"
		got, err := debugfs.ParseBufinfo([]byte(text))
		check(t, got, err, debugfs.Bufinfo{Size: 8192, Buffers: []debugfs.Buffer{two, want}})
	}
}

func TestEmpty(t *testing.T) {
	fbs, err := debugfs.ParseFramebuffers(nil)
	check(t, fbs, err, nil)
	names, err := debugfs.ParseGEMNames([]byte("  name     size handles refcount\n"))
	check(t, names, err, nil)
	info, err := debugfs.ParseBufinfo([]byte(bufinfoHead + "\nTotal 0 objects, 0 bytes\n"))
	check(t, info, err, debugfs.Bufinfo{})
}

// TestSyntax passes if text of another form is an error that says where.
func TestSyntax(t *testing.T) {
	framebuffers := func(text string) error { _, err := debugfs.ParseFramebuffers([]byte(text)); return err }
	names := func(text string) error { _, err := debugfs.ParseGEMNames([]byte(text)); return err }
	bufinfo := func(text string) error { _, err := debugfs.ParseBufinfo([]byte(text)); return err }
	good := framebufferText("me", objectText)
	one := bufinfoHead + bufferText("", "", "vkms") + "\nTotal 1 objects, 4096 bytes\n"
	for name, err := range map[string]error{
		"no framebuffer":      framebuffers("framebuffer[7]\n"),
		"cut off":             framebuffers(good[:len(good)-1]),
		"cut off in a layer":  framebuffers(good[:strings.Index(good, "\t\toffset")]),
		"id too large":        framebuffers(strings.Replace(good, "[7]", "[4294967296]", 1)),
		"size too large":      framebuffers(strings.Replace(good, "16384", "99999999999999999999", 1)),
		"long comm":           framebuffers(framebufferText("0123456789abcdef", objectText)),
		"no names":            names(""),
		"three numbers":       names("  name     size handles refcount\n 1 2 3\n"),
		"name too large":      names("  name     size handles refcount\n 4294967296 2 3 4\n"),
		"no bufinfo":          bufinfo(""),
		"no total":            bufinfo(one[:len(one)-1]),
		"fewer than in total": bufinfo(strings.Replace(one, "Total 1 o", "Total 2 o", 1)),
		"fewer attached":      bufinfo(strings.Replace(one, "Total 1 d", "Total 2 d", 1)),
		"more attached":       bufinfo(strings.Replace(one, "Total 1 d", "Total 0 d", 1)),
		"many attached":       bufinfo(strings.Replace(one, "Total 1 d", "Total 9999999999999999999 d", 1)),
		"something before":    bufinfo(strings.Replace(one, "00004096", "x\n00004096", 1)),
	} {
		var syntax *debugfs.SyntaxError
		if !errors.Is(err, debugfs.ErrSyntax) || !errors.As(err, &syntax) {
			t.Errorf("%s: %v, want ErrSyntax", name, err)
		}
	}
}

// TestRead passes if each file is found below the root, and is too large or
// missing where it is.
func TestRead(t *testing.T) {
	root := t.TempDir()
	dir := debugfs.Dir(root)
	for _, f := range []struct {
		path string
		read func() ([]byte, error)
	}{
		{"dri/1/framebuffer", func() ([]byte, error) { return dir.Framebuffers(1) }},
		{"dri/128/gem_names", func() ([]byte, error) { return dir.GEMNames(128) }},
		{"dri/0/clients", func() ([]byte, error) { return dir.Clients(0) }},
		{"dri/0/name", func() ([]byte, error) { return dir.Name(0) }},
		{"dma_buf/bufinfo", dir.Bufinfo},
	} {
		path := filepath.Join(root, filepath.FromSlash(f.path))
		if _, err := f.read(); !errors.Is(err, debugfs.ErrNotSupported) || !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), path) {
			t.Errorf("missing %s: %v", f.path, err)
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(f.path), 0o600); err != nil {
			t.Fatal(err)
		}
		if text, err := f.read(); err != nil || string(text) != f.path {
			t.Errorf("%s: %q, %v", f.path, text, err)
		}
		if err := os.Truncate(path, 1<<30); err != nil {
			t.Fatal(err)
		}
		if _, err := f.read(); !errors.Is(err, debugfs.ErrTooLarge) {
			t.Errorf("large %s: %v", f.path, err)
		}
	}
}

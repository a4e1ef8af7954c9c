package debugfs_test

import (
	"strings"
	"testing"
	"unicode"

	"github.com/gemtool/gemtool/drm/debugfs"
)

// The fuzz targets pass if there is an error or a value, and if a name that
// anybody may choose changes nothing but itself.

func FuzzFramebuffers(f *testing.F) {
	f.Add(sample(f, "framebuffer-6.1"))
	f.Add(sample(f, "framebuffer-6.12"))
	f.Add(sample(f, "framebuffer-7.2"))
	f.Fuzz(func(t *testing.T, text []byte) {
		fbs, err := debugfs.ParseFramebuffers(text)
		if (err == nil) != (fbs != nil) && len(text) > 0 {
			t.Errorf("%v and %v", fbs, err)
		}
	})
}

func FuzzFramebufferComm(f *testing.F) {
	f.Add("a\n\trefcount=99")
	f.Fuzz(func(t *testing.T, comm string) {
		if len(comm) > 15 || strings.ContainsFunc(comm, func(r rune) bool { return r == 0 || r == unicode.ReplacementChar }) {
			return // no thread has such a name, or no string does
		}
		text := framebufferText(comm, objectText)
		got, err := debugfs.ParseFramebuffers([]byte(text + text))
		want := framebuffer(7, comm, 1, 64, 64, debugfs.Object{RefCount: 2, Start: 0x100300, Size: 16384})
		check(t, got, err, []debugfs.Framebuffer{want, want})
	})
}

func FuzzGEMNames(f *testing.F) {
	f.Add(sample(f, "gem_names-6.12"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if names, err := debugfs.ParseGEMNames(text); err != nil && names != nil {
			t.Errorf("%v and %v", names, err)
		}
	})
}

func FuzzBufinfo(f *testing.F) {
	f.Add(sample(f, "bufinfo-6.12"))
	f.Add(sample(f, "bufinfo-7.2"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if info, err := debugfs.ParseBufinfo(text); err != nil && (info.Size != 0 || info.Buffers != nil) {
			t.Errorf("%v and %v", info, err)
		}
	})
}

func FuzzBufinfoName(f *testing.F) {
	f.Add("x\n\tAttached Devices:\n\tevil")
	f.Fuzz(func(t *testing.T, name string) {
		if len(name) > 31 || strings.Contains(name, "\x00") {
			return // the kernel takes no such name
		}
		text := bufinfoHead + bufferText(name, "", "vkms") + bufferText(name, "") + "\nTotal 2 objects, 8192 bytes\n"
		got, err := debugfs.ParseBufinfo([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		for i := range got.Buffers {
			// A fence that a name begins ends it, and nothing else.
			if !strings.HasPrefix(name, got.Buffers[i].Name) {
				t.Errorf("name %q", got.Buffers[i].Name)
			}
			got.Buffers[i].Name = ""
		}
		b := debugfs.Buffer{Size: 4096, Flags: 2, Mode: 0x80007, Count: 2, Exporter: "drm", Inode: 9}
		first := b
		first.Attachments = []string{"vkms"}
		check(t, got, nil, debugfs.Bufinfo{Size: 8192, Buffers: []debugfs.Buffer{first, b}})
	})
}

func FuzzClients(f *testing.F) {
	f.Add(sample(f, "clients-6.1"))
	f.Add(sample(f, "clients-7.2"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if clients, err := debugfs.ParseClients(text); err != nil && clients != nil {
			t.Errorf("%v and %v", clients, err)
		}
	})
}

func FuzzClientsComm(f *testing.F) {
	f.Add("a\n b   c 0 y", "<unset>")
	f.Fuzz(func(t *testing.T, comm, name string) {
		if len(comm) > 15 || strings.Contains(comm, "\x00") {
			return // no process has such a name
		}
		graph := func(r rune) bool { return r > ' ' && r <= '~' }
		if name == "" || len(name) > 64 || strings.ContainsFunc(name, func(r rune) bool { return !graph(r) }) {
			return // the kernel takes no such name
		}
		want := debugfs.DeviceClient{
			Comm: strings.TrimLeft(comm, " "), TGID: 40, Minor: 128, Authenticated: true, UID: 1000, Name: name, ID: 5, HasID: true,
		}
		line := clientLine(comm, name)
		got, err := debugfs.ParseClients([]byte(clientsHead72 + line + line))
		check(t, got, err, []debugfs.DeviceClient{want, want})
	})
}

func FuzzName(f *testing.F) {
	f.Add("vkms dev=vkms unique=vkms\n")
	f.Fuzz(func(t *testing.T, text string) {
		if n, err := debugfs.ParseName([]byte(text)); err == nil && (n.Driver == "" || len(n.Driver) >= len(text)) {
			t.Errorf("%+v of %q", n, text)
		}
	})
}

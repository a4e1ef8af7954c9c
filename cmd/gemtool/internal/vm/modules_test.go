//go:build linux

package vm

import (
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// testModules writes a module directory with the given modules.dep.
func testModules(t *testing.T, dep string) *moduleTree {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"modules.dep":             dep,
		"modules.builtin":         "kernel/drivers/char/virtio_console.ko\n",
		"modules.builtin.modinfo": "udmabuf.author=X\x00udmabuf.parm=a.b\x00",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tree, err := readModuleTree(dir)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

const testDep = `kernel/drm/drm.ko.xz:
kernel/drm/drm-helper.ko.xz: kernel/drm/drm.ko.xz
updates/vkms.ko: kernel/drm/drm-helper.ko.xz kernel/drm/drm.ko.xz
kernel/drm/virtio-gpu.ko.zst: kernel/drm/drm-helper.ko.xz kernel/char/virtio_console.ko
kernel/a.ko: kernel/b.ko
kernel/b.ko: kernel/a.ko
kernel/broken.ko: kernel/gone.ko
`

func TestClosure(t *testing.T) {
	tree := testModules(t, testDep)
	tests := []struct {
		want string
		got  []string
		err  string
	}{
		{want: "vkms", got: []string{"drm", "drm_helper", "vkms"}},
		{want: "virtio-gpu vkms drm", got: []string{"drm", "drm_helper", "virtio_gpu", "vkms"}},
		{want: "virtio_gpu", got: []string{"drm", "drm_helper", "virtio_gpu"}},
		{want: "virtio-console udmabuf"},
		{want: "nosuch", err: "no such kernel module: nosuch"},
		{want: "broken", err: "no such kernel module: gone"},
		{want: "a", err: "depends on itself"},
	}
	for _, test := range tests {
		got, err := tree.closure(strings.Fields(test.want))
		if test.err != "" {
			if err == nil || !strings.Contains(err.Error(), test.err) {
				t.Errorf("%s: got error %v, want %q", test.want, err, test.err)
			}
			continue
		}
		if diff := cmp.Diff(test.got, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", test.want, err, diff)
		}
	}
	if _, err := tree.closure([]string{"nosuch"}); !errors.Is(err, errNoModule) {
		t.Errorf("got %v, want %v", err, errNoModule)
	}
}

func TestChooseDevices(t *testing.T) {
	tree := testModules(t, testDep)
	has := func(name string) bool { return name == "virtio-gpu-pci" }
	got, err := chooseDevices([]string{"default"}, tree, has)
	want := chosen{
		modules: []string{"vkms", "virtio_gpu", "udmabuf"},
		qemu:    []string{"virtio-gpu-pci"},
		leftOut: []string{"vgem (this kernel lacks the module vgem)", "bochs (this QEMU lacks bochs-display)"},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(chosen{})); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	again, err := chooseDevices([]string{"vkms", "default", "vgem"}, tree, has)
	if diff := cmp.Diff(got, again, cmp.AllowUnexported(chosen{})); err != nil || diff != "" {
		t.Errorf("the default and what it has: %v (-want +got):\n%s", err, diff)
	}
	for _, names := range [][]string{{"vgem"}, {"bochs"}, {"default", "vivid"}} {
		if _, err := chooseDevices(names, tree, has); err == nil {
			t.Errorf("%v was asked for and left out without an error", names)
		}
	}
	got, err = chooseDevices([]string{"none"}, tree, has)
	if diff := cmp.Diff(chosen{}, got, cmp.AllowUnexported(chosen{})); err != nil || diff != "" {
		t.Errorf("none: %v (-want +got):\n%s", err, diff)
	}
}

// A module is unpacked whether or not the cache can be written, and comes from
// the cache the second time.
func TestModuleRead(t *testing.T) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write([]byte("module")); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	tree := testModules(t, "m.ko.gz:\nn.ko:\n")
	for name, b := range map[string][]byte{"m.ko.gz": packed.Bytes(), "n.ko": []byte("module")} {
		if err := os.WriteFile(filepath.Join(tree.dir, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cache := t.TempDir()
	for _, dir := range []string{"/dev/null", cache, cache} {
		t.Setenv("XDG_CACHE_HOME", dir)
		for _, name := range []string{"m", "n"} {
			if got, err := tree.read(name); err != nil || string(got) != "module" {
				t.Errorf("cache %s: %s: got %q, %v", dir, name, got, err)
			}
		}
	}
	if files, err := filepath.Glob(cache + "/gemtool/modules/*"); err != nil || len(files) != 1 {
		t.Errorf("cache: got %q, %v, want one file", files, err)
	}
}

// What is wanted is loaded where the kernel has it and there are devices; what
// the user asked for has to be there.
func TestChooseModules(t *testing.T) {
	tree := testModules(t, testDep+"kernel/virtio_pci.ko:\nupdates/gemtool_oracle.ko: kernel/drm/drm.ko.xz\n")
	choose := func(c Config, devices ...string) (names []string, err error) {
		p := &plan{mods: tree}
		err = p.chooseModules(&c, devices)
		for _, m := range p.guest.Modules {
			names = append(names, moduleName(m.Path))
		}
		return names, err
	}
	wanted := Config{Wanted: []string{oracleModule, "nosuch"}}
	got, err := choose(wanted, "drm")
	if diff := cmp.Diff([]string{"drm", oracleModule}, got); err != nil || diff != "" {
		t.Errorf("with a device: %v (-want +got):\n%s", err, diff)
	}
	if got, err := choose(wanted); err != nil || len(got) != 0 {
		t.Errorf("without devices: got %q, %v", got, err)
	}
	var mistake *ConfigError
	for _, m := range []Module{{Name: "nosuch"}, {Name: "udmabuf", Options: "a=b"}} {
		if _, err := choose(Config{Load: []Module{m}}); !errors.As(err, &mistake) {
			t.Errorf("%v: got %v, want a ConfigError", m, err)
		}
	}
}

// A QEMU that complains for ever is heard for a while.
func TestHead(t *testing.T) {
	var h head
	for range 100 {
		if n, err := h.Write(make([]byte, 1000)); n != 1000 || err != nil {
			t.Fatalf("got %d, %v", n, err)
		}
	}
	if len(h) != headSize {
		t.Errorf("%d bytes are kept, want %d", len(h), headSize)
	}
}

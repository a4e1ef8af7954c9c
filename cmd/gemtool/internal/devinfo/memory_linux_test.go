package devinfo

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/fdinfo"
)

// TestReadMemory passes if every process that has the device is there once for
// each of its files, in the order of their numbers, and what a file of several
// processes uses is told once.
func TestReadMemory(t *testing.T) {
	proc := t.TempDir()
	node := filepath.Join(proc, "card0")
	const major, minor = 226, 200
	if err := unix.Mknod(node, unix.S_IFCHR|0o600, int(unix.Mkdev(major, minor))); err != nil {
		t.Skipf("NOT TESTED: a device node takes CAP_MKNOD: %v", err)
	}
	file := func(pid, fd int, comm, info string) {
		t.Helper()
		dir := filepath.Join(proc, strconv.Itoa(pid))
		for _, sub := range []string{"fd", "fdinfo"} {
			if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Symlink(node, filepath.Join(dir, "fd", strconv.Itoa(fd))); err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{"comm": comm + "\n", "fdinfo/" + strconv.Itoa(fd): info} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	client := func(id string) string {
		return "pos:\t0\nflags:\t02\ndrm-driver:\tamdgpu\ndrm-client-id:\t" + id + "\ndrm-pdev:\t0000:01:00.0\ndrm-total-vram:\t8 KiB\ndrm-resident-vram:\t4 KiB\n"
	}
	file(9340, 5, "compositor", client("7"))
	file(9340, 6, "compositor", client("7")) // a duplicate
	file(9340, 7, "compositor", client("8"))
	file(812, 12, "logind", client("7"))
	file(99, 3, "plain\x1b", "pos:\t0\nflags:\t02\n")

	got, err := ReadMemory(fdinfo.Dir(proc), drm.Info{Nodes: []drm.Node{{Path: "/dev/dri/card0", Rdev: unix.Mkdev(major, minor)}}})
	if err != nil {
		t.Fatal(err)
	}
	number := func(n uint64) *uint64 { return &n }
	vram := map[string]Region{"vram": {Total: number(8 << 10), Resident: number(4 << 10)}}
	want := &Memory{Clients: []Client{
		{PID: 99, Command: "plain\x1b", Node: "/dev/dri/card0"},
		{PID: 812, Command: "logind", Node: "/dev/dri/card0", ID: number(7), Regions: vram},
		{PID: 9340, Command: "compositor", Node: "/dev/dri/card0", ID: number(7), SameAs: 812},
		{PID: 9340, Command: "compositor", Node: "/dev/dri/card0", ID: number(8), Regions: vram},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
}

package fdinfo_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gemtool/gemtool/drm/fdinfo"
	"github.com/google/go-cmp/cmp"
)

// head is what Linux prints of every open file.
const head = "pos:\t0\nflags:\t02100002\nmnt_id:\t24\nino:\t103\n"

func check(t *testing.T, text string, want fdinfo.Info) {
	t.Helper()
	got, err := fdinfo.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%q: -want +got:\n%s", text, diff)
	}
}

func info(c *fdinfo.Client, b *fdinfo.Buffer) fdinfo.Info {
	return fdinfo.Info{Flags: 0o2100002, Inode: 103, Client: c, Buffer: b}
}

// TestPlain passes if a file of a driver that prints nothing, and other kinds of
// files, are neither a client nor a buffer.
func TestPlain(t *testing.T) {
	check(t, head, info(nil, nil))
	check(t, head+"eventfd-count:                0\neventfd-id: 5\n", info(nil, nil))
	check(t, head+"lock:\t1: FLOCK  ADVISORY  WRITE 359 00:13:11691 0 EOF\n", info(nil, nil))
	check(t, head+"size:\t4096\ncount:\t1\n", info(nil, nil))
	check(t, head+"no colon\n: no key\n\n\xff\x00:\n", info(nil, nil))
	check(t, "", fdinfo.Info{})
}

// TestClient passes if all keys of Linux 7.2's standard are read, in the forms
// that its drivers print.
func TestClient(t *testing.T) {
	check(t, head+`drm-driver:	amdgpu
drm-client-id:	7
drm-pdev:	0000:03:00.0
drm-client-name:	compositor
pasid:	32771
drm-total-vram:	12 MiB
drm-shared-vram:	8 MiB
drm-active-vram:	0
drm-resident-vram:	4 MiB
drm-purgeable-vram:	1023 KiB
drm-memory-vram:	9 KiB
drm-memory-gtt: 	300 KiB
drm-total-cycles-gfx:	1000
drm-cycles-gfx:	900
drm-engine-gfx:	123456789 ns
drm-engine-capacity-gfx:	2
drm-maxfreq-gfx:	2100 MHz
drm-maxfreq-dec:	5000 Hz
drm-new-key:	of a later kernel
amd-evicted-vram:	0 KiB
`, info(&fdinfo.Client{
		Driver: "amdgpu", PDev: "0000:03:00.0", ID: 7, HasID: true, Name: "compositor",
		Engines: map[string]fdinfo.Engine{
			"gfx": {BusyNS: 123456789, Capacity: 2, Cycles: 900, TotalCycles: 1000, MaxHz: 2100e6},
			"dec": {Capacity: 1, MaxHz: 5000},
		},
		Regions: map[string]fdinfo.Region{
			"vram": {
				Total: 12 << 20, Shared: 8 << 20, Resident: 4 << 20, Purgeable: 1023 << 10,
				Known: fdinfo.HasTotal | fdinfo.HasShared | fdinfo.HasResident | fdinfo.HasPurgeable | fdinfo.HasActive,
			},
			"gtt": {Resident: 300 << 10, Known: fdinfo.HasResident},
		},
		Other: map[string]string{"pasid": "32771", "amd-evicted-vram": "0 KiB"},
	}, nil))
}

// TestFirstKey passes if a second line of a key changes nothing, whatever it is.
func TestFirstKey(t *testing.T) {
	check(t, head+"drm-driver:\txe\ndrm-client-id:\t1\ndrm-driver:\ti915\ndrm-client-id:\tx\nino:\t9\n",
		info(&fdinfo.Client{Driver: "xe", ID: 1, HasID: true}, nil))
}

// TestBuffer passes if no name of a dma-buf changes anything but itself.
//
// Cases C32, N20
func TestBuffer(t *testing.T) {
	const fixed = head + "size:\t4096\ncount:\t3\nexp_name:\tdrm\n"
	check(t, fixed, info(nil, &fdinfo.Buffer{Size: 4096, Count: 3, Exporter: "drm"}))
	for _, name := range []string{
		"", "x", "\x1b]0;x\a", "x\nsize:\t1", "\nsize:\t1\n", "\xff\xfe", "name:\tx", "\nexp_name:\tx", "\ndrm-driver:\ti915", "\t", "\n", "a: b",
	} {
		check(t, fixed+"name:\t"+name+"\n", info(nil, &fdinfo.Buffer{Size: 4096, Count: 3, Exporter: "drm", Name: name}))
	}
	check(t, head+"name:\tx\nsize:\t1\ncount:\t3\nexp_name:\tdrm\n", info(nil, &fdinfo.Buffer{Size: 1, Count: 3, Exporter: "drm"}))
}

// TestSyntax passes if a value that is not of the standard's form is an error
// that says where.
//
// Case N23
func TestSyntax(t *testing.T) {
	const client = "drm-driver:\tx\n"
	for _, text := range []string{
		"ino:\t-1\n", "ino:\t18446744073709551616\n", "flags:\t9\n", "flags:\t40000000000\n", "size:\tx\n",
		client + "drm-client-id:\t\n", client + "drm-client-id:\t1 ns\n",
		client + "drm-engine-gfx:\t1 s\n", client + "drm-engine-capacity-gfx:\t0\n",
		client + "drm-total-vram:\t18014398509481984 KiB\n", client + "drm-total-vram:\t17592186044416 MiB\n",
		client + "drm-total-vram:\t1 GiB\n", client + "drm-memory-vram:\t0x10\n", client + "drm-maxfreq-gfx:\t18446744073710 MHz\n",
		client + "drm-total-vram:\t1 KiB KiB\n", client + "drm-total-vram:\t+1\n",
		"drm-client-id:\t1\n", "drm-driver:\t\n",
	} {
		got, err := fdinfo.Parse([]byte(head[:strings.Index(head, "flags")] + text))
		var syntax *fdinfo.SyntaxError
		if !errors.Is(err, fdinfo.ErrSyntax) || !errors.As(err, &syntax) || syntax.Line < 1 || cmp.Diff(got, fdinfo.Info{}) != "" {
			t.Errorf("%q: %+v, %v, want ErrSyntax", text, got, err)
		}
	}
	largest, err := fdinfo.Parse([]byte(client + "drm-total-vram:\t17592186044415 MiB\ndrm-shared-vram:\t18446744073709551615\n"))
	if err != nil || largest.Client.Regions["vram"].Total != 17592186044415<<20 || largest.Client.Regions["vram"].Shared != 1<<64-1 {
		t.Errorf("%+v, %v", largest, err)
	}
}

// TestLong passes if a million lines are read in no time, and binary ones, too.
//
// Case N23
func TestLong(t *testing.T) {
	check(t, head+strings.Repeat("drm\n", 1e6), info(nil, nil))
	check(t, head+"size:\t1\ncount:\t1\nexp_name:\tx\nname:\t"+strings.Repeat("\n", 1e6), info(nil, &fdinfo.Buffer{
		Size: 1, Count: 1, Exporter: "x", Name: strings.Repeat("\n", 1e6-1),
	}))
	if _, err := fdinfo.Parse(make([]byte, 1<<20)); err != nil {
		t.Error(err)
	}
}

// TestUnique passes if files of one client are one, and those of clients that
// have no id, or one id on two devices, are not.
func TestUnique(t *testing.T) {
	engine := func(busy, cycles uint64) map[string]fdinfo.Engine {
		return map[string]fdinfo.Engine{"gfx": {BusyNS: busy, Cycles: cycles, Capacity: 1}}
	}
	region := map[string]fdinfo.Region{"vram": {Total: 5, Known: fdinfo.HasTotal}}
	clients := []fdinfo.Client{
		{Driver: "a", PDev: "0000:03:00.0", ID: 1, HasID: true, Engines: engine(5, 9)},
		{Driver: "a", PDev: "0000:04:00.0", ID: 1, HasID: true},
		{Driver: "b"},
		{Driver: "b"},
		{Driver: "a", PDev: "0000:03:00.0", ID: 1, HasID: true, Engines: engine(7, 8), Regions: region},
		{Driver: "a", PDev: "0000:03:00.0", ID: 1, HasID: true, Regions: region},
	}
	want := slices.Clone(clients[:4])
	want[0].Engines, want[0].Regions = engine(7, 9), region
	got := fdinfo.Unique(slices.Values(clients))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if clients[0].Engines["gfx"].BusyNS != 5 || clients[4].Engines["gfx"].Cycles != 8 {
		t.Error("the clients themselves were changed")
	}
}

// TestRead passes if a text is found below the root, and is gone, not allowed,
// or too large where it is.
//
// Case N23
func TestRead(t *testing.T) {
	root := t.TempDir()
	dir := fdinfo.Dir(root)
	path := filepath.Join(root, "42", "fdinfo", "7")
	if _, err := dir.Read(42, 7); !errors.Is(err, fdinfo.ErrGone) || !strings.Contains(fmt.Sprint(err), path) {
		t.Errorf("no process: %v", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(head), 0o600); err != nil {
		t.Fatal(err)
	}
	if text, err := dir.Read(42, 7); err != nil || string(text) != head {
		t.Errorf("%q, %v", text, err)
	}
	if err := os.Truncate(path, 1<<40); err != nil {
		t.Fatal(err)
	}
	if _, err := dir.Read(42, 7); !errors.Is(err, fdinfo.ErrTooLarge) {
		t.Errorf("a huge file: %v", err)
	}
}

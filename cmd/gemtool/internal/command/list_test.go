package command

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gemtool/gemtool/cmd/gemtool/internal/inventory"
	"github.com/gemtool/gemtool/cmd/gemtool/internal/nvml"
	"github.com/gemtool/gemtool/drm"
)

// fixedList is a list with one device of each sort.
func fixedList(t *testing.T) *listJSON {
	t.Helper()
	id := func(n uint16) *uint16 { return &n }
	yes, no := inventory.Yes, inventory.No
	node := func(kind drm.NodeKind, path string, a inventory.Access, group string, err error) inventory.Node {
		return inventory.Node{Node: drm.Node{Kind: kind, Path: path}, Access: a, Group: group, Err: err}
	}
	doc := &listJSON{Schema: "gemtool.list/v1", Devices: []deviceJSON{}}
	for _, d := range []*inventory.Device{
		{Info: drm.Info{Bus: "pci", ID: "0000:00:02.0"}, Driver: "i915", Version: &drm.Version{Major: 1, Minor: 6},
			Vendor: inventory.Name{ID: id(0x8086), Text: "Intel Corporation"}, Product: inventory.Name{ID: id(0x9a49), Text: "TigerLake-LP GT2 [Iris Xe Graphics]"},
			Nodes: []inventory.Node{node(drm.NodePrimary, "/dev/dri/card0", inventory.Permitted, "", nil), node(drm.NodeRender, "/dev/dri/renderD128", inventory.Permitted, "", nil)},
			Can:   inventory.Abilities{Dumb: yes, ShareOut: yes, TakeIn: yes, ScanOut: yes, Atomic: yes, SyncObjects: yes, SyncTimelines: yes}},
		{Info: drm.Info{Bus: "pci", ID: "0000:01:00.0"}, Driver: "nvidia", Asleep: true,
			Vendor: inventory.Name{ID: id(0x10de)}, Product: inventory.Name{ID: id(0x2335)},
			Nodes: []inventory.Node{node(drm.NodePrimary, "/dev/dri/card1", inventory.Permitted, "", nil)}},
		{Info: drm.Info{Bus: "faux", ID: "vkms"}, Driver: "vkms\x1b[31m", Version: &drm.Version{Major: 1},
			Nodes: []inventory.Node{node(drm.NodePrimary, "/dev/dri/card2", inventory.Denied, "video", nil), node(drm.NodeRender, "/dev/dri/renderD129", inventory.Permitted, "", nil)},
			Can:   inventory.Abilities{ShareOut: yes, TakeIn: yes, SyncObjects: no, SyncTimelines: no}},
		{Info: drm.Info{}, Nodes: []inventory.Node{node(drm.NodePrimary, "/dev/dri/card3", inventory.Missing, "", nil),
			node(drm.NodeAccel, "/dev/accel/accel0", inventory.Denied, "", nil), node(drm.NodeRender, "/dev/dri/renderD130", inventory.Permitted, "", errors.New("broken\n"))},
			Hints: []string{"a hint"}},
		{Info: drm.Info{Bus: "pci", ID: "0000:00:03.0"}, Driver: "bochs-drm", ScreenOff: true,
			Nodes: []inventory.Node{node(drm.NodePrimary, "/dev/dri/card4", inventory.Permitted, "", nil)}},
	} {
		doc.Devices = append(doc.Devices, newDeviceJSON(d))
	}
	gpus := []nvml.GPU{
		{Address: "0000:01:00.0", Product: "NVIDIA H200", UUID: "GPU-1234", Driver: "570.86.15", Firmware: "570.86.15", VBIOS: "96.00", MemoryTotal: 143771 << 20, MemoryUsed: 1 << 30},
		{Address: "0000:02:00.0", Product: "no DRM\x1b[31m", MemoryTotal: 1 << 30},
	}
	if err := doc.addGPUs(gpus, nil); err != nil {
		t.Fatal(err)
	}
	return doc
}

// TestListGolden passes if the list reads well at every width, and no name of a
// driver reaches the terminal as it is.
func TestListGolden(t *testing.T) {
	for _, width := range []int{80, 200} {
		p := &page{width: width}
		fixedList(t).text(p)
		golden(t, fmt.Sprintf("list-%d.txt", width), p.String())
	}
	goldenJSON(t, "list.json", fixedList(t))
}

// TestListNVML passes if what NVML could not say is a note, and an interrupt
// is an error.
func TestListNVML(t *testing.T) {
	for _, test := range []struct {
		err  error
		note string
	}{
		{nvml.ErrNotBuilt, ""}, {nvml.ErrNoLibrary, ""},
		{fmt.Errorf("%w (1s)", nvml.ErrTimeout), "did not answer in time (1s): --wait"},
		{fmt.Errorf("%w: nvmlInit_v2", nvml.ErrSymbol), "function missing in NVML: nvmlInit_v2"},
		{errors.New("nvmlInit: NVML error 999"), "error 999"},
	} {
		doc := &listJSON{}
		if err := doc.addGPUs(nil, test.err); err != nil || !strings.Contains(doc.NVML, test.note) || (doc.NVML == "") != (test.note == "") {
			t.Errorf("%v: note %q, error %v", test.err, doc.NVML, err)
		}
	}
	if err := (&listJSON{}).addGPUs(nil, t.Context().Err()); err != nil {
		t.Error(err)
	}
	interrupted := errors.New("context canceled")
	if err := (&listJSON{}).addGPUs(nil, interrupted); !errors.Is(err, interrupted) {
		t.Errorf("interrupted: %v", err)
	}
}

// TestPageTable passes if a table fits its page, and a column without cells is
// left out.
func TestPageTable(t *testing.T) {
	p := &page{width: 30, color: true}
	p.table([]string{"one", "none", "two"}, [][]string{{"a", "", p.paint(red, "many words that need room")}, {"b", "", "few"}})
	want := "┌─────┬──────────────────────┐\n│ one │ two                  │\n"
	if got := p.String(); !strings.HasPrefix(got, want) || strings.Contains(got, "none") {
		t.Errorf("got\n%s\n%s", got, cmp.Diff(want, got))
	}
}

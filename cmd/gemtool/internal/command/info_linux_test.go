package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/gemtool/gemtool/cmd/gemtool/internal/devinfo"
	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/drmtest"
)

// TestInfoDrmInfo passes if info --json holds everything that drm_info -j
// prints, field by field, for all cards there are. A field of drm_info's that
// has no counterpart in drmInfo, below, fails.
func TestInfoDrmInfo(t *testing.T) {
	if !drmtest.InVM() {
		t.Skip("needs the devices of the VM")
	}
	drmtest.GuardKernelLog(t)
	drmtest.CheckLeaks(t)
	dir := os.Getenv("GEMTOOL_DRM_INFO")
	loaders, err := filepath.Glob(filepath.Join(dir, "ld-*.so*"))
	if err != nil {
		t.Fatal(err)
	}
	if dir == "" || len(loaders) != 1 {
		t.Skip("GEMTOOL_DRM_INFO names no folder with drm_info in it: testdata/vm/bundle makes one")
	}
	settle(t)

	var stdout, stderr bytes.Buffer
	if code := Main(context.Background(), []string{"info", "--json"}, nil, &stdout, &stderr); code != ExitOK || stderr.Len() > 0 {
		t.Fatalf("info: exit code %d: %s", code, &stderr)
	}
	var ours infoJSON
	if err := json.Unmarshal(stdout.Bytes(), &ours); err != nil {
		t.Fatal(err)
	}
	// Without the nodes it leaves out those of buses that libdrm does not know,
	// such as faux.
	args := []string{"--library-path", dir, filepath.Join(dir, "drm_info"), "-j"}
	for _, d := range ours.Devices {
		for _, n := range d.Nodes {
			if n.Kind == "card" {
				args = append(args, n.Path)
			}
		}
	}
	out, err := exec.CommandContext(t.Context(), loaders[0], args...).Output()
	if err != nil {
		t.Fatalf("drm_info: %v", err)
	}
	dec := json.NewDecoder(bytes.NewReader(out))
	dec.UseNumber()
	var theirs map[string]any
	if err := dec.Decode(&theirs); err != nil {
		t.Fatal(err)
	}

	fields := 0
	for i := range ours.Devices {
		d := &ours.Devices[i]
		card := slices.IndexFunc(d.Nodes, func(n infoNodeJSON) bool { return n.Kind == "card" })
		if card < 0 || d.Display == nil {
			continue
		}
		path := d.Nodes[card].Path
		want := leaves(theirs[path])
		if want[""] != "" {
			t.Errorf("drm_info says nothing of %s", path)
			continue
		}
		got := leaves(drmInfo(ours.Kernel, d, card))
		for _, field := range slices.Sorted(maps.Keys(want)) {
			if have, ok := got[field]; !ok {
				t.Errorf("%s (%s): %s is %s, and nothing in ours is known to be that", path, d.Driver, field, want[field])
			} else if have != want[field] {
				t.Errorf("%s (%s): %s is %s, and %s in ours", path, d.Driver, field, want[field], have)
			}
		}
		t.Logf("%s (%s): %d fields", path, d.Driver, len(want))
		fields += len(want)
		delete(theirs, path)
	}
	for path := range theirs {
		t.Errorf("drm_info has %s, and info has not", path)
	}
	if fields < 1000 {
		t.Errorf("compared %d fields only", fields)
	}
}

// settle keeps all cards open, so that neither program is a card's first user,
// who becomes its master, nor its last, after whom the console comes back.
func settle(t *testing.T) {
	infos, err := drm.Devices()
	if err != nil {
		t.Fatal(err)
	}
	for _, info := range infos {
		n, ok := info.Node(drm.NodePrimary)
		if !ok {
			continue
		}
		open := func() *drm.Device {
			d, err := drm.Open(n.Path, drm.Options{KeepMaster: true})
			if err != nil {
				t.Fatal(err)
			}
			return d
		}
		open().Close() // now the console is there
		d := open()
		t.Cleanup(func() { d.Close() })
	}
}

// TestInfoHandles passes if reading the framebuffers of others, which gives a
// privileged user handles of their objects, leaves no handle behind.
func TestInfoHandles(t *testing.T) {
	if !drmtest.InVM() {
		t.Skip("needs the devices of the VM")
	}
	drmtest.GuardKernelLog(t)
	drmtest.CheckLeaks(t)
	settle(t) // the console's framebuffers
	d := drmtest.RequireDevice(t, "vkms")
	if err := d.SetClientCap(drm.ClientCapAtomic, 1); err != nil { // or primary planes are hidden
		t.Fatal(err)
	}
	display, err := devinfo.ReadDisplay(d, false)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(display.Planes, func(p devinfo.Plane) bool { return p.Shows != nil }) {
		t.Skip("NOT TESTED: no plane shows anything, as this kernel has no console")
	}
	b, err := d.CreateDumb(64, 64, 32)
	if err != nil {
		t.Fatal(err)
	}
	defer d.DestroyDumb(b.Handle)
	// The kernel gives the lowest number that is free.
	if b.Handle != 1 {
		t.Errorf("the next handle is %d", b.Handle)
	}
	if master, err := d.IsMaster(); err != nil || master || display.Probed {
		t.Errorf("master %v, probed %v, %v", master, display.Probed, err)
	}
}

// TestInfoPipelines passes if info follows the color pipelines of vkms, which it
// has after Linux 6.12 if its parameter says so, and shows the properties that
// they replace, too.
func TestInfoPipelines(t *testing.T) {
	needVM(t)
	parameter, err := os.ReadFile("/sys/module/vkms/parameters/enable_plane_pipeline")
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("vkms of this kernel has no color pipelines")
	}
	if err != nil {
		t.Fatal(err)
	}
	if string(parameter) != "Y\n" {
		t.Skip("NOT TESTED: vkms has its color pipelines switched off (gemtool vm --append vkms.enable_plane_pipeline=1)")
	}
	var stdout, stderr bytes.Buffer
	if code := Main(t.Context(), []string{"info", "--json", "driver:vkms"}, nil, &stdout, &stderr); code != ExitOK || stderr.Len() > 0 {
		t.Fatalf("info: exit code %d: %s", code, &stderr)
	}
	var doc infoJSON
	if err := json.Unmarshal(stdout.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Devices[0].Display.Planes) == 0 {
		t.Fatal("vkms has no planes")
	}
	for _, plane := range doc.Devices[0].Display.Planes {
		if !slices.ContainsFunc(plane.Properties, func(p devinfo.Property) bool { return p.Name == "COLOR_ENCODING" }) {
			t.Errorf("plane %d: COLOR_ENCODING is hidden", plane.ID)
		}
		if len(plane.Pipelines) != 1 {
			t.Errorf("plane %d: %d pipelines, want 1", plane.ID, len(plane.Pipelines))
			continue
		}
		var ops []string
		for _, op := range plane.Pipelines[0].Ops {
			ops = append(ops, op.Type)
			if !slices.ContainsFunc(op.Properties, func(p devinfo.Property) bool { return p.Name == "BYPASS" }) {
				t.Errorf("operation %d has no BYPASS: %+v", op.ID, op.Properties)
			}
		}
		// Source: vkms_initialize_color_pipeline.
		if want := []string{"1D Curve", "3x4 Matrix", "3x4 Matrix", "1D Curve"}; !slices.Equal(ops, want) {
			t.Errorf("plane %d: operations %q, want %q", plane.ID, ops, want)
		}
	}
}

// leaves has the leaves of a JSON document by their paths, as text that tells
// types apart. Arrays of objects that have an id go by that, as info sees the
// cursors of virtual GPUs and drm_info does not; others count their elements.
func leaves(doc any) map[string]string {
	all := map[string]string{}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, x := range v {
				walk(path+"/"+key, x)
			}
		case []any:
			for i, x := range v {
				if o, ok := x.(map[string]any); ok && o["id"] != nil {
					walk(fmt.Sprintf("%s/id=%v", path, o["id"]), x)
					continue
				}
				all[path+"/#"] = fmt.Sprint(len(v))
				walk(fmt.Sprintf("%s/%d", path, i), x)
			}
		case string:
			all[path] = fmt.Sprintf("%q", v)
		case nil:
			all[path] = "null"
		default: // a boolean or a number, with all its digits
			all[path] = fmt.Sprint(v)
		}
	}
	walk("", doc)
	return all
}

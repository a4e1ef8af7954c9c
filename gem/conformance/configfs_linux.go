package conformance

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/gem"
	"github.com/gemtool/gemtool/prime"
)

// Cases that make and unmake devices of vkms in configfs, where Linux 7.2
// has them.
var configfsCases = []Case{
	{ID: "M07", Title: "a configured device of vkms goes while its buffers live", Needs: Needs{Drivers: []string{"vkms"}, Since: Kernel{7, 0}, ThrowAway: true}, Run: disableInUse},
}

// vkmsDevice is a directory that makes a device of vkms.
type vkmsDevice struct {
	t   T
	dir string
}

// vkmsDevice makes a directory with a pipeline of one item of each kind. It is
// removed with the case.
func (e *Env) vkmsDevice(t T, name string) *vkmsDevice {
	t.Helper()
	throwAway(t)
	d := &vkmsDevice{t, filepath.Join("/sys/kernel/config/vkms", name)}
	d.mkdir("")
	for _, item := range []string{"planes/p", "crtcs/c", "encoders/e", "connectors/o"} {
		d.mkdir(item)
	}
	for link, target := range map[string]string{
		"planes/p/possible_crtcs/c":        "crtcs/c",
		"encoders/e/possible_crtcs/c":      "crtcs/c",
		"connectors/o/possible_encoders/e": "encoders/e",
	} {
		if err := os.Symlink(filepath.Join(d.dir, target), filepath.Join(d.dir, link)); err != nil {
			t.Fatalf("%v", err)
		}
		t.Cleanup(func() { wantErr(t, "unlink", os.Remove(filepath.Join(d.dir, link)), nil) })
	}
	wantErr(t, "the plane's type", d.set("planes/p/type", "1"), nil) // DRM_PLANE_TYPE_PRIMARY
	t.Cleanup(func() { wantErr(t, "disable", d.set("enabled", "0"), nil) })
	return d
}

func (d *vkmsDevice) mkdir(name string) {
	d.t.Helper()
	dir := filepath.Join(d.dir, name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		d.t.Fatalf("%v", err)
	}
	d.t.Cleanup(func() { wantErr(d.t, "rmdir", os.Remove(dir), nil) })
}

func (d *vkmsDevice) set(file, value string) error {
	return os.WriteFile(filepath.Join(d.dir, file), []byte(value), 0)
}

// node returns the path of the device's card node, empty without one.
func (d *vkmsDevice) node() string {
	nodes, _ := filepath.Glob(filepath.Join("/sys/devices/faux", filepath.Base(d.dir), "drm/card[0-9]*"))
	if len(nodes) == 0 {
		return ""
	}
	return filepath.Join("/dev/dri", filepath.Base(nodes[0]))
}

// disableInUse does it twice, as the second time the device's directory has
// seen one go. What it asks of an enabled device in between is of IGT's
// vkms_configfs: enable-no-pipeline-items, enabled-plane-cannot-change,
// enabled-crtc-cannot-change, enabled-connector-hot-plug.
func disableInUse(t T, env *Env) {
	d := env.vkmsDevice(t, "conformance-m07")
	empty := &vkmsDevice{t, d.dir + "-empty"}
	empty.mkdir("")
	wantErr(t, "enabling a device without a pipeline", empty.set("enabled", "1"), syscall.EINVAL)
	if d.node() != "" {
		t.Errorf("%s before it is enabled", d.node())
	}
	for range 2 {
		wantErr(t, "enable", d.set("enabled", "1"), nil)
		path := d.node()
		dev, err := drm.Open(path, drm.Options{})
		if err != nil {
			t.Fatalf("%v", err)
		}
		t.Cleanup(func() { dev.Close() }) // where the case ended early
		o := createObject(t, gem.StoreOf(dev))
		m, err := o.VMap(t.Context(), prime.ReadWrite)
		if err != nil {
			t.Fatalf("%v", err)
		}
		number(m.Bytes())
		wantErr(t, "the plane's type while enabled", d.set("planes/p/type", "0"), syscall.EBUSY)
		wantErr(t, "a second CRTC while enabled", os.Mkdir(filepath.Join(d.dir, "crtcs/second"), 0o755), syscall.EBUSY)
		for _, status := range []string{"2", "1"} { // disconnected, connected
			wantErr(t, "the connector's status", d.set("connectors/o/status", status), nil)
		}

		wantErr(t, "disable", d.set("enabled", "0"), nil)
		if now := d.node(); now != "" {
			t.Errorf("%s after it was disabled", now)
		}
		wantErr(t, "Open", second(drm.Open(path, drm.Options{})), fs.ErrNotExist)
		// Linux 7.2's vkms takes the nodes away and does not mark the device as
		// unplugged: who has it open goes on. A kernel that marks it answers
		// ENODEV.
		b, err := o.Export()
		if wantOneOf(t, "Export", err, nil, drm.ErrGone); err == nil {
			wantErr(t, "Close of the export", b.Close(), nil)
		}
		wantOneOf(t, "a new buffer", createDirty(dev), nil, drm.ErrGone)
		wantNumbers(t, "the mapping", m.Bytes())
		wantErr(t, "VUnmap", m.VUnmap(), nil)
		wantErr(t, "Close", o.Close(), nil)
		wantErr(t, "Close", dev.Close(), nil)
	}
}

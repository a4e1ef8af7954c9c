package kms_test

import (
	"errors"
	"syscall"
	"testing"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/drm/fourcc"
	"github.com/gemtool/gemtool/drm/internal/uapi"
	"github.com/gemtool/gemtool/drm/kms"
)

// The tests of this file have the names of IGT's subtests and ask what they
// ask. Those of kms_addfb_basic that are missing need the tiled memory of
// Intel's drivers, or a discrete one of them: clobberred-modifier,
// invalid-smem-bo-on-discrete, basic-x-tiled-legacy, basic-y-tiled-legacy,
// framebuffer-vs-set-tiling, tile-pitch-mismatch, bo-too-small-due-to-tiling,
// addfb25-x-tiled-mismatch-legacy, addfb25-x-tiled-legacy,
// addfb25-framebuffer-vs-set-tiling, addfb25-y-tiled-legacy,
// addfb25-y-tiled-small-legacy, addfb25-yf-tiled-legacy, addfb25-4-tiled.

// kmsDrivers are those of the VM that drive displays.
var kmsDrivers = []string{"vkms", "virtio_gpu", "bochs-drm"}

// modXTiled is I915_FORMAT_MOD_X_TILED, which no driver of the VM has.
const modXTiled = 1<<56 | 1

// card is a device that is master, with what framebuffers are made of.
type card struct {
	*drm.Device
	driver    string
	bo, small drm.Handle // 1024x1024 pixels, and a row less
	formats   map[fourcc.Format]bool
}

// igtCard opens a driver's device as IGT does, with the master status.
func igtCard(t *testing.T, driver string) card {
	t.Helper()
	drmtest.GuardKernelLog(t)
	drmtest.CheckLeaks(t)
	d, err := drm.Open(drmtest.RequireDevice(t, driver).Path(), drm.Options{KeepMaster: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	if is, err := d.IsMaster(); !is || err != nil {
		t.Fatalf("master: %v, %v", is, err)
	}
	c := card{Device: d, driver: driver, formats: map[fourcc.Format]bool{}}
	for h, rows := range map[*drm.Handle]int{&c.bo: 1024, &c.small: 1023} {
		b, err := d.CreateDumb(1024, rows, 32)
		if err != nil {
			t.Fatal(err)
		}
		if b.Pitch != 4096 {
			t.Fatalf("pitch %d, want 4096", b.Pitch)
		}
		*h = b.Handle
	}
	planes, err := kms.ReadPlanes(universal(t, d))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range planes {
		for _, f := range p.Formats {
			c.formats[f] = true
		}
	}
	return c
}

// igtCards opens the devices of all drivers.
func igtCards(t *testing.T) []card {
	t.Helper()
	var cards []card
	for _, driver := range kmsDrivers {
		cards = append(cards, igtCard(t, driver))
	}
	return cards
}

func universal(t *testing.T, d *drm.Device) *drm.Device {
	t.Helper()
	if err := d.SetClientCap(drm.ClientCapUniversalPlanes, 1); err != nil {
		t.Fatal(err)
	}
	return d
}

// hasModifiers says what IGT's igt_require_fb_modifiers asks.
func (c card) hasModifiers(t *testing.T) bool {
	t.Helper()
	v, err := c.Cap(drm.CapAddFB2Modifiers)
	if err != nil {
		t.Fatal(err)
	}
	return v == 1
}

// fb is a framebuffer of width by height pixels on the large buffer.
func (c card) fb(width, height, pitch uint32) kms.FB {
	return kms.FB{
		Width: width, Height: height, Format: fourcc.XRGB8888, Modifier: fourcc.ModInvalid,
		Planes: []kms.FBPlane{{Handle: c.bo, Pitch: pitch}},
	}
}

// adds passes if the kernel takes the framebuffer, and gives it up again.
func (c card) adds(t *testing.T, fb kms.FB) {
	t.Helper()
	id, err := kms.AddFB2(c.Device, fb)
	if err != nil {
		t.Error(err)
		return
	}
	if err := kms.RmFB(c.Device, id); err != nil {
		t.Error(err)
	}
}

// refuses passes if the kernel answers EINVAL.
func (c card) refuses(t *testing.T, fb kms.FB) {
	t.Helper()
	c.refusesWith(t, fb, syscall.EINVAL)
}

func (c card) refusesWith(t *testing.T, fb kms.FB, want error) {
	t.Helper()
	id, err := kms.AddFB2(c.Device, fb)
	if !errors.Is(err, want) {
		t.Errorf("%+v: %v, want %v", fb, err, want)
	}
	if err == nil {
		kms.RmFB(c.Device, id)
	}
}

// refusesSize is refuses for a framebuffer that is larger than its object.
// virtio-gpu leaves sizes to the host, which is asked when it is shown, and
// has an errno of its own for formats; IGT expects that to fail.
func (c card) refusesSize(t *testing.T, fb kms.FB) {
	t.Helper()
	switch {
	case c.driver != "virtio_gpu":
		c.refuses(t, fb)
	case c.formats[fb.Format]:
		c.adds(t, fb)
	default:
		c.refusesWith(t, fb, syscall.ENOENT)
	}
}

// refusesRaw is refuses for what kms.FB cannot say.
func (c card) refusesRaw(t *testing.T, change func(*uapi.ModeFBCmd2)) {
	t.Helper()
	arg := uapi.ModeFBCmd2{
		Width: 512, Height: 512, PixelFormat: uint32(fourcc.XRGB8888),
		Handles: [4]uint32{uint32(c.bo)}, Pitches: [4]uint32{4096},
	}
	change(&arg)
	if err := uapi.OpModeAddFB2.Do(c.FD(), &arg); err != syscall.EINVAL {
		t.Errorf("%v, want EINVAL", err)
	}
}

// TestKMSAddFBBasic is IGT's kms_addfb_basic. Every subtest passes on every
// device if the answers are IGT's.
func TestKMSAddFBBasic(t *testing.T) {
	tests := []struct {
		name      string
		modifiers bool // only where the device knows them
		run       func(*testing.T, card)
	}{
		{"unused-handle", true, func(t *testing.T, c card) { unusedPlane(t, c, kms.FBPlane{Handle: c.small}) }},
		{"unused-pitches", true, func(t *testing.T, c card) { unusedPlane(t, c, kms.FBPlane{Pitch: 512}) }},
		{"unused-offsets", true, func(t *testing.T, c card) { unusedPlane(t, c, kms.FBPlane{Offset: 512}) }},
		{"unused-modifier", true, func(t *testing.T, c card) {
			c.refusesRaw(t, func(arg *uapi.ModeFBCmd2) { arg.Flags, arg.Modifier[1] = uapi.ModeFBModifiers, modXTiled })
		}},
		{"legacy-format", false, legacyFormat},
		{"no-handle", false, func(t *testing.T, c card) {
			fb := c.fb(512, 512, 4096)
			fb.Planes[0].Handle = 0
			c.refuses(t, fb)
		}},
		{"basic", false, func(t *testing.T, c card) { c.adds(t, c.fb(512, 512, 4096)) }},
		{"bad-pitch-0", false, badPitch(0)},
		{"bad-pitch-32", false, badPitch(32)},
		{"bad-pitch-63", false, badPitch(63)},
		{"bad-pitch-128", false, badPitch(128)},
		{"bad-pitch-256", false, badPitch(256)},
		{"bad-pitch-999", false, badPitch(999)},
		{"bad-pitch-1024", false, badPitch(1024)},
		{"bad-pitch-65536", false, func(t *testing.T, c card) { c.refusesSize(t, c.fb(512, 512, 65536)) }},
		{"invalid-get-prop-any", false, invalidGetProp(func(id kms.FBID) kms.Object { return kms.AnyObject(uint32(id)) })},
		{"invalid-get-prop", false, invalidGetProp(kms.FBID.Object)},
		{"invalid-set-prop-any", false, invalidSetProp(func(id kms.FBID) kms.Object { return kms.AnyObject(uint32(id)) })},
		{"invalid-set-prop", false, invalidSetProp(kms.FBID.Object)},
		{"master-rmfb", false, masterRmFB},
		{"size-max", false, func(t *testing.T, c card) { sizes(t, c, 0, 0, card.adds) }},
		{"too-wide", false, func(t *testing.T, c card) { sizes(t, c, 1, 0, card.refuses) }},
		{"too-high", false, func(t *testing.T, c card) { sizes(t, c, 0, 1, card.refusesSize) }},
		{"bo-too-small", false, func(t *testing.T, c card) { c.refusesSize(t, c.onSmall(1024)) }},
		{"small-bo", false, func(t *testing.T, c card) { c.adds(t, c.onSmall(1020)) }},
		{"addfb25-modifier-no-flag", true, func(t *testing.T, c card) {
			c.refusesRaw(t, func(arg *uapi.ModeFBCmd2) { arg.Modifier[0] = modXTiled })
		}},
		{"addfb25-bad-modifier", true, badModifier},
	}
	cards := igtCards(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, c := range cards {
				t.Run(c.driver, func(t *testing.T) {
					// As IGT has it; vkms does know modifiers.
					if has := c.hasModifiers(t); has || !test.modifiers {
						test.run(t, c)
					} else if c.driver == "vkms" {
						t.Error("no modifiers")
					}
				})
			}
		})
	}
}

// unusedPlane passes if a format of one plane is refused with something in a
// second one, and taken without.
func unusedPlane(t *testing.T, c card, p kms.FBPlane) {
	fb := c.fb(512, 512, 4096)
	fb.Modifier = fourcc.ModLinear
	c.adds(t, fb)
	fb.Planes = append(fb.Planes, p)
	c.refuses(t, fb)
}

// badModifier passes if the number that stands for no modifier is refused as
// one. Linux 6.1 takes it.
func badModifier(t *testing.T, c card) {
	arg := uapi.ModeFBCmd2{
		Width: 512, Height: 512, PixelFormat: uint32(fourcc.XRGB8888), Flags: uapi.ModeFBModifiers,
		Handles: [4]uint32{uint32(c.bo)}, Pitches: [4]uint32{4096}, Modifier: [4]uint64{uint64(fourcc.ModInvalid)},
	}
	err := uapi.OpModeAddFB2.Do(c.FD(), &arg)
	if linux61(t) {
		if err == nil {
			err = kms.RmFB(c.Device, kms.FBID(arg.FBID))
		}
		if err != nil {
			t.Error(err)
		}
		return
	}
	if err != syscall.EINVAL {
		t.Errorf("%v, want EINVAL", err)
	}
}

func badPitch(pitch uint32) func(*testing.T, card) {
	return func(t *testing.T, c card) { c.refuses(t, c.fb(512, 512, pitch)) }
}

// onSmall is a framebuffer on the smaller buffer.
func (c card) onSmall(height uint32) kms.FB {
	fb := c.fb(1024, height, 4096)
	fb.Planes[0].Handle = c.small
	return fb
}

// sizes tries framebuffers that take up the whole buffer, and more.
func sizes(t *testing.T, c card, wider, higher uint32, try func(card, *testing.T, kms.FB)) {
	for _, s := range []struct {
		format        fourcc.Format
		width, height uint32
		pitch         uint32
	}{
		{fourcc.XRGB8888, 1024, 1024, 4096},
		{fourcc.RGB565, 1024, 2048, 2048},
		{fourcc.New('C', '8', ' ', ' '), 2048, 2048, 2048},
	} {
		fb := c.fb(s.width+wider, s.height+higher, s.pitch)
		fb.Format = s.format
		if wider+higher == 0 && !c.formats[s.format] {
			continue
		}
		try(c, t, fb)
	}
}

func invalidGetProp(object func(kms.FBID) kms.Object) func(*testing.T, card) {
	return func(t *testing.T, c card) {
		fb := tempFB(t, c)
		if _, err := kms.ReadProperties(c.Device, object(fb)); !errors.Is(err, syscall.EINVAL) {
			t.Errorf("%v, want EINVAL", err)
		}
	}
}

func invalidSetProp(object func(kms.FBID) kms.Object) func(*testing.T, card) {
	return func(t *testing.T, c card) {
		fb := tempFB(t, c)
		if err := kms.SetProperty(c.Device, object(fb), 1, 0); !errors.Is(err, syscall.EINVAL) {
			t.Errorf("%v, want EINVAL", err)
		}
	}
}

// tempFB makes a framebuffer that goes with the test.
func tempFB(t *testing.T, c card) kms.FBID {
	t.Helper()
	id, err := kms.AddFB2(c.Device, c.fb(1024, 1024, 4096))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := kms.RmFB(c.Device, id); err != nil {
			t.Error(err)
		}
	})
	return id
}

// masterRmFB passes if another file cannot remove a framebuffer, although it
// is the master.
func masterRmFB(t *testing.T, c card) {
	fb := tempFB(t, c)
	if err := c.DropMaster(); err != nil {
		t.Fatal(err)
	}
	other, err := drm.Open(c.Path(), drm.Options{KeepMaster: true})
	if err != nil {
		t.Fatal(err)
	}
	if is, err := other.IsMaster(); !is || err != nil {
		t.Errorf("master: %v, %v", is, err)
	}
	if err := kms.RmFB(other, fb); !errors.Is(err, syscall.ENOENT) {
		t.Errorf("%v, want ENOENT", err)
	}
	if err := errors.Join(other.DropMaster(), other.Close(), c.SetMaster()); err != nil {
		t.Error(err)
	}
}

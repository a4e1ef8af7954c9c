package gem_test

import (
	"encoding/binary"
	"errors"
	"testing"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/kms"
)

// screen is a CRTC with a primary plane and a connector, dark until show.
type screen struct {
	dev       *drm.Device
	crtc      kms.CRTCID
	plane     kms.PlaneID
	connector kms.ConnectorID
	mode      kms.BlobID
	props     map[kms.Object]kms.Properties
}

// newScreen takes dev's first CRTC away from whoever has it, such as the
// console, which gets it back when the device is closed.
func newScreen(t *testing.T, dev *drm.Device, width, height int) *screen {
	t.Helper()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(dev.SetClientCap(drm.ClientCapAtomic, 1))
	check(dev.SetMaster())
	res, err := kms.ReadResources(dev)
	check(err)
	planes, err := kms.ReadPlanes(dev)
	check(err)
	s := &screen{dev: dev, crtc: res.CRTCs[0], connector: res.Connectors[0], props: map[kms.Object]kms.Properties{}}
	for _, p := range planes {
		props, err := kms.ReadProperties(dev, p.ID.Object())
		check(err)
		if props["type"].Value == kms.PlanePrimary && p.PossibleCRTCs&1 != 0 {
			s.plane = p.ID
			s.props[p.ID.Object()] = props
		}
	}
	for _, o := range []kms.Object{s.crtc.Object(), s.connector.Object()} {
		s.props[o], err = kms.ReadProperties(dev, o)
		check(err)
	}
	s.mode, err = kms.CreateBlob(dev, modeInfo(uint16(width), uint16(height)))
	check(err)
	t.Cleanup(func() {
		if err := errors.Join(kms.DestroyBlob(dev, s.mode), dev.DropMaster()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// modeInfo is struct drm_mode_modeinfo of a mode at 60 Hz.
func modeInfo(w, h uint16) []byte {
	b, err := binary.Append(nil, binary.NativeEndian, struct {
		Clock                                         uint32
		HDisplay, HSyncStart, HSyncEnd, HTotal, HSkew uint16
		VDisplay, VSyncStart, VSyncEnd, VTotal, VScan uint16
		VRefresh, Flags, Type                         uint32
		Name                                          [32]byte
	}{
		Clock:    uint32(w+24) * uint32(h+24) * 60 / 1000,
		HDisplay: w, HSyncStart: w + 8, HSyncEnd: w + 16, HTotal: w + 24,
		VDisplay: h, VSyncStart: h + 8, VSyncEnd: h + 16, VTotal: h + 24,
		VRefresh: 60, Name: [32]byte{'m', 'i', 'r', 'r', 'o', 'r'},
	})
	if err != nil {
		panic(err) // the structure has only fields of fixed size
	}
	return b
}

// show puts a framebuffer on the screen, 0 for a dark one, and returns when
// the kernel is done with what was there before.
func (s *screen) show(fb kms.FBID, width, height int) error {
	crtc, mode, active := uint64(s.crtc), uint64(s.mode), uint64(1)
	if fb == 0 {
		crtc, mode, active, width, height = 0, 0, 0, 0, 0
	}
	var r kms.Request
	set := func(o kms.Object, name string, value uint64) { r.Set(o, s.props[o][name].ID, value) }
	plane := s.plane.Object()
	set(plane, "FB_ID", uint64(fb))
	set(plane, "CRTC_ID", crtc)
	for _, prefix := range []string{"CRTC_", "SRC_"} {
		shift := 0
		if prefix == "SRC_" {
			shift = 16
		}
		set(plane, prefix+"X", 0)
		set(plane, prefix+"Y", 0)
		set(plane, prefix+"W", uint64(width)<<shift)
		set(plane, prefix+"H", uint64(height)<<shift)
	}
	set(s.connector.Object(), "CRTC_ID", crtc)
	set(s.crtc.Object(), "MODE_ID", mode)
	set(s.crtc.Object(), "ACTIVE", active)
	return r.Commit(s.dev, kms.CommitAllowModeset)
}

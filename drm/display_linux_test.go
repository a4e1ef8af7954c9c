package drm_test

import (
	"testing"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/drm/fourcc"
	"github.com/gemtool/gemtool/drm/kms"
)

// display is a vkms device with a CRTC that runs, so that it has vertical
// blankings: about 60 a second.
type display struct {
	*drm.Device
	crtc  kms.CRTCID
	place int // of the CRTC
	fb    kms.FBID
}

// lightUp has vkms show something until the test ends.
func lightUp(t *testing.T) display {
	t.Helper()
	d := drmtest.RequireDevice(t, "vkms")
	if err := d.SetMaster(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.DropMaster() })
	r, err := kms.ReadResources(d)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.CRTCs) == 0 || len(r.Connectors) == 0 {
		t.Fatalf("vkms has %d CRTCs, %d connectors", len(r.CRTCs), len(r.Connectors))
	}
	c, err := kms.ProbeConnector(d, r.Connectors[0])
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Modes) == 0 {
		t.Fatalf("connector %s has no modes", c.Name())
	}
	mode := c.Modes[0]
	b, err := d.CreateDumb(int(mode.HDisplay), int(mode.VDisplay), 32)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.DestroyDumb(b.Handle) })
	fb, err := kms.AddFB2(d, kms.FB{
		Width: b.Width, Height: b.Height, Format: fourcc.XRGB8888, Modifier: fourcc.ModInvalid,
		Planes: []kms.FBPlane{{Handle: b.Handle, Pitch: b.Pitch}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kms.RmFB(d, fb) })
	crtc := r.CRTCs[0]
	err = kms.SetCRTC(d, crtc, kms.CRTCSetup{FB: fb, Mode: &mode, Connectors: []kms.ConnectorID{c.ID}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := kms.SetCRTC(d, crtc, kms.CRTCSetup{}); err != nil {
			t.Errorf("switching the CRTC off: %v", err)
		}
	})
	return display{d, crtc, 0, fb}
}

package kms_test

import (
	"errors"
	"math"
	"regexp"
	"slices"
	"syscall"
	"testing"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/drm/internal/uapi"
	"github.com/gemtool/gemtool/drm/kms"
)

// TestReadPipeline passes if all objects of a device can be read, and what
// they say of each other fits together.
func TestReadPipeline(t *testing.T) {
	for _, driver := range kmsDrivers {
		t.Run(driver, func(t *testing.T) {
			c := igtCard(t, driver)
			fb := tempFB(t, c)
			r, err := kms.ReadResources(c.Device)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(r.FBs, []kms.FBID{fb}) {
				t.Errorf("framebuffers %v, want %v", r.FBs, fb)
			}
			if len(r.CRTCs) == 0 || len(r.Connectors) == 0 || len(r.Encoders) == 0 || r.MaxWidth < 1024 {
				t.Fatalf("resources %+v", r)
			}
			for _, id := range r.Encoders {
				e, err := kms.ReadEncoder(c.Device, id)
				if err != nil || e.ID != id || e.PossibleCRTCs == 0 || e.PossibleCRTCs>>len(r.CRTCs) != 0 ||
					e.CRTC != 0 && !slices.Contains(r.CRTCs, e.CRTC) {
					t.Errorf("%+v, %v", e, err)
				}
			}
			for _, id := range r.Connectors {
				readConnector(t, c.Device, r, id)
			}
			for _, id := range r.CRTCs {
				if crtc, err := kms.ReadCRTC(c.Device, id); err != nil || crtc.ID != id || crtc.GammaSize > 1<<16 {
					t.Errorf("%+v, %v", crtc, err)
				}
			}
		})
	}
}

func readConnector(t *testing.T, d *drm.Device, r kms.Resources, id kms.ConnectorID) {
	t.Helper()
	c, err := kms.ProbeConnector(d, id)
	if err != nil {
		t.Fatal(err)
	}
	if c.ID != id || c.Status != kms.Connected || len(c.Encoders) == 0 || len(c.Modes) == 0 || len(c.Properties) == 0 {
		t.Errorf("%+v", c)
	}
	if !regexp.MustCompile(`^Virtual-[1-9]$`).MatchString(c.Name()) {
		t.Errorf("name %q", c.Name())
	}
	for _, e := range c.Encoders {
		if !slices.Contains(r.Encoders, e) {
			t.Errorf("%v is not among %v", e, r.Encoders)
		}
	}
	preferred := 0
	for _, m := range c.Modes {
		if diff := int64(m.Refresh()) - 1000*int64(m.VRefresh); diff < -500 || diff > 500 {
			t.Errorf("%+v: refresh %d", m, m.Refresh())
		}
		if m.Name == "" || m.HDisplay == 0 || m.HTotal < m.HDisplay || m.Type == 0 {
			t.Errorf("%+v", m)
		}
		if m.Type&kms.ModePreferred != 0 {
			preferred++
		}
	}
	if preferred == 0 {
		t.Errorf("none of %d modes is preferred", len(c.Modes))
	}
	props, err := kms.ReadProperties(d, id.Object())
	if err != nil || len(props) != len(c.Properties) {
		t.Errorf("%d properties, %v, the connector said %d", len(props), err, len(c.Properties))
	}
}

// TestProbe passes if ProbeConnector has the kernel look at the display just
// once and ReadConnector never does, not even where modes come and go.
func TestProbe(t *testing.T) {
	d := drmtest.RequireDevice(t, "vkms")
	r, err := kms.ReadResources(d)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		read   func(*drm.Device, kms.ConnectorID) (kms.Connector, error)
		counts [][2]uint32 // of modes and encoders that the kernel says it has, from call to call
		sent   []uint32    // room for modes
	}{
		{"Read", kms.ReadConnector, [][2]uint32{{0, 1}}, []uint32{1, 1}},
		{"Read, fewer", kms.ReadConnector, [][2]uint32{{5, 1}, {0, 2}}, []uint32{1, 5, 1}},
		{"Read, more", kms.ReadConnector, [][2]uint32{{5, 1}, {7, 1}}, []uint32{1, 5, 7}},
		{"Probe", kms.ProbeConnector, [][2]uint32{{0, 1}}, []uint32{0, 1}},
		{"Probe, more", kms.ProbeConnector, [][2]uint32{{5, 1}, {7, 1}}, []uint32{0, 5, 7}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var sent []uint32
			drmtest.Intercept(t, func(c drmtest.Call) (syscall.Errno, bool) {
				if c.Request != uapi.OpModeGetConnector.Request() {
					return 0, false
				}
				arg := drmtest.Arg[uapi.ModeGetConnector](c)
				sent = append(sent, arg.CountModes)
				count := test.counts[min(len(sent), len(test.counts))-1]
				arg.CountModes, arg.CountEncoders, arg.CountProps = count[0], count[1], 1
				return 0, true
			})
			c, err := test.read(d, r.Connectors[0])
			if err != nil || len(c.Modes) != int(test.counts[len(test.counts)-1][0]) {
				t.Errorf("%d modes, %v", len(c.Modes), err)
			}
			if !slices.Equal(sent, test.sent) {
				t.Errorf("room for %v modes, want %v", sent, test.sent)
			}
		})
	}
}

// TestConnectorHostile passes if a kernel that says it has more than memory
// can hold is not believed.
func TestConnectorHostile(t *testing.T) {
	d := drmtest.RequireDevice(t, "vkms")
	for i := range 3 {
		t.Run("", func(t *testing.T) {
			drmtest.Intercept(t, func(c drmtest.Call) (syscall.Errno, bool) {
				if c.Request != uapi.OpModeGetConnector.Request() {
					return 0, false
				}
				arg := drmtest.Arg[uapi.ModeGetConnector](c)
				*[]*uint32{&arg.CountModes, &arg.CountEncoders, &arg.CountProps}[i] = math.MaxUint32
				return 0, true
			})
			if _, err := kms.ReadConnector(d, 1); !errors.Is(err, drm.ErrRange) {
				t.Errorf("%v, want ErrRange", err)
			}
		})
	}
}

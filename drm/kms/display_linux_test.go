package kms_test

import (
	"encoding/binary"
	"errors"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/kms"
)

// shown is a card whose first connector shows a framebuffer by the calls of
// old, until the end of the test.
type shown struct {
	card
	crtc      kms.CRTCID
	connector kms.ConnectorID
	mode      kms.Mode
	fb        kms.FBID
}

func showLegacy(t *testing.T, driver string) shown {
	t.Helper()
	s := shown{card: igtCard(t, driver)}
	r, err := kms.ReadResources(s.Device)
	if err != nil {
		t.Fatal(err)
	}
	s.crtc, s.connector = r.CRTCs[0], r.Connectors[0]
	c, err := kms.ProbeConnector(s.Device, s.connector)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(c.Modes, func(m kms.Mode) bool { return m.HDisplay == 800 && m.VDisplay == 600 })
	if i < 0 {
		t.Fatalf("no mode of 800x600 in %+v", c.Modes)
	}
	s.mode = c.Modes[i]
	s.fb = tempFB(t, s.card)
	setup := kms.CRTCSetup{FB: s.fb, X: 3, Y: 4, Mode: &s.mode, Connectors: []kms.ConnectorID{s.connector}}
	if err := kms.SetCRTC(s.Device, s.crtc, setup); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := kms.SetCRTC(s.Device, s.crtc, kms.CRTCSetup{}); err != nil {
			t.Error(err)
		}
	})
	return s
}

// TestSetCRTC passes if a CRTC does what it is set to and says so, stays so
// with SameFB, goes off, and refuses what SetCRTC says.
func TestSetCRTC(t *testing.T) {
	for _, driver := range kmsDrivers {
		t.Run(driver, func(t *testing.T) {
			s := showLegacy(t, driver)
			want := func(mode *kms.Mode, fb kms.FBID, x, y uint32) {
				t.Helper()
				c, err := kms.ReadCRTC(s.Device, s.crtc)
				// A CRTC that is off keeps a place that means nothing.
				at := err == nil && (mode == nil || c.X == x && c.Y == y)
				if !at || c.FB != fb || (c.Mode == nil) != (mode == nil) {
					t.Fatalf("%+v, %v, want framebuffer %d at %d,%d", c, err, fb, x, y)
				}
				// The name and the type of a mode are not kept.
				if mode != nil && (c.Mode.Refresh() != mode.Refresh() || c.Mode.HDisplay != mode.HDisplay || c.Mode.VTotal != mode.VTotal) {
					t.Errorf("mode %+v, want %+v", c.Mode, mode)
				}
			}
			want(&s.mode, s.fb, 3, 4)
			on := []kms.ConnectorID{s.connector}
			if c, err := kms.ReadConnector(s.Device, s.connector); err != nil || c.Encoder == 0 {
				t.Errorf("%+v, %v", c, err)
			} else if e, err := kms.ReadEncoder(s.Device, c.Encoder); err != nil || e.CRTC != s.crtc {
				t.Errorf("%+v, %v", e, err)
			}
			if err := kms.SetCRTC(s.Device, s.crtc, kms.CRTCSetup{FB: kms.SameFB, X: 5, Mode: &s.mode, Connectors: on}); err != nil {
				t.Error(err)
			}
			want(&s.mode, s.fb, 5, 0)
			for name, test := range map[string]struct {
				setup kms.CRTCSetup
				want  error
			}{
				"no connectors":       {kms.CRTCSetup{FB: s.fb, Mode: &s.mode}, syscall.EINVAL},
				"no mode":             {kms.CRTCSetup{FB: s.fb, Connectors: on}, syscall.EINVAL},
				"no such framebuffer": {kms.CRTCSetup{FB: none, Mode: &s.mode, Connectors: on}, syscall.ENOENT},
				"no such connector":   {kms.CRTCSetup{FB: s.fb, Mode: &s.mode, Connectors: []kms.ConnectorID{none}}, syscall.ENOENT},
				"outside":             {kms.CRTCSetup{FB: s.fb, X: 900, Mode: &s.mode, Connectors: on}, syscall.ENOSPC},
				"far outside":         {kms.CRTCSetup{FB: s.fb, X: 1 << 16, Mode: &s.mode, Connectors: on}, syscall.ERANGE},
				"a mode of nothing":   {kms.CRTCSetup{FB: s.fb, Mode: new(kms.Mode), Connectors: on}, syscall.EINVAL},
			} {
				if err := kms.SetCRTC(s.Device, s.crtc, test.setup); !errors.Is(err, test.want) {
					t.Errorf("%s: %v, want %v", name, err, test.want)
				}
			}
			want(&s.mode, s.fb, 5, 0)
			if err := kms.SetCRTC(s.Device, s.crtc, kms.CRTCSetup{}); err != nil {
				t.Error(err)
			}
			want(nil, 0, 0, 0)
		})
	}
}

// event waits for an event and returns its type and its user data.
func event(t *testing.T, d *drm.Device) (typ uint32, data uint64) {
	t.Helper()
	err := d.FD().Use(func(n int) error {
		fds := []unix.PollFd{{Fd: int32(n), Events: unix.POLLIN}}
		for start := time.Now(); ; {
			ready, err := unix.Poll(fds, 1000)
			if ready > 0 {
				break
			}
			if err != nil && err != unix.EINTR || time.Since(start) > 10*time.Second {
				t.Fatalf("no event: %v", err)
			}
		}
		var b [1024]byte
		got, err := unix.Read(n, b[:])
		if err != nil || got < 16 || int(binary.NativeEndian.Uint32(b[4:])) != got {
			t.Fatalf("%d bytes of events, %v", got, err)
		}
		typ, data = binary.NativeEndian.Uint32(b[:]), binary.NativeEndian.Uint64(b[8:])
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return typ, data
}

const flipComplete = 2 // DRM_EVENT_FLIP_COMPLETE

// TestPageFlip passes if a flip shows the other framebuffer and its event
// brings the user data back, and flips that cannot be are refused.
func TestPageFlip(t *testing.T) {
	for _, driver := range kmsDrivers {
		t.Run(driver, func(t *testing.T) {
			s := showLegacy(t, driver)
			other := tempFB(t, s.card)
			const data = 0x0123456789abcdef
			flip := kms.Flip{FB: other, Flags: kms.FlipEvent, UserData: data}
			if err := kms.PageFlip(s.Device, s.crtc, flip); err != nil {
				t.Fatal(err)
			}
			// Only vkms waits for a vertical blank, of which there are 60
			// a second.
			if driver == "vkms" {
				if err := kms.PageFlip(s.Device, s.crtc, flip); !errors.Is(err, syscall.EBUSY) {
					t.Errorf("a second flip: %v, want EBUSY", err)
				}
			}
			if typ, got := event(t, s.Device); typ != flipComplete || got != data {
				t.Errorf("event %d, user data %#x", typ, got)
			}
			if c, err := kms.ReadCRTC(s.Device, s.crtc); err != nil || c.FB != other {
				t.Errorf("%+v, %v, want %v", c, err, other)
			}
			for name, test := range map[string]struct {
				flip kms.Flip
				want error
			}{
				"unknown flags":         {kms.Flip{FB: other, Flags: 1 << 7}, syscall.EINVAL},
				"sequence without flag": {kms.Flip{FB: other, Sequence: 1}, syscall.EINVAL},
				"absolute and relative": {kms.Flip{FB: other, Flags: kms.FlipTargetAbsolute | kms.FlipTargetRelative}, syscall.EINVAL},
				"relative":              {kms.Flip{FB: other, Flags: kms.FlipTargetRelative, Sequence: 1}, syscall.EINVAL},
				"at once":               {kms.Flip{FB: other, Flags: kms.FlipAsync}, syscall.EINVAL},
				"no such framebuffer":   {kms.Flip{FB: none}, syscall.ENOENT},
			} {
				if err := kms.PageFlip(s.Device, s.crtc, test.flip); !errors.Is(err, test.want) {
					t.Errorf("%s: %v, want %v", name, err, test.want)
				}
			}
			if err := kms.SetCRTC(s.Device, s.crtc, kms.CRTCSetup{}); err != nil {
				t.Error(err)
			}
			if err := kms.PageFlip(s.Device, s.crtc, flip); !errors.Is(err, syscall.EBUSY) {
				t.Errorf("a CRTC that is off: %v, want EBUSY", err)
			}
		})
	}
}

// TestSetPlane passes if a plane shows what it is set to, and nothing in the
// end.
func TestSetPlane(t *testing.T) {
	s := showLegacy(t, "vkms")
	planes, err := kms.ReadPlanes(s.Device)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(planes, func(p kms.Plane) bool { return p.CRTC == s.crtc })
	if i < 0 || planes[i].FB != s.fb {
		t.Fatalf("planes %+v show no %v", planes, s.fb)
	}
	id, other := planes[i].ID, tempFB(t, s.card)
	setup := kms.PlaneSetup{
		CRTC: s.crtc, FB: other, Width: 800, Height: 600,
		SrcX: 7 << 16, SrcWidth: 800 << 16, SrcHeight: 600 << 16,
	}
	if err := kms.SetPlane(s.Device, id, setup); err != nil {
		t.Fatal(err)
	}
	if p, err := kms.ReadPlane(s.Device, id); err != nil || p.FB != other || p.CRTC != s.crtc {
		t.Errorf("%+v, %v", p, err)
	}
	for name, test := range map[string]struct {
		change func(*kms.PlaneSetup)
		want   error
	}{
		"no such framebuffer": {func(s *kms.PlaneSetup) { s.FB = none }, syscall.ENOENT},
		"no such CRTC":        {func(s *kms.PlaneSetup) { s.CRTC = none }, syscall.ENOENT},
		"outside":             {func(s *kms.PlaneSetup) { s.SrcX = 900 << 16 }, syscall.ENOSPC},
		"too large":           {func(s *kms.PlaneSetup) { s.Width = 1 << 31 }, syscall.ERANGE},
		"too far":             {func(s *kms.PlaneSetup) { s.X = 1<<31 - 1 }, syscall.ERANGE},
	} {
		bad := setup
		test.change(&bad)
		if err := kms.SetPlane(s.Device, id, bad); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
	if err := kms.SetPlane(s.Device, id, kms.PlaneSetup{}); err != nil {
		t.Error(err)
	}
	if p, err := kms.ReadPlane(s.Device, id); err != nil || p.FB != 0 {
		t.Errorf("%+v, %v", p, err)
	}
}

// TestCursor passes if a cursor is shown, moved and hidden where there is one,
// and the errno is the one of the doc comment where there is none.
func TestCursor(t *testing.T) {
	for _, driver := range kmsDrivers {
		t.Run(driver, func(t *testing.T) {
			s := showLegacy(t, driver)
			b, err := s.CreateDumb(64, 64, 32)
			if err != nil {
				t.Fatal(err)
			}
			cursor := kms.Cursor{Handle: b.Handle, Width: 64, Height: 64, HotX: 1, HotY: 2}
			set, move := kms.SetCursor(s.Device, s.crtc, cursor), kms.MoveCursor(s.Device, s.crtc, -3, 5)
			if driver == "bochs-drm" {
				if !errors.Is(set, syscall.ENXIO) || !errors.Is(move, syscall.EFAULT) {
					t.Errorf("%v, want ENXIO, and %v, want EFAULT", set, move)
				}
				return
			}
			if err := errors.Join(set, move); err != nil {
				t.Error(err)
			}
			cursor.Handle = none
			want := map[string]error{"vkms": syscall.ENOENT, "virtio_gpu": syscall.EINVAL}[driver]
			if err := kms.SetCursor(s.Device, s.crtc, cursor); !errors.Is(err, want) {
				t.Errorf("no such handle: %v, want %v", err, want)
			}
			if err := kms.SetCursor(s.Device, s.crtc, kms.Cursor{}); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestGamma passes if a CRTC's tables come back as they were set, and other
// sizes are refused.
func TestGamma(t *testing.T) {
	for _, driver := range kmsDrivers {
		t.Run(driver, func(t *testing.T) {
			s := showLegacy(t, driver)
			c, err := kms.ReadCRTC(s.Device, s.crtc)
			if err != nil {
				t.Fatal(err)
			}
			if c.GammaSize == 0 {
				if err := kms.SetGamma(s.Device, s.crtc, kms.Gamma{}); !errors.Is(err, drm.ErrNotSupported) {
					t.Errorf("without tables: %v, want ErrNotSupported", err)
				}
				return
			}
			want := kms.Gamma{}
			for i := range c.GammaSize {
				want.Red = append(want.Red, uint16(i))
				want.Green = append(want.Green, uint16(2*i))
				want.Blue = append(want.Blue, uint16(3*i))
			}
			t.Cleanup(func() { unsetGamma(t, s) })
			if err := kms.SetGamma(s.Device, s.crtc, want); err != nil {
				t.Fatal(err)
			}
			got, err := kms.ReadGamma(s.Device, s.crtc, c.GammaSize)
			if err != nil || !slices.Equal(got.Red, want.Red) || !slices.Equal(got.Green, want.Green) || !slices.Equal(got.Blue, want.Blue) {
				t.Errorf("%v, %v", got, err)
			}
			if _, err := kms.ReadGamma(s.Device, s.crtc, c.GammaSize-1); !errors.Is(err, syscall.EINVAL) {
				t.Errorf("another size: %v, want EINVAL", err)
			}
			for name, g := range map[string]kms.Gamma{"red": {want.Red[1:], want.Green, want.Blue}, "blue": {want.Red, want.Green, nil}} {
				if err := kms.SetGamma(s.Device, s.crtc, g); !errors.Is(err, drm.ErrRange) {
					t.Errorf("less %s: %v, want ErrRange", name, err)
				}
			}
			if _, err := kms.ReadGamma(s.Device, s.crtc, 1<<31); !errors.Is(err, drm.ErrRange) {
				t.Errorf("enormous: %v, want ErrRange", err)
			}
		})
	}
}

// unsetGamma takes the tables away, which the old interface cannot.
func unsetGamma(t *testing.T, s shown) {
	if err := s.SetClientCap(drm.ClientCapAtomic, 1); err != nil {
		t.Fatal(err)
	}
	props, err := kms.ReadProperties(s.Device, s.crtc.Object())
	if err != nil {
		t.Fatal(err)
	}
	if err := kms.SetProperty(s.Device, s.crtc.Object(), props["GAMMA_LUT"].ID, 0); err != nil {
		t.Error(err)
	}
}

// TestDirtyFB passes if drivers that copy take note, those that do not say so,
// and more than the kernel takes is refused here.
func TestDirtyFB(t *testing.T) {
	for _, driver := range kmsDrivers {
		t.Run(driver, func(t *testing.T) {
			s := showLegacy(t, driver)
			clips := make([]kms.Clip, kms.MaxClips)
			for i := range clips {
				clips[i] = kms.Clip{X1: uint16(i), Y1: 1, X2: uint16(i + 2), Y2: 9}
			}
			for n, c := range map[string][]kms.Clip{"all": nil, "one": clips[:1], "most": clips} {
				// bochs has copied since it is a shmem driver, as 7.2's is.
				copies := driver == "virtio_gpu" || driver == "bochs-drm" && !old(t)
				if err := kms.DirtyFB(s.Device, s.fb, c...); copies && err != nil || !copies && !errors.Is(err, drm.ErrNotSupported) {
					t.Errorf("%s: %v", n, err)
				}
			}
			if err := kms.DirtyFB(s.Device, s.fb, append(clips, kms.Clip{})...); !errors.Is(err, drm.ErrRange) {
				t.Errorf("one more: %v, want ErrRange", err)
			}
			if err := kms.DirtyFB(s.Device, none, clips...); !errors.Is(err, syscall.ENOENT) {
				t.Errorf("no such framebuffer: %v, want ENOENT", err)
			}
		})
	}
}

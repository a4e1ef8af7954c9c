package drm_test

import (
	"testing"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/drm/kms"
)

// TestVBlank passes if a CRTC that runs has vertical blankings that can be
// waited for, by number and by how many, and both ways to ask agree on them.
func TestVBlank(t *testing.T) {
	drmtest.CheckLeaks(t)
	d := lightUp(t)
	a, err := kms.WaitVBlank(d.Device, d.place, kms.VBlankRelative, 1)
	if err != nil {
		t.Fatal(err)
	}
	b, err := kms.WaitVBlank(d.Device, d.place, 0, a.Sequence+2)
	if err != nil || int32(b.Sequence-a.Sequence) < 2 || b.Time <= a.Time || b.Time > drm.Monotonic() {
		t.Errorf("%+v and, two later, %+v, %v", a, b, err)
	}
	if c, err := kms.WaitVBlank(d.Device, d.place, kms.VBlankNextOnMiss, a.Sequence); err != nil || int32(c.Sequence-b.Sequence) < 1 {
		t.Errorf("%+v and, the next, %+v, %v", b, c, err)
	}
	s, err := kms.GetSequence(d.Device, d.crtc)
	if err != nil || !s.Active || int32(uint32(s.Sequence)-b.Sequence) < 1 || s.Time <= b.Time {
		t.Errorf("after %+v: %+v, %v", b, s, err)
	}
	if n := testing.AllocsPerRun(10, func() {
		if _, err := kms.GetSequence(d.Device, d.crtc); err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("GetSequence allocates %v times", n)
	}
}

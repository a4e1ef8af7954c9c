package kms

import (
	"errors"
	"fmt"

	"github.com/gemtool/gemtool/drm"
)

// loan is a change of objects that somebody else may have set up, with what
// it takes to set them up again.
type loan struct {
	d    *drm.Device
	do   Request
	undo Request
	// off switches everything off, for when the way back is barred: what
	// was shown may be gone.
	off   Request
	blobs []BlobID // ours, until the end
}

// set adds a property to change.
func (l *loan) set(o Object, props Properties, name string, value uint64) error {
	return l.change(o, props, name, value, props[name].Value)
}

// setBlob adds a property whose value is a blob. Blobs go when no property
// has them any more, and a property cannot be set to one that is gone, so the
// way back needs a copy.
func (l *loan) setBlob(o Object, props Properties, name string, blob BlobID) error {
	old := BlobID(props[name].Value)
	if old != 0 {
		data, err := ReadBlob(l.d, old)
		if err != nil {
			return err
		}
		if old, err = l.blob(data); err != nil {
			return err
		}
	}
	return l.change(o, props, name, uint64(blob), uint64(old))
}

func (l *loan) change(o Object, props Properties, name string, value, old uint64) error {
	p, ok := props[name]
	if !ok {
		return fmt.Errorf("%v has no property %s", o, name)
	}
	l.do.Set(o, p.ID, value)
	l.undo.Set(o, p.ID, old)
	return nil
}

// blob makes a blob that lives until close.
func (l *loan) blob(data []byte) (BlobID, error) {
	id, err := CreateBlob(l.d, data)
	if err == nil {
		l.blobs = append(l.blobs, id)
	}
	return id, err
}

// plane adds a plane that shows fb on a CRTC, whole and unscaled, or nothing.
func (l *loan) plane(p planeState, crtc CRTCID, fb FBID, width, height int) error {
	if fb == 0 {
		crtc, width, height = 0, 0, 0
	}
	o := p.ID.Object()
	for _, c := range []struct {
		name  string
		value uint64
	}{
		{"FB_ID", uint64(fb)},
		{"CRTC_ID", uint64(crtc)},
		{"CRTC_X", 0}, {"CRTC_Y", 0}, {"CRTC_W", uint64(width)}, {"CRTC_H", uint64(height)},
		{"SRC_X", 0}, {"SRC_Y", 0}, {"SRC_W", uint64(width) << 16}, {"SRC_H", uint64(height) << 16},
	} {
		if err := l.set(o, p.props, c.name, c.value); err != nil {
			return err
		}
	}
	// What somebody may have left behind and would change the picture.
	for name, neutral := range map[string]uint64{"rotation": 1, "alpha": 0xffff} {
		if _, ok := p.props[name]; ok {
			if err := l.set(o, p.props, name, neutral); err != nil {
				return err
			}
		}
	}
	l.off.Set(o, p.props["FB_ID"].ID, 0)
	l.off.Set(o, p.props["CRTC_ID"].ID, 0)
	return nil
}

// crtc adds a CRTC that runs with a mode, and without color correction.
func (l *loan) crtc(c crtcState, mode BlobID) error {
	o := c.id.Object()
	if err := l.set(o, c.props, "ACTIVE", 1); err != nil {
		return err
	}
	if err := l.setBlob(o, c.props, "MODE_ID", mode); err != nil {
		return err
	}
	for _, name := range []string{"GAMMA_LUT", "DEGAMMA_LUT", "CTM"} {
		if _, ok := c.props[name]; ok {
			if err := l.setBlob(o, c.props, name, 0); err != nil {
				return err
			}
		}
	}
	l.off.Set(o, c.props["ACTIVE"].ID, 0)
	l.off.Set(o, c.props["MODE_ID"].ID, 0)
	return nil
}

// connector adds a connector that is attached to a CRTC, or to none.
func (l *loan) connector(c connectorState, crtc CRTCID) error {
	l.off.Set(c.ID.Object(), c.props["CRTC_ID"].ID, 0)
	return l.set(c.ID.Object(), c.props, "CRTC_ID", uint64(crtc))
}

// writeback adds what a writeback connector is asked for: once, so there is
// no way back.
func (l *loan) writeback(c connectorState, out FBID, fence *OutFence) error {
	for _, name := range []string{"WRITEBACK_FB_ID", "WRITEBACK_OUT_FENCE_PTR"} {
		if _, ok := c.props[name]; !ok {
			return fmt.Errorf("%v has no property %s", c.ID, name)
		}
	}
	l.do.Set(c.ID.Object(), c.props["WRITEBACK_FB_ID"].ID, uint64(out))
	l.do.SetOutFence(c.ID.Object(), c.props["WRITEBACK_OUT_FENCE_PTR"].ID, fence)
	return nil
}

// giveBack sets everything up again as it was.
func (l *loan) giveBack() error {
	err := l.undo.Commit(l.d, CommitAllowModeset)
	if err == nil {
		return nil
	}
	return errors.Join(fmt.Errorf("setting the displays up again: %w", err), l.off.Commit(l.d, CommitAllowModeset))
}

// close gives up the blobs.
func (l *loan) close() error {
	var errs []error
	for _, id := range l.blobs {
		errs = append(errs, DestroyBlob(l.d, id))
	}
	return errors.Join(errs...)
}

package kms_test

import (
	"context"
	"errors"
	"image"
	"image/color"
	"image/draw"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/fourcc"
	"github.com/gemtool/gemtool/drm/kms"
)

// FillDisplay fills the first display of a card that nobody drives, such as
// "/dev/dri/card0", and switches it off again when the picture has been seen.
func fillDisplay(ctx context.Context, path string, c color.Color) error {
	d, err := drm.Open(path, drm.Options{KeepMaster: true})
	if err != nil {
		return err
	}
	defer d.Close() // with it go the buffer, the framebuffer and the master's rights
	conn, mode, crtc, err := firstDisplay(d)
	if err != nil {
		return err
	}

	width, height := int(mode.HDisplay), int(mode.VDisplay)
	buf, err := d.CreateDumb(width, height, 32)
	if err != nil {
		return err
	}
	offset, err := d.MapDumb(buf.Handle)
	if err != nil {
		return err
	}
	pix, err := d.Mmap(offset, buf.Size)
	if err != nil {
		return err
	}
	defer drm.Munmap(pix)
	img, err := fourcc.NewImage(fourcc.XRGB8888, pix, width, height, int(buf.Pitch))
	if err != nil {
		return err
	}
	fourcc.Draw(img, img.Bounds(), image.NewUniform(c), image.Point{}, draw.Src)

	fb, err := kms.AddFB2(d, kms.FB{
		Width: uint32(width), Height: uint32(height),
		Format: fourcc.XRGB8888, Modifier: fourcc.ModInvalid,
		Planes: []kms.FBPlane{{Handle: buf.Handle, Pitch: buf.Pitch}},
	})
	if err != nil {
		return err
	}
	if err := kms.SetCRTC(d, crtc, kms.CRTCSetup{FB: fb, Mode: &mode, Connectors: []kms.ConnectorID{conn}}); err != nil {
		return err
	}
	defer kms.SetCRTC(d, crtc, kms.CRTCSetup{}) // off, as it was
	// From now on a picture is changed by flips, each with an event.
	if err := kms.PageFlip(d, crtc, kms.Flip{FB: fb, Flags: kms.FlipEvent, UserData: 1}); err != nil {
		return err
	}
	for e, err := range d.Events(ctx) {
		if err != nil {
			return err
		}
		if e.Type == drm.EventFlipComplete && e.UserData == 1 {
			break
		}
	}
	return nil
}

// FirstDisplay finds a display, its best mode, and a CRTC for it.
func firstDisplay(d *drm.Device) (kms.ConnectorID, kms.Mode, kms.CRTCID, error) {
	r, err := kms.ReadResources(d)
	if err != nil {
		return 0, kms.Mode{}, 0, err
	}
	for _, id := range r.Connectors {
		c, err := kms.ProbeConnector(d, id)
		if err != nil {
			return 0, kms.Mode{}, 0, err
		}
		if c.Status != kms.Connected || len(c.Modes) == 0 {
			continue
		}
		for _, id := range c.Encoders {
			e, err := kms.ReadEncoder(d, id)
			if err != nil {
				return 0, kms.Mode{}, 0, err
			}
			for i, crtc := range r.CRTCs {
				if e.PossibleCRTCs&(1<<i) != 0 {
					return c.ID, c.Modes[0], crtc, nil
				}
			}
		}
	}
	return 0, kms.Mode{}, 0, errors.New("no display")
}

// Most of this package is about finding the objects between a picture and a
// display. See fillDisplay in the source of this example.
func Example() {
	_ = fillDisplay(context.Background(), "/dev/dri/card0", color.White)
}

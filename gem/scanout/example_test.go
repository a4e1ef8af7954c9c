package scanout_test

import (
	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/fourcc"
	"github.com/gemtool/gemtool/drm/kms"
	"github.com/gemtool/gemtool/gem"
	"github.com/gemtool/gemtool/gem/scanout"
	"github.com/gemtool/gemtool/prime"
)

// A client's video frame, both planes in one dma-buf, goes to a plane of the
// display.
func ExampleAddFB() {
	show := func(card *drm.Device, frame *prime.Buffer, flip func(kms.FBID) error) error {
		fb, err := scanout.AddFB(gem.StoreOf(card), &prime.Image{
			Width: 1920, Height: 1080, Format: fourcc.NV12,
			Planes: []prime.Plane{
				{Buffer: frame, Pitch: 1920},
				{Buffer: frame, Pitch: 1920, Offset: 1920 * 1080},
			},
		})
		if err != nil {
			return err
		}
		defer fb.Close() // since Linux 6.8 what the plane shows stays
		return flip(fb.ID())
	}
	_ = show
}

package gem_test

import (
	"context"
	"image"
	"image/color"
	"image/draw"
	"log"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/fourcc"
	"github.com/gemtool/gemtool/gem"
	"github.com/gemtool/gemtool/prime"
)

// Share draws into a buffer of one device and hands it to another, without a
// copy.
func share(ctx context.Context, from, to *drm.Device) (*gem.Object, error) {
	obj, err := gem.StoreOf(from).Create(640, 480, 32)
	if err != nil {
		return nil, err // such as: dumb buffers need a card node: this is a render node
	}
	defer obj.Close() // the import below keeps the memory alive

	buf, err := obj.Export()
	if err != nil {
		return nil, err
	}
	defer buf.Close()
	// Waits for fences until ctx ends, opens an access window, and holds the
	// memory's lock. A panic or a fault in here leaves nothing behind.
	err = obj.Local(ctx, prime.Write, func(v gem.View) error {
		img, err := obj.Image(v, fourcc.XRGB8888) // uses the buffer's pitch
		if err != nil {
			return err
		}
		draw.Draw(img, img.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return gem.StoreOf(to).Import(buf)
}

func Example() {
	from, err := drm.Open("/dev/dri/card0", drm.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer from.Close()
	to, err := drm.Open("/dev/dri/renderD129", drm.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer to.Close()
	obj, err := share(context.Background(), from, to)
	if err != nil {
		log.Fatal(err)
	}
	defer obj.Close()
}

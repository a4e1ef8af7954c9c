package matrix

import (
	"context"

	"github.com/gemtool/gemtool/cmd/gemtool/internal/pattern"
	"github.com/gemtool/gemtool/cmd/gemtool/internal/touch"
	"github.com/gemtool/gemtool/drm/kms"
	"github.com/gemtool/gemtool/prime"
)

// engine has the importer show the import, and compares what it showed, as
// its writeback connector wrote it to a local buffer.
func (p *pair) engine(ctx context.Context) error {
	if p.cell.Importer.Driver != "vkms" && !p.config.Scanout {
		return notTried("a display is used only with --scanout")
	}
	// The buffer has the importer's picture from the step before.
	if err := p.draw(ctx); err != nil {
		return err
	}
	local, err := p.store.Create(p.config.Width, p.config.Height, 8*pattern.BytesPerPixel)
	if err != nil {
		return err
	}
	p.later(local.Close)
	dumb, _ := local.Dumb()
	out, err := p.addFB(local.Handle(), int(dumb.Pitch))
	if err != nil {
		return err
	}
	if err := kms.ReadBack(ctx, p.device, p.fb, out, p.config.Width, p.config.Height); err != nil {
		return err
	}
	m, err := local.VMap(ctx, prime.Read)
	if err != nil {
		return err
	}
	p.later(m.VUnmap)
	return touch.Try(func() error {
		p.keep(m.Bytes(), int(dumb.Pitch))
		return p.forward.Compare(m.Bytes(), int(dumb.Pitch), pattern.ColorBits)
	})
}

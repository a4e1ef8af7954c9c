package matrix

import (
	"context"
	"fmt"
)

// Config says how pairs are tested.
type Config struct {
	Width, Height int
	// Scanout lets drivers of real displays show the import, too. Without
	// it only vkms does, whose display nobody looks at.
	Scanout bool
	// Picture, if not nil, gets what an importer read: by its hardware where
	// that worked, else through its dma-buf; right or wrong. The pixels are
	// Width by Height without gaps, and the callee's until it returns.
	Picture func(c *Cell, pix []byte)
	// Progress, if not nil, is called before each pair.
	Progress func(c *Cell)
	// DrawSkew is added to the pitch that pictures are drawn with. Tests
	// show with it that a wrong pitch does not pass.
	DrawSkew int
}

// Run tests every exporter with every importer, one pair after the other, and
// returns the cells by rows. When ctx ends it gives back what it holds, and
// returns the cells so far and ctx's error.
func Run(ctx context.Context, s *Set, config Config) ([]*Cell, error) {
	var cells []*Cell
	for _, e := range s.Exporters {
		for _, i := range s.Importers {
			c := &Cell{Exporter: e, Importer: i, Self: e.device >= 0 && e.device == i.device}
			if err := ctx.Err(); err != nil {
				return cells, err
			}
			if config.Progress != nil {
				config.Progress(c)
			}
			if err := test(ctx, c, config); err != nil {
				return cells, err
			}
			cells = append(cells, c)
		}
	}
	return cells, nil
}

// test runs the steps of one pair until one fails. Its error is ctx's, or one
// that is not of the pair.
func test(ctx context.Context, c *Cell, config Config) error {
	if c.Exporter.Err != nil || c.Importer.Err != nil {
		c.Outcome = Denied
		return nil
	}
	before, err := holdings()
	if err != nil {
		return fmt.Errorf("what this process holds: %w", err)
	}
	p := newPair(c, config)
	for _, step := range []struct {
		name  string
		run   func(context.Context) error
		depth Depth
	}{
		{StepAllocate, p.allocate, None},
		{StepMap, p.mapSource, None},
		{StepDraw, p.draw, None},
		{StepExport, p.export, None},
		{StepImport, p.importBuffer, Attach},
		{StepRead, p.read, Attach},
		{StepWrite, p.write, CPU},
		{StepFramebuffer, p.framebuffer, FB},
		{StepEngine, p.engine, Engine},
	} {
		if ctx.Err() != nil {
			break
		}
		outcome := c.step(step.name, func() error { return step.run(ctx) })
		if outcome != OK {
			break
		}
		c.Depth = step.depth
	}
	c.step(StepRelease, func() error { return p.release(before) })
	if ctx.Err() != nil {
		// The last step may have failed of it.
		return ctx.Err()
	}
	if config.Picture != nil && p.pixels != nil {
		config.Picture(c, p.pixels)
	}
	return nil
}

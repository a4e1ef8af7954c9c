package command

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gemtool/gemtool/cmd/gemtool/internal/drawing"
	"github.com/gemtool/gemtool/cmd/gemtool/internal/pattern"
	"github.com/gemtool/gemtool/cmd/gemtool/internal/words"
	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/fourcc"
)

// drawFlags are the flags of "gemtool draw".
type drawFlags struct{ size, format, in, through, out string }

func newDraw() *cobra.Command {
	var f drawFlags
	cmd := &cobra.Command{
		Use:   "draw WHERE",
		Short: "Draw into a buffer, and read it back",
		Long: `Draw makes a buffer, draws a pattern or a PNG into it, reads it back, and prints
the checksums of both: of the pixels without gaps between rows. It shows nothing
on a display.

WHERE is a device (card0, a path, driver:NAME or bus:ID), which makes a dumb
buffer, or udmabuf, or heap:NAME. What is read goes through

  map      the device's own mapping (which udmabuf and heaps do not have)
  dma-buf  the mapping of the buffer's dma-buf
  DEVICE   an import on this other device, and the dma-buf that it makes of that,
           which leads back to the same memory: the device takes the buffer, and
           whether it can read it is for "gemtool matrix" to prove

Exit codes: 0 what was read is what was drawn, 1 it is not, or a step failed, 77
WHERE or DEVICE is not there or may not be opened.`,
		Example: `  gemtool draw driver:vkms --through driver:vgem --out /tmp/vgem.png
  gemtool draw udmabuf --format AR24 --in picture.png --out picture.raw`,
		Args:              arguments,
		ValidArgsFunction: completeBuffers(""),
	}
	flags := cmd.Flags()
	flags.StringVar(&f.size, "size", "256x192", "`WxH` of the pattern in pixels")
	flags.StringVar(&f.format, "format", "XRGB8888", "pixel `FORMAT`: its name (XRGB8888) or its four characters")
	flags.StringVar(&f.in, "in", "", "draw the picture of this PNG `FILE`")
	flags.StringVar(&f.through, "through", "", "`map|dma-buf|DEVICE` to read by (default map for a device, else dma-buf)")
	flags.StringVar(&f.out, "out", "", "write what was read to `FILE`: a PNG if its name ends so, else the pixels as they are")
	// The flags are there: they were added just now.
	_ = cmd.RegisterFlagCompletionFunc("through", completeBuffers("map", "dma-buf"))
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"XRGB8888", "ARGB8888", "XRGB2101010", "RGB565"}, cobra.ShellCompDirectiveNoFileComp))
	addJSON(cmd)
	cmd.RunE = run(func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) })
	return cmd
}

// completeBuffers offers what makes or reads buffers: devices, and besides them
// the words, or without any what is no device.
func completeBuffers(more ...string) func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	if more[0] == "" {
		more = []string{"udmabuf", "heap:system"}
	}
	return func(cmd *cobra.Command, args []string, s string) ([]string, cobra.ShellCompDirective) {
		names, directive := completeDevice(cmd, args, s)
		return append(names, more...), directive
	}
}

type drawJSON struct {
	Schema  string   `json:"schema"`
	Where   string   `json:"where"` // the node, "udmabuf" or "heap:NAME"
	Driver  string   `json:"driver,omitempty"`
	Width   int      `json:"width"`
	Height  int      `json:"height"`
	Format  string   `json:"format"`
	Pitch   uint64   `json:"pitch"` // bytes
	Size    uint64   `json:"size"`  // bytes
	Through string   `json:"through"`
	Equal   bool     `json:"equal"`
	Drawn   sumsJSON `json:"drawn"`
	Read    sumsJSON `json:"read"`
	File    string   `json:"file,omitempty"`
}

type sumsJSON struct {
	CRC32  uint32 `json:"crc32"` // IEEE
	SHA256 string `json:"sha256"`
}

func (f *drawFlags) run(cmd *cobra.Command, where string) (err error) {
	doc := &drawJSON{Schema: "gemtool.draw/v1", Where: where, Through: f.through, File: f.out}
	var c drawing.Config
	switch {
	case f.in == "-", f.out == "-":
		return usageError("a picture goes to and comes from a file: - is none")
	case f.in != "" && cmd.Flags().Changed("size"):
		return usageError("--size is for patterns: a picture has its own")
	}
	if c.Format, err = fourcc.ParseFormat(f.format); err != nil {
		return usageError("--format: %w", err)
	}
	doc.Format = c.Format.Name()
	// One pixel has at most 8 bytes.
	if _, err := fourcc.NewImage(c.Format, make([]byte, 8), 1, 1, 8); err != nil {
		return usageError("--format: %w", err)
	}
	if c.Picture, err = f.picture(where); err != nil {
		return err
	}
	doc.Width, doc.Height = c.Picture.Bounds().Dx(), c.Picture.Bounds().Dy()

	switch heap, isHeap := strings.CutPrefix(where, "heap:"); {
	case where == "udmabuf":
		c.Udmabuf = true
	case isHeap && heap != "" && heap == filepath.Base(heap):
		c.Heap = heap
	default:
		if c.Device, err = openDevice(where, drm.NodePrimary); err != nil {
			return err
		}
		defer c.Device.Close()
		v, err := c.Device.Version()
		if err != nil {
			return err
		}
		doc.Where, doc.Driver = c.Device.Path(), v.Name
	}
	switch {
	case f.through == "" && c.Device != nil:
		doc.Through = "map"
	case f.through == "":
		doc.Through = "dma-buf"
	}
	switch doc.Through {
	case "map":
		if c.Device == nil {
			return usageError("--through map: %s has no mapping but that of its dma-buf", where)
		}
	case "dma-buf":
		c.Through = drawing.DMABuf
	default:
		c.Through = drawing.Import
		if c.Reader, err = openDevice(f.through, drm.NodePrimary); err != nil {
			return err
		}
		defer c.Reader.Close()
		if c.Device != nil && c.Reader.DeviceID() == c.Device.DeviceID() {
			return usageError("--through %s: it is the device that draws, and there is nothing to import: say map or dma-buf", f.through)
		}
		doc.Through = c.Reader.Path()
	}

	r, err := drawing.Run(cmd.Context(), c)
	if err != nil && c.Reader != nil {
		v, _ := c.Reader.Version() // a device that is gone says so in err
		return &sharing{err, cmp.Or(doc.Driver, where), v.Name}
	}
	if err != nil {
		return err
	}
	doc.Pitch, doc.Size, doc.Equal = r.Pitch, r.Size, bytes.Equal(r.Drawn, r.Read)
	doc.Drawn, doc.Read = sums(r.Drawn), sums(r.Read)
	if f.out != "" {
		if err := f.write(c.Format, r.Read, doc.Width, doc.Height); err != nil {
			return fmt.Errorf("--out: %w", err)
		}
	}
	if err := show(cmd, doc); err != nil {
		return err
	}
	if !doc.Equal {
		return &exitError{code: ExitFailed}
	}
	return nil
}

// picture is what to draw.
func (f *drawFlags) picture(where string) (image.Image, error) {
	if f.in == "" {
		width, height, err := parseSize(f.size)
		if err != nil {
			return nil, usageError("--size %q: %w", f.size, err)
		}
		pix := make([]byte, width*height*pattern.BytesPerPixel)
		if err := pattern.New(where, f.format, width, height).Draw(pix, width*pattern.BytesPerPixel); err != nil {
			return nil, err
		}
		return pattern.Image(pix, width, height), nil
	}
	file, err := os.Open(f.in)
	if err != nil {
		return nil, fmt.Errorf("--in: %w", err)
	}
	defer file.Close()
	// A small file can claim to be a picture of any size.
	config, err := png.DecodeConfig(file)
	if err == nil && max(config.Width, config.Height) > maxSize {
		err = fmt.Errorf("%dx%d pixels, more than %d", config.Width, config.Height, maxSize)
	}
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	var m image.Image
	if err == nil {
		m, err = png.Decode(file)
	}
	if err != nil {
		return nil, fmt.Errorf("--in %s: %w", f.in, err)
	}
	return m, nil
}

func (f *drawFlags) write(format fourcc.Format, pix []byte, width, height int) error {
	return writeWhole(f.out, func(w io.Writer) error {
		if !strings.EqualFold(filepath.Ext(f.out), ".png") {
			_, err := w.Write(pix)
			return err
		}
		m, err := fourcc.NewImage(format, pix, width, height, len(pix)/height)
		if err != nil {
			return err
		}
		return png.Encode(w, m)
	})
}

func sums(pix []byte) sumsJSON {
	return sumsJSON{crc32.ChecksumIEEE(pix), fmt.Sprintf("%x", sha256.Sum256(pix))}
}

func (d *drawJSON) text(p *page) {
	p.line("drawn    on %s, %dx%d %s, pitch %d, %d bytes", words.Escape(strings.TrimSpace(d.Driver+" "+d.Where)), d.Width, d.Height, d.Format, d.Pitch, d.Size)
	verdict := p.paint(green, "what was drawn")
	if !d.Equal {
		verdict = p.paint(red, "NOT what was drawn")
	}
	through := d.Through
	if through != "map" && through != "dma-buf" {
		through = "an import on " + words.Escape(through)
	}
	p.line("read     through %s: %s", through, verdict)
	if d.Equal {
		p.line("both     crc32 %08x  sha256 %s", d.Read.CRC32, d.Read.SHA256)
	} else {
		p.line("drawn    crc32 %08x  sha256 %s", d.Drawn.CRC32, d.Drawn.SHA256)
		p.line("read     crc32 %08x  sha256 %s", d.Read.CRC32, d.Read.SHA256)
	}
	if d.File != "" {
		p.line("written  %s", words.Escape(d.File))
	}
}

package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/gemtool/gemtool/cmd/gemtool/internal/matrix"
	"github.com/gemtool/gemtool/cmd/gemtool/internal/pattern"
	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/gem/conformance"
)

// needVM skips tests of what the devices of gemtool's VM do.
func needVM(t *testing.T) {
	t.Helper()
	if !drmtest.InVM() {
		t.Skip("NO DEVICE TESTED: this is for the devices of gemtool's VM (make test)")
	}
	drmtest.GuardKernelLog(t)
	drmtest.CheckLeaks(t)
}

var number = regexp.MustCompile(`(card|renderD)[0-9]+`)

// defaultDrivers are those of a VM that is not told otherwise: README shows them.
var defaultDrivers = []string{"driver:vkms", "driver:vgem", "driver:virtio_gpu", "driver:bochs-drm"}

// shared runs the matrix on the devices of some filters, and returns its table without the numbers of nodes,
// which depend on the order of modules, how many pictures it wrote, and what
// is wrong with them.
func shared(t *testing.T, devices []string, config matrix.Config) (table string, written int, wrong []error) {
	t.Helper()
	set, err := matrix.Find(devices)
	if err != nil {
		t.Fatal(err)
	}
	p, err := newPictures(t.TempDir(), config.Width, config.Height)
	if err != nil {
		t.Fatal(err)
	}
	config.Picture = p.write
	cells, err := matrix.Run(t.Context(), set, config)
	if err != nil || p.err != nil {
		t.Fatal(err, p.err)
	}
	for _, c := range cells {
		name, ok := p.names[c]
		if want := c.Depth >= matrix.CPU || c.Outcome == matrix.Failed; ok != want {
			wrong = append(wrong, fmt.Errorf("%s into %s: %v, picture %q", c.Exporter.Name, c.Importer.Name, c, name))
		}
		if !ok {
			continue
		}
		if err := comparePNG(filepath.Join(p.dir, name), pattern.New(c.Exporter.Name, c.Importer.Name, config.Width, config.Height)); err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", name, err))
		}
	}
	for _, e := range set.Importers { // the card nodes among the exporters are the same
		e.Name = number.ReplaceAllString(e.Name, "$1")
	}
	var text page
	newMatrixJSON(set, cells, config, p).text(&text)
	return text.String(), len(p.names), wrong
}

func comparePNG(path string, want *pattern.Picture) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		return err
	}
	w, h := want.Size()
	if got := img.Bounds().Size(); got.X != w || got.Y != h {
		return fmt.Errorf("got %v, want %dx%d", got, w, h)
	}
	for y := range h {
		for x := range w {
			r, g, b, a := img.At(x, y).RGBA()
			got := r>>8<<16 | g>>8<<8 | b>>8
			if got != want.At(x, y)&pattern.ColorBits || a != 0xffff {
				return fmt.Errorf("at (%d,%d): got %06x, want %06x", x, y, got, want.At(x, y)&pattern.ColorBits)
			}
		}
	}
	return nil
}

// goldenName names a file for this kernel.
func goldenName(t *testing.T, name string) string {
	t.Helper()
	k, err := conformance.RunningKernel()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s-%v.txt", name, k)
}

// TestMatrixDevices passes if the devices of the VM share buffers just as the
// golden file for this kernel says, and every picture that an importer read is
// the one that its exporter drew.
func TestMatrixDevices(t *testing.T) {
	needVM(t)
	for name, devices := range map[string][]string{"matrix": defaultDrivers, "matrix-qxl": {"driver:qxl", "driver:vkms", "driver:bochs-drm"}} {
		table, _, wrong := shared(t, devices, matrix.Config{Width: 256, Height: 192})
		t.Logf("\n%s", table)
		for _, err := range wrong {
			t.Error(err)
		}
		golden(t, goldenName(t, name), table)
	}
}

// TestMatrixBrokenPitch passes if pictures drawn with a wrong pitch make the
// table another one, and every PNG a wrong one.
func TestMatrixBrokenPitch(t *testing.T) {
	needVM(t)
	table, written, wrong := shared(t, defaultDrivers, matrix.Config{Width: 250, Height: 190, DrawSkew: pattern.BytesPerPixel})
	want, err := os.ReadFile(filepath.Join("../../../../testdata/golden", goldenName(t, "matrix")))
	if err != nil {
		t.Fatal(err)
	}
	if string(want) == table {
		t.Errorf("the table is as if nothing were wrong:\n%s", table)
	}
	if !bytes.Contains([]byte(table), []byte("read wrong-pixels")) || bytes.Contains([]byte(table), []byte("engine")) {
		t.Errorf("want wrong pixels in the table:\n%s", table)
	}
	if written < 10 || len(wrong) != written {
		t.Errorf("%d of %d pictures are wrong: %v", len(wrong), written, wrong)
	}
}

// TestMatrixInterrupted passes if a matrix that is interrupted at any ioctl
// says so, leaves nothing open and writes no picture of the pair that it was
// at.
func TestMatrixInterrupted(t *testing.T) {
	needVM(t)
	set, err := matrix.Find(nil)
	if err != nil {
		t.Fatal(err)
	}
	for at := int64(1); at <= 400; at += 19 {
		t.Run(fmt.Sprintf("ioctl %d", at), func(t *testing.T) {
			drmtest.CheckLeaks(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var ioctls atomic.Int64
			drmtest.Intercept(t, func(drmtest.Call) (syscall.Errno, bool) {
				if ioctls.Add(1) == at {
					cancel()
				}
				return 0, false
			})
			pictures := 0
			cells, err := matrix.Run(ctx, set, matrix.Config{
				Width: 64, Height: 64,
				Picture: func(*matrix.Cell, []byte) { pictures++ },
			})
			if !errors.Is(err, context.Canceled) || pictures > len(cells) {
				t.Errorf("%d cells, %d pictures, error %v", len(cells), pictures, err)
			}
		})
	}
}

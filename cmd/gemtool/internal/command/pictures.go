package command

import (
	"errors"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/gemtool/gemtool/cmd/gemtool/internal/matrix"
	"github.com/gemtool/gemtool/cmd/gemtool/internal/pattern"
)

// pictures writes what importers read. After the first error it writes no
// more: the disk is full, or worse.
type pictures struct {
	dir           string
	width, height int
	names         map[*matrix.Cell]string
	err           error
}

// newPictures finds out early whether the directory can be written to.
func newPictures(dir string, width, height int) (*pictures, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	p := &pictures{dir: dir, width: width, height: height, names: map[*matrix.Cell]string{}}
	f, err := temp(dir)
	if err != nil {
		return nil, err
	}
	return p, errors.Join(f.Close(), os.Remove(f.Name()))
}

func temp(dir string) (*os.File, error) { return os.CreateTemp(dir, ".gemtool-*") }

func (p *pictures) write(c *matrix.Cell, pix []byte) {
	if p.err != nil {
		return
	}
	name := fileName(c.Exporter.Name) + "-" + fileName(c.Importer.Name) + ".png"
	if p.err = p.writeFile(name, pix); p.err == nil {
		p.names[c] = name
	}
}

func (p *pictures) writeFile(name string, pix []byte) error {
	return writeWhole(filepath.Join(p.dir, name), func(w io.Writer) error {
		return png.Encode(w, pattern.Image(pix, p.width, p.height))
	})
}

// writeWhole writes a file, and never leaves a part of one under its name.
func writeWhole(path string, write func(w io.Writer) error) (err error) {
	f, err := temp(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if err := write(f); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	// Only Sync hears from file systems that find out late that they are
	// full, such as 9p.
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// fileName keeps of an endpoint's name what every file system takes.
func fileName(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_', r == '.':
			return r
		}
		return '_'
	}, s)
}

package command

import (
	"crypto/rand"
	"errors"
	"image/png"
	"io"
	"io/fs"
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
		return nil, named(err, dir+"/")
	}
	return p, errors.Join(f.Close(), os.Remove(f.Name()))
}

// temp makes a new file that the umask decides about.
func temp(dir string) (*os.File, error) {
	return os.OpenFile(filepath.Join(dir, ".gemtool-"+rand.Text()), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
}

// named gives an error the name that the user knows.
func named(err error, path string) error {
	var e *fs.PathError
	if errors.As(err, &e) {
		return &fs.PathError{Op: e.Op, Path: path, Err: e.Err}
	}
	return err
}

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

// writeWhole writes a file, and never leaves a part of one under its name. It
// takes the place of a file that is there, and of nothing else: not of a device,
// nor of what a link leads to.
func writeWhole(path string, write func(w io.Writer) error) (err error) {
	if st, err := os.Lstat(path); err == nil && !st.Mode().IsRegular() {
		return &fs.PathError{Op: "write", Path: path, Err: errors.New("it is there, and no regular file")}
	}
	f, err := temp(filepath.Dir(path))
	if err != nil {
		return named(err, path)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
			err = named(err, path)
		}
	}()
	if err := write(f); err != nil {
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

package debugfs

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strconv"

	"github.com/gemtool/gemtool/drm/internal/textfile"
)

// Dir is where debugfs is mounted.
type Dir string

// Default is where systems mount it.
const Default Dir = "/sys/kernel/debug"

// maxText is more than the text of ten thousand buffers.
const maxText = 4 << 20

// Framebuffers reads all framebuffers of the device with this primary minor,
// the number of its card node, for [ParseFramebuffers].
func (d Dir) Framebuffers(minor int) ([]byte, error) { return d.device(minor, "framebuffer") }

// GEMNames reads the device's objects that have a global name, for
// [ParseGEMNames].
func (d Dir) GEMNames(minor int) ([]byte, error) { return d.device(minor, "gem_names") }

// Clients reads the device's open files, for [ParseClients].
func (d Dir) Clients(minor int) ([]byte, error) { return d.device(minor, "clients") }

// Name reads which device the minor is of, for [ParseName].
func (d Dir) Name(minor int) ([]byte, error) { return d.device(minor, "name") }

// Bufinfo reads all dma-bufs of the system, for [ParseBufinfo]. The kernel takes
// every dma-buf's reservation for that, one by one.
func (d Dir) Bufinfo() ([]byte, error) { return d.read("dma_buf", "bufinfo") }

func (d Dir) device(minor int, file string) ([]byte, error) {
	return d.read("dri", strconv.Itoa(minor), file)
}

func (d Dir) read(elem ...string) ([]byte, error) {
	path := filepath.Join(append([]string{string(d)}, elem...)...)
	text, err := textfile.Read(path, maxText)
	if err == nil {
		return text, nil
	}
	if inner, ok := errors.AsType[*fs.PathError](err); ok {
		err = inner.Err
	}
	e := &Error{Path: path, Err: err}
	if errors.Is(err, fs.ErrNotExist) {
		e.Kind = ErrNotSupported
	}
	return nil, e
}

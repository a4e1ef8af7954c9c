package drm

import (
	"bytes"
	"runtime"

	"github.com/gemtool/gemtool/drm/internal/uapi"
	"github.com/gemtool/gemtool/drm/ioctl"
)

// Version is what a driver says of itself. The texts are the driver's: escape
// them before they reach a terminal.
type Version struct {
	Major, Minor, Patch int
	Name                string // such as "vkms": what tells drivers apart
	Date                string // "0" or empty on newer kernels
	Desc                string
}

// maxText bounds each text of a Version.
const maxText = 4096

// Version returns the driver's name and version.
//
// Nodes: card, render, accel. Errors: ErrGone.
func (d *Device) Version() (Version, error) {
	var pin runtime.Pinner
	defer pin.Unpin()

	// Names are short. The kernel says how long they really are, and copies
	// what fits.
	texts := [3][]byte{make([]byte, 64), make([]byte, 64), make([]byte, 128)}
	for {
		v := uapi.Version{
			NameLen: uintptr(len(texts[0])), Name: uintptr(ioctl.Addr(&pin, texts[0])),
			DateLen: uintptr(len(texts[1])), Date: uintptr(ioctl.Addr(&pin, texts[1])),
			DescLen: uintptr(len(texts[2])), Desc: uintptr(ioctl.Addr(&pin, texts[2])),
		}
		if err := uapi.OpVersion.Do(d.fd, &v); err != nil {
			return Version{}, d.NewError(uapi.OpVersion.Name(), "", err)
		}
		short := false
		for i, n := range [3]uintptr{v.NameLen, v.DateLen, v.DescLen} {
			if n = min(n, maxText); n > uintptr(len(texts[i])) {
				texts[i] = make([]byte, n)
				short = true
			} else {
				texts[i] = texts[i][:n]
			}
		}
		if short {
			continue
		}
		return Version{
			Major: int(v.Major), Minor: int(v.Minor), Patch: int(v.Patchlevel),
			Name: text(texts[0]), Date: text(texts[1]), Desc: text(texts[2]),
		}, nil
	}
}

// text returns what stands before the first NUL.
func text(b []byte) string {
	b, _, _ = bytes.Cut(b, []byte{0})
	return string(b)
}

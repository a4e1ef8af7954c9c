package devinfo

import (
	"errors"
	"syscall"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/fourcc"
	"github.com/gemtool/gemtool/drm/kms"
)

// Framebuffer is a framebuffer, somebody's.
type Framebuffer struct {
	ID       uint32           `json:"id"`
	Width    uint32           `json:"width"`
	Height   uint32           `json:"height"`
	Format   fourcc.Format    `json:"format"`
	Modifier *fourcc.Modifier `json:"modifier"` // null: the driver decides
	Planes   []FBPlane        `json:"planes"`
}

// FBPlane is where a plane of its pixels lies, in bytes.
type FBPlane struct {
	Offset uint32 `json:"offset"`
	Pitch  uint32 `json:"pitch"`
}

// readFramebuffer returns nil for none, and for one that went away meanwhile.
// The handles that a privileged user gets with the answer are given back: the
// file must be nobody else's.
func readFramebuffer(d *drm.Device, id kms.FBID) (*Framebuffer, error) {
	if id == 0 {
		return nil, nil
	}
	fb, err := kms.GetFB2(d, id)
	if errors.Is(err, syscall.ENOENT) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	out := &Framebuffer{ID: uint32(id), Width: fb.Width, Height: fb.Height, Format: fb.Format, Planes: []FBPlane{}}
	if fb.Modifier != fourcc.ModInvalid {
		out.Modifier = &fb.Modifier
	}
	closed := map[drm.Handle]bool{0: true}
	var failed error
	for _, p := range fb.Planes {
		out.Planes = append(out.Planes, FBPlane{p.Offset, p.Pitch})
		if !closed[p.Handle] {
			closed[p.Handle] = true
			failed = errors.Join(failed, d.CloseHandle(p.Handle))
		}
	}
	return out, failed
}

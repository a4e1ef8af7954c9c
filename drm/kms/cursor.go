package kms

import (
	"fmt"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/internal/uapi"
)

// Cursor is a picture for SetCursor, of ARGB8888 pixels without gaps between
// its rows. drm.CapCursorWidth and drm.CapCursorHeight say which size the
// driver does.
type Cursor struct {
	Handle        drm.Handle // 0: none
	Width, Height uint32     // pixels

	// The pixel that points: of use where the display is a window of a host.
	HotX, HotY int32
}

// SetCursor gives a CRTC's cursor a picture, or takes it away. A handle may be
// closed afterwards.
//
// Nodes: card. Permissions: master. Errors: ENOENT for an unknown CRTC or
// handle, the latter is EINVAL for some drivers; ENXIO for a CRTC without a
// cursor; EINVAL for a size that the driver does not do. Source: drm_plane.c.
func SetCursor(d *drm.Device, id CRTCID, c Cursor) error {
	arg := uapi.ModeCursor2{
		Flags: uapi.ModeCursorBO, CRTCID: uint32(id),
		Handle: uint32(c.Handle), Width: c.Width, Height: c.Height, HotX: c.HotX, HotY: c.HotY,
	}
	if err := uapi.OpModeCursor2.Do(d.FD(), &arg); err != nil {
		return d.NewError(uapi.OpModeCursor2.Name(), fmt.Sprintf("of %v, %v", id, c.Handle), err)
	}
	return nil
}

// MoveCursor moves a CRTC's cursor: the left upper corner of its picture goes
// to a place on the CRTC, in pixels.
//
// Nodes: card. Permissions: master. Errors: ENOENT for an unknown CRTC; EFAULT
// for a CRTC without a cursor. Source: drm_plane.c.
func MoveCursor(d *drm.Device, id CRTCID, x, y int32) error {
	arg := uapi.ModeCursor{Flags: uapi.ModeCursorMove, CRTCID: uint32(id), X: x, Y: y}
	if err := uapi.OpModeCursor.Do(d.FD(), &arg); err != nil {
		return d.NewError(uapi.OpModeCursor.Name(), fmt.Sprintf("of %v to %d,%d", id, x, y), err)
	}
	return nil
}

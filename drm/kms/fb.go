package kms

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/fourcc"
	"github.com/gemtool/gemtool/drm/internal/uapi"
)

// FBPlane is one plane of a framebuffer's pixels: a place in an object.
type FBPlane struct {
	Handle drm.Handle
	Pitch  uint32 // bytes from a row to the next
	Offset uint32 // bytes before the first row
}

// FB says how a framebuffer's pixels lie in objects.
type FB struct {
	Width, Height uint32
	Format        fourcc.Format
	// Modifier, also the zero value, which is ModLinear, is for devices with
	// drm.CapAddFB2Modifiers: of the others virtio-gpu is one. With ModInvalid
	// none is sent, and the driver decides.
	Modifier fourcc.Modifier
	Planes   []FBPlane // 1 to 4
}

// maxPlanes is DRM_FORMAT_MAX_PLANES.
const maxPlanes = 4

// AddFB2 makes a framebuffer. It keeps the objects alive: their handles may be
// closed before it is used.
//
// Nodes: card. Errors: ErrRange for another number of planes; EINVAL for a
// format, size, pitch or modifier that the driver does not do, and for an
// object too small; ENOENT for an unknown handle; ErrNotSupported on a device
// without modesetting. Source: drm_framebuffer.c.
func AddFB2(d *drm.Device, fb FB) (FBID, error) {
	object := func() string {
		return fmt.Sprintf("%dx%d %v of %d planes", fb.Width, fb.Height, fb.Format, len(fb.Planes))
	}
	if len(fb.Planes) == 0 || len(fb.Planes) > maxPlanes {
		return 0, d.NewError(uapi.OpModeAddFB2.Name(), object(), drm.ErrRange)
	}
	arg := uapi.ModeFBCmd2{Width: fb.Width, Height: fb.Height, PixelFormat: uint32(fb.Format)}
	if fb.Modifier != fourcc.ModInvalid {
		arg.Flags |= uapi.ModeFBModifiers
	}
	for i, p := range fb.Planes {
		arg.Handles[i] = uint32(p.Handle)
		arg.Pitches[i] = p.Pitch
		arg.Offsets[i] = p.Offset
		if arg.Flags&uapi.ModeFBModifiers != 0 {
			arg.Modifier[i] = uint64(fb.Modifier)
		}
	}
	if err := uapi.OpModeAddFB2.Do(d.FD(), &arg); err != nil {
		e := d.NewError(uapi.OpModeAddFB2.Name(), object(), err)
		if err == syscall.EINVAL && fb.Modifier != fourcc.ModInvalid {
			if takes, err := d.Cap(drm.CapAddFB2Modifiers); err == nil && takes == 0 {
				e.Hint = "the driver takes no modifiers, not even that of linear: set fourcc.ModInvalid"
			}
		}
		return 0, e
	}
	return FBID(arg.FBID), nil
}

// GetFB2 returns how a framebuffer's pixels lie, with new handles of its
// objects, one for each object, at every call. They are the caller's, who
// gives them to gem's Store.Adopt or closes them. Without the right to see the
// pixels the handles are 0.
//
// Nodes: card. Permissions: DRM master or CAP_SYS_ADMIN for the handles.
// Errors: ENOENT for an unknown framebuffer; EINVAL on a device without
// modesetting and before Linux 5.7; ENODEV where the driver does not tell the
// objects. Source: drm_mode_getfb2_ioctl.
func GetFB2(d *drm.Device, id FBID) (FB, error) {
	arg := uapi.ModeFBCmd2{FBID: uint32(id)}
	arg.AwaitModifier()
	if err := uapi.OpModeGetFB2.Do(d.FD(), &arg); err != nil {
		return FB{}, d.NewError(uapi.OpModeGetFB2.Name(), id.String(), err)
	}
	fb := FB{Width: arg.Width, Height: arg.Height, Format: fourcc.Format(arg.PixelFormat), Modifier: fourcc.ModInvalid}
	if arg.Flags&uapi.ModeFBModifiers != 0 {
		fb.Modifier = fourcc.Modifier(arg.FirstModifier())
	}
	for i := range maxPlanes {
		if i > 0 && arg.Pitches[i] == 0 {
			break
		}
		fb.Planes = append(fb.Planes, FBPlane{
			Handle: drm.Handle(arg.Handles[i]), Pitch: arg.Pitches[i], Offset: arg.Offsets[i],
		})
	}
	return fb, nil
}

// RmFB removes a framebuffer, and turns off the planes that show it. Where
// one is a primary plane, and the driver is a legacy one or does not run a CRTC
// without it, the CRTC goes dark.
//
// Nodes: card. Errors: ENOENT for an unknown framebuffer.
func RmFB(d *drm.Device, id FBID) error {
	arg := uapi.ModeRmFB{FBID: uint32(id)}
	if err := uapi.OpModeRmFB.Do(d.FD(), &arg); err != nil {
		return d.NewError(uapi.OpModeRmFB.Name(), id.String(), err)
	}
	return nil
}

// CloseFB gives up a framebuffer; planes that show it go on doing so. Kernels
// before 6.8 have no such call and answer EINVAL: there it is RmFB.
//
// Nodes: card. Errors: ENOENT for an unknown framebuffer.
func CloseFB(d *drm.Device, id FBID) error {
	arg := uapi.ModeCloseFB{FBID: uint32(id)}
	err := uapi.OpModeCloseFB.Do(d.FD(), &arg)
	if errors.Is(err, syscall.EINVAL) {
		return RmFB(d, id)
	}
	if err != nil {
		return d.NewError(uapi.OpModeCloseFB.Name(), id.String(), err)
	}
	return nil
}

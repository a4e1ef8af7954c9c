package kms

import (
	"context"
	"errors"
	"syscall"

	"github.com/gemtool/gemtool/drm"
)

// ReadBack has the device show fb and write what it shows into out, both
// framebuffers of width by height XRGB8888 pixels: the hardware itself reads
// the one and writes the other. It takes a CRTC that nobody uses, with a mode
// of its own and a writeback connector, and afterwards everything is set as
// it was, also when ctx ends the wait. Clear out first: if the kernel does
// nothing, out stays what it is.
//
// On vkms, whose displays nobody sees, it also takes a CRTC that shows the
// kernel's own console.
//
// It sets the client caps atomic and writeback connectors of d. It becomes
// master for the time of the call, unless d is the master already.
//
// Wait for the fences of an imported fb before: when ctx ends while another
// device still writes it, ReadBack has to put the CRTC back all the same, and
// the kernel lets that wait for the other device.
//
// Nodes: card. Errors: ErrNoWriteback; drm.ErrNotSupported on a device
// without atomic modesetting; ErrBusy while another file is master or its
// CRTCs are in use; drm.ErrPermission where becoming master is not allowed;
// drm.ErrRange for a size that the device does not show; ctx's error; and the
// kernel's refusal of fb or out.
func ReadBack(ctx context.Context, d *drm.Device, fb, out FBID, width, height int) (err error) {
	also := func(f func() error) { err = errors.Join(err, f()) }

	for _, c := range []drm.ClientCap{drm.ClientCapAtomic, drm.ClientCapWritebackConnectors} {
		if err := d.SetClientCap(c, 1); err != nil {
			return err
		}
	}
	dropMaster, err := becomeMaster(d)
	if err != nil {
		return err
	}
	defer also(dropMaster)

	t, err := readTopology(d)
	if err != nil {
		return err
	}
	if !t.shows(width, height) {
		return d.NewError("readback", "", drm.ErrRange)
	}
	p, err := findPipe(d, &t, func(c crtcState) bool { return showsConsole(d, &t, c) })
	if err != nil {
		return err
	}
	l := &loan{d: d}
	defer also(l.close)
	if err := l.borrow(p, fb, width, height); err != nil {
		return err
	}
	var fence OutFence
	if err := l.writeback(p.connector, out, &fence); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	// Nonblocking, as the wait for other devices to finish with fb must end
	// with ctx.
	if err := l.do.Commit(d, CommitAllowModeset|CommitNonblock); err != nil {
		return err
	}
	defer also(l.giveBack)
	if err := waitFence(ctx, fence.Take()); err != nil {
		return d.NewError("readback", "", err)
	}
	return nil
}

// becomeMaster makes d the master until drop is called, which leaves d the
// master that it may have been before.
func becomeMaster(d *drm.Device) (drop func() error, err error) {
	is, err := d.IsMaster()
	if err != nil {
		return nil, err
	}
	if is {
		return func() error { return nil }, nil
	}
	err = d.SetMaster()
	var e *drm.Error
	if errors.As(err, &e) && e.Err == syscall.EBUSY {
		e.Kind = ErrBusy
		e.Hint = "another program is the DRM master"
	}
	return d.DropMaster, err
}

// shows says whether the device takes framebuffers of a size and a mode can
// have it.
func (t *topology) shows(width, height int) bool {
	const most = 1 << 15
	return width > 0 && width < most && uint32(width) >= t.MinWidth && uint32(width) <= t.MaxWidth &&
		height > 0 && height < most && uint32(height) >= t.MinHeight && uint32(height) <= t.MaxHeight
}

// borrow has everything leave the CRTC of a pipe but fb.
func (l *loan) borrow(p pipe, fb FBID, width, height int) error {
	mode, err := l.blob(modeBlob(width, height))
	if err != nil {
		return err
	}
	for _, o := range p.otherPlanes {
		if err := l.plane(o, 0, 0, 0, 0); err != nil {
			return err
		}
	}
	for _, o := range p.otherConnectors {
		if err := l.connector(o, 0); err != nil {
			return err
		}
	}
	if err := l.plane(p.plane, p.crtc.id, fb, width, height); err != nil {
		return err
	}
	if err := l.crtc(p.crtc, mode); err != nil {
		return err
	}
	return l.connector(p.connector, p.crtc.id)
}

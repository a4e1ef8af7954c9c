package drm

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/gemtool/gemtool/drm/internal/uapi"
	"github.com/gemtool/gemtool/drm/ioctl"
)

// SyncobjToFD exports the sync object itself, close-on-exec, for another
// process or device to share it. The caller owns the result.
//
// Nodes: card, render. Errors: ErrNotSupported; EINVAL for an unknown handle;
// EMFILE and ENFILE without a descriptor left. Source: drm_syncobj.c.
func (d *Device) SyncobjToFD(h SyncobjHandle) (*ioctl.FD, error) {
	return d.syncobjToFD(h, uapi.SyncobjHandle{})
}

// FDToSyncobj imports a sync object with a handle of its own. fd stays the
// caller's, and may be closed at once.
//
// Nodes: card, render. Errors: ErrNotSupported; EINVAL for a descriptor of
// something else or of nothing; ErrClosed when either descriptor is closed.
func (d *Device) FDToSyncobj(fd *ioctl.FD) (SyncobjHandle, error) {
	var arg uapi.SyncobjHandle
	if err := d.fdToSyncobj(fd, &arg); err != nil {
		return 0, err
	}
	return SyncobjHandle(arg.Handle), nil
}

// SyncobjToSyncFile exports the fence that is now at a point, 0 for a binary
// sync object's, as a sync_file: one fence, which poll(2) waits for. What
// comes into the sync object later does not change it. The caller owns the
// result.
//
// A kernel before 7.2 knows only the binary way. There a temporary sync
// object is between.
//
// Nodes: card, render. Errors: ErrNotSupported; EINVAL without a fence there;
// ENOENT for an unknown handle; EMFILE and ENFILE.
func (d *Device) SyncobjToSyncFile(h SyncobjHandle, point uint64) (*ioctl.FD, error) {
	arg := uapi.SyncobjHandle{Flags: uapi.SyncobjHandleToFDExportSyncFile}
	if point == 0 {
		return d.syncobjToFD(h, arg)
	}
	arg.Flags |= uapi.SyncobjHandleToFDTimeline
	arg.Point = point
	fd, err := d.syncobjToFD(h, arg)
	if !isErrno(err, syscall.EINVAL) {
		return fd, err
	}
	// Another reason to say EINVAL makes the detour fail, too.
	err = d.withSyncobj(func(tmp SyncobjHandle) error {
		if err := d.TransferSyncobj(tmp, 0, h, point, 0); err != nil {
			return err
		}
		fd, err = d.SyncobjToSyncFile(tmp, 0)
		return err
	})
	if err != nil && fd != nil {
		fd.Close() // the device was closed, or went, in between
		fd = nil
	}
	return fd, err
}

// SyncFileToSyncobj puts the fence of a sync_file at a point of a sync object,
// 0 for a binary one, whose fence is replaced. fd stays the caller's.
//
// For a timeline it goes the detour of [Device.SyncobjToSyncFile] on every
// kernel. 7.2 has a direct way, but that takes the fence as it is. One that
// came from a point of a timeline is a chain itself, and a chain in a chain is
// what dma_fence_chain_init warns of (seen on 7.2.13) and the transfer takes
// apart.
//
// Nodes: card, render. Errors: ErrNotSupported; EINVAL for another file than
// a sync_file; ENOENT for an unknown handle; ENOMEM; ErrClosed when either
// descriptor is closed.
func (d *Device) SyncFileToSyncobj(fd *ioctl.FD, h SyncobjHandle, point uint64) error {
	if point == 0 {
		return d.fdToSyncobj(fd, &uapi.SyncobjHandle{Handle: uint32(h), Flags: uapi.SyncobjFDToHandleImportSyncFile})
	}
	return d.withSyncobj(func(tmp SyncobjHandle) error {
		if err := d.SyncFileToSyncobj(fd, tmp, 0); err != nil {
			return err
		}
		return d.TransferSyncobj(h, point, tmp, 0, 0)
	})
}

// withSyncobj calls f with a sync object that lives until f returns.
func (d *Device) withSyncobj(f func(tmp SyncobjHandle) error) error {
	tmp, err := d.CreateSyncobj(0)
	if err != nil {
		return err
	}
	err = f(tmp)
	if destroyErr := d.DestroySyncobj(tmp); destroyErr != nil {
		err = errors.Join(err, destroyErr)
	}
	return err
}

func (d *Device) syncobjToFD(h SyncobjHandle, arg uapi.SyncobjHandle) (*ioctl.FD, error) {
	arg.Handle, arg.FD = uint32(h), -1
	err := uapi.OpSyncobjHandleToFD.Do(d.fd, &arg)
	if err == nil && arg.FD < 0 {
		err = fmt.Errorf("kernel answered with descriptor %d", arg.FD)
	}
	if err != nil {
		return nil, d.NewError(uapi.OpSyncobjHandleToFD.Name(), h.String(), err)
	}
	return ioctl.NewFD(int(arg.FD)), nil
}

func (d *Device) fdToSyncobj(fd *ioctl.FD, arg *uapi.SyncobjHandle) error {
	err := fd.Use(func(n int) error {
		arg.FD = int32(n)
		return uapi.OpSyncobjFDToHandle.Do(d.fd, arg)
	})
	if err != nil {
		object := ""
		if arg.Handle != 0 {
			object = SyncobjHandle(arg.Handle).String()
		}
		return d.NewError(uapi.OpSyncobjFDToHandle.Name(), object, err)
	}
	return nil
}

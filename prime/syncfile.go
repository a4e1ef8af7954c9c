package prime

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/ioctl"
	"github.com/gemtool/gemtool/prime/internal/uapi"
)

// SyncFile owns the descriptor of a sync_file: some fences, which never become
// more, and are signaled once and for good. It is how fences travel between
// devices and processes: an acquire fence goes with a buffer that is given
// away, and a release fence comes back.
type SyncFile struct {
	fd *ioctl.FD
}

// NewSyncFile takes ownership of a descriptor, which may have come from
// anywhere, and closes it on an error.
//
// Errors: ErrNotSyncFile, ErrClosed. Source: sync_file.c.
func NewSyncFile(fd *ioctl.FD) (*SyncFile, error) {
	err := uapi.OpFileInfo.Do(fd, &uapi.SyncFileInfo{})
	if err != nil {
		fd.Close()
		e := &Error{Op: "take", Object: "descriptor", Err: err}
		if err == syscall.ENOTTY || err == syscall.EINVAL {
			e.Kind = ErrNotSyncFile
		}
		return nil, e
	}
	return newSyncFile(fd), nil
}

func newSyncFile(fd *ioctl.FD) *SyncFile {
	s := &SyncFile{fd}
	// A net for a SyncFile that nobody closed, not the plan.
	runtime.AddCleanup(s, func(fd *ioctl.FD) { fd.Close() }, fd)
	return s
}

// SyncFileFromFile makes a SyncFile of a duplicate of f's descriptor and leaves
// f alone.
//
// Errors: ErrNotSyncFile, ErrClosed, EMFILE.
func SyncFileFromFile(f *os.File) (*SyncFile, error) {
	fd, err := dupFile(f)
	if err != nil {
		return nil, err
	}
	return NewSyncFile(fd)
}

// ExportSyncFile returns the fences that someone about to access the buffer has
// to wait for, as they are now: for reading those of writers, for writing all.
// Without any it is signaled already.
//
// Errors: ErrRange for an unknown access; ErrClosed, EMFILE. Source:
// dma_buf_export_sync_file.
func (b *Buffer) ExportSyncFile(a Access) (*SyncFile, error) {
	if !a.valid() {
		return nil, b.fail(uapi.OpExportSyncFile.Name(), ErrRange)
	}
	if b.isClosed() {
		return nil, b.fail(uapi.OpExportSyncFile.Name(), ErrClosed)
	}
	defer runtime.KeepAlive(b)
	n, err := b.snapshot(a)
	if err != nil {
		return nil, b.fail(uapi.OpExportSyncFile.Name(), err)
	}
	return newSyncFile(ioctl.NewFD(n)), nil
}

// snapshot is ExportSyncFile's system call.
func (b *Buffer) snapshot(a Access) (n int, err error) {
	arg := uapi.DMABufExportSyncFile{Flags: uint32(a.flags()), FD: -1}
	if err := uapi.OpExportSyncFile.Do(b.fd, &arg); err != nil {
		return -1, err
	}
	return checkFD(arg.FD)
}

// ImportSyncFile adds the fences to the buffer, as of someone who reads or
// writes it: everyone who comes later waits for them, windows of other
// processes included. It is allowed on a read-only buffer, too.
//
// Errors: ErrRange for an unknown access; ErrClosed. Source:
// dma_buf_import_sync_file.
func (b *Buffer) ImportSyncFile(s *SyncFile, a Access) error {
	op := uapi.OpImportSyncFile.Name()
	if !a.valid() {
		return b.fail(op, ErrRange)
	}
	if b.isClosed() {
		return b.fail(op, ErrClosed)
	}
	defer runtime.KeepAlive(b)
	defer runtime.KeepAlive(s)
	arg := uapi.DMABufImportSyncFile{Flags: uint32(a.flags())}
	err := s.fd.Use(func(n int) error {
		arg.FD = int32(n)
		return uapi.OpImportSyncFile.Do(b.fd, &arg)
	})
	if err != nil {
		return b.fail(op, err)
	}
	return nil
}

// Wait returns when all fences are signaled, or with the context's error. Any
// number of goroutines may wait. When the fences are signaled already it makes
// one system call and allocates nothing.
//
// Errors: ctx.Err(), looked at first; ErrClosed; EMFILE, as waiting takes a
// descriptor. That a fence failed is not an error here: see Info.
func (s *SyncFile) Wait(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return s.fail("wait for", err)
	}
	defer runtime.KeepAlive(s)
	done, err := s.Signaled()
	if done || err != nil {
		return err
	}
	n, err := s.dup()
	if err != nil {
		return err
	}
	if err := waitFile(ctx, n); err != nil {
		return s.fail("wait for", err)
	}
	return nil
}

// Signaled says whether all fences are signaled. It does not wait.
//
// Errors: ErrClosed; those of poll(2). Source: sync_file_poll.
func (s *SyncFile) Signaled() (done bool, err error) {
	defer runtime.KeepAlive(s)
	err = s.fd.Use(func(n int) (err error) {
		done, err = pollReady(n, false)
		return err
	})
	if err != nil {
		return false, s.fail("poll of", err)
	}
	return done, nil
}

// Merge returns a SyncFile with the fences of both, which remain as they are.
// The name, of at most 31 bytes, is for debugging.
//
// Errors: ErrRange for another name; ErrClosed, EMFILE. Source:
// sync_file_ioctl_merge.
func (s *SyncFile) Merge(name string, other *SyncFile) (*SyncFile, error) {
	op := uapi.OpMerge.Name()
	arg := uapi.SyncMergeData{Fence: -1}
	if len(name) >= len(arg.Name) || strings.IndexByte(name, 0) >= 0 {
		return nil, s.fail(op, ErrRange)
	}
	copy(arg.Name[:], name)
	defer runtime.KeepAlive(s)
	defer runtime.KeepAlive(other)
	err := other.fd.Use(func(n int) error {
		arg.FD2 = int32(n)
		return uapi.OpMerge.Do(s.fd, &arg)
	})
	if err != nil {
		return nil, s.fail(op, err)
	}
	n, err := checkFD(arg.Fence)
	if err != nil {
		return nil, s.fail(op, err)
	}
	return newSyncFile(ioctl.NewFD(n)), nil
}

// SetDeadline tells the drivers when the fences should be signaled, such as
// the next vertical blank. It is a hint that most ignore: a device may raise
// its clock for it.
//
// Errors: ErrNotSupported before Linux 6.4; ErrClosed. Source:
// sync_file_ioctl_set_deadline.
func (s *SyncFile) SetDeadline(t time.Time) error {
	defer runtime.KeepAlive(s)
	op := uapi.OpSetDeadline.Name()
	at := max(drm.Monotonic()+time.Until(t), 0)
	if err := uapi.OpSetDeadline.Do(s.fd, &uapi.SyncSetDeadline{DeadlineNS: uint64(at)}); err != nil {
		e := s.fail(op, err)
		if err == syscall.ENOTTY {
			e.Kind = ErrNotSupported
			e.Hint = "deadlines of fences came with Linux 6.4"
		}
		return e
	}
	return nil
}

// File returns a close-on-exec duplicate of the descriptor, for passing on to
// another process. The caller closes it.
//
// Errors: ErrClosed, EMFILE.
func (s *SyncFile) File() (*os.File, error) {
	n, err := s.dup()
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(n), "sync_file"), nil
}

func (s *SyncFile) dup() (n int, err error) {
	defer runtime.KeepAlive(s)
	err = s.fd.Use(func(fd int) (err error) {
		n, err = dup(fd)
		return err
	})
	if err != nil {
		return -1, s.fail("dup of", err)
	}
	return n, nil
}

// Close gives the descriptor back as soon as no call is in flight. Waits go on:
// they have their own. A second Close returns ErrClosed.
func (s *SyncFile) Close() error {
	if err := s.fd.Close(); err != nil {
		return s.fail("close of", err)
	}
	return nil
}

func (s *SyncFile) fail(op string, err error) *Error {
	return &Error{Op: op, Object: "sync_file", Err: err}
}

// checkFD looks at a descriptor that a kernel has answered with.
func checkFD(n int32) (int, error) {
	if n < 0 {
		return -1, fmt.Errorf("kernel answered with descriptor %d", n)
	}
	return int(n), nil
}

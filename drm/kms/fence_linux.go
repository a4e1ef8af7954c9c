package kms

import (
	"context"
	"errors"
	"fmt"
	"os"
	"structs"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm/ioctl"
)

// syncFileInfo is struct sync_file_info of <linux/sync_file.h>.
type syncFileInfo struct {
	_             structs.HostLayout
	Name          [32]byte
	Status        int32 // 1: signaled, 0: not yet, below: the errno that it failed with
	Flags         uint32
	NumFences     uint32
	_             uint32
	SyncFenceInfo uint64
}

var opSyncFileInfo = ioctl.ReadWrite[syncFileInfo]("SYNC_IOC_FILE_INFO", '>', 4)

// grace is how long a frame under way may take when ctx ends. It is enough for
// any mode's frame, even where nothing but software makes it.
const grace = 2 * time.Second

// waitFence waits for the sync_file of a frame until ctx ends, and closes it.
// The end of ctx lets a frame under way finish: vkms of 6.12 does not finish
// one whose CRTC is taken away, and every later commit waits for it in vain.
func waitFence(ctx context.Context, fence *ioctl.FD) error {
	if fence == nil {
		return errors.New("kernel gave no fence to wait for")
	}
	defer fence.Close()
	if err := waitReadable(ctx, fence); err != nil {
		if ctx.Err() != nil {
			late, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
			defer cancel()
			// The caller hears of ctx, whatever became of the frame.
			_ = waitReadable(late, fence)
		}
		return err
	}
	var info syncFileInfo
	if err := opSyncFileInfo.Do(fence, &info); err != nil {
		return fmt.Errorf("%s: %w", opSyncFileInfo.Name(), err)
	}
	if info.Status < 0 {
		return fmt.Errorf("writeback: %w", syscall.Errno(-info.Status))
	}
	return nil
}

// waitReadable waits in the runtime's poller, on a file of its own: no thread
// waits, and the end of ctx wakes it.
func waitReadable(ctx context.Context, fd *ioctl.FD) error {
	if err := ctx.Err(); err != nil {
		return err // also of a fence that is signaled already
	}
	var dup int
	err := fd.Use(func(n int) (err error) {
		dup, err = unix.FcntlInt(uintptr(n), unix.F_DUPFD_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return err
	}
	// Without O_NONBLOCK os.NewFile keeps a file from the poller.
	err = unix.SetNonblock(dup, true)
	f := os.NewFile(uintptr(dup), "fence")
	defer f.Close()
	if err != nil {
		return err
	}
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { f.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	var pollErr error
	err = raw.Read(func(n uintptr) (done bool) {
		fds := []unix.PollFd{{Fd: int32(n), Events: unix.POLLIN}}
		ready, err := unix.Poll(fds, 0)
		if err == unix.EINTR {
			err = nil
		}
		pollErr = err
		return ready > 0 || err != nil
	})
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return ctx.Err()
	}
	return errors.Join(pollErr, err)
}

package prime

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/gemtool/gemtool/prime/internal/uapi"
)

// wait returns when no fence forbids the access, or with the context's error.
// The caller holds b.
func (b *Buffer) wait(ctx context.Context, a Access) error {
	for {
		var ready bool
		err := b.fd.Use(func(n int) (err error) {
			ready, err = pollReady(n, a&Write != 0)
			return err
		})
		if ready || err != nil {
			return err
		}
		// Fences may have come since the snapshot that this waits for.
		if err := b.waitSnapshot(ctx, a); err != nil {
			return err
		}
	}
}

// waitSnapshot waits for the fences that the buffer has now.
//
// It waits on a sync_file and not on the dma-buf: polling a dma-buf wakes all
// its pollers, itself included, so that epoll reports a direction that is
// ready again and again while the other is waited for; and making it
// non-blocking, as the runtime's poller wants it, would be seen by all
// processes that share it.
func (b *Buffer) waitSnapshot(ctx context.Context, a Access) error {
	arg := uapi.DMABufExportSyncFile{Flags: uint32(a.flags())}
	if err := uapi.OpExportSyncFile.Do(b.fd, &arg); err != nil {
		return err
	}
	f, err := newPollable(int(arg.FD), "sync_file")
	if err != nil {
		return err
	}
	defer f.Close()
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		f.SetReadDeadline(time.Unix(1, 0))
		close(done)
	})
	var pollErr error
	err = raw.Read(func(n uintptr) (ready bool) {
		ready, pollErr = pollReady(int(n), false)
		return ready || pollErr != nil
	})
	if !stop() {
		<-done
	}
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return ctx.Err()
	case err != nil:
		return err
	}
	return pollErr
}

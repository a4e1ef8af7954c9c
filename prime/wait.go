package prime

import (
	"context"
	"errors"
	"os"
	"time"
)

// Wait returns when no fence forbids the access: for reading when none writes,
// for writing when none uses the buffer, or with the context's error. It opens
// no window, so that it is good for a read-only buffer and any access.
//
// Errors: ctx.Err(), looked at first; ErrRange for an unknown access;
// ErrClosed; EMFILE, as waiting takes a descriptor. Source: dma_buf_poll.
func (b *Buffer) Wait(ctx context.Context, a Access) error {
	const op = "wait for"
	switch {
	case ctx.Err() != nil:
		return b.fail(op, ctx.Err())
	case !a.valid():
		return b.fail(op, ErrRange)
	}
	if err := b.hold(); err != nil {
		return b.fail(op, err)
	}
	defer b.unhold()
	if err := b.wait(ctx, a); err != nil {
		return b.fail(op, err)
	}
	return nil
}

// wait is Wait without the checks. The caller holds b.
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
		n, err := b.snapshot(a)
		if err == nil {
			err = waitFile(ctx, n)
		}
		if err != nil {
			return err
		}
	}
}

// waitFile waits until the sync_file n is signalled, and closes n.
//
// Who waits for a dma-buf waits for a sync_file of it, too: polling a dma-buf
// wakes all its pollers, itself included, so that epoll reports a direction
// that is ready again and again while the other is waited for; and making it
// non-blocking, as the runtime's poller wants it, would be seen by all
// processes that share it. Each wait has a file of its own, as a second reader
// of an os.File queues behind the first.
func waitFile(ctx context.Context, n int) error {
	f, err := newPollable(n, "sync_file")
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

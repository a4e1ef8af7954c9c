package prime

// Idle says whether devices are done with the buffer as far as its fences
// say, so that BeginAccess would not wait: for reading it is idle when none
// writes, for writing when none uses it. It does not wait itself.
//
// Errors: ErrRange for an unknown access; ErrClosed; those of poll(2). Source:
// dma_buf_poll.
func (b *Buffer) Idle(a Access) (idle bool, err error) {
	if !a.valid() {
		return false, b.fail("poll of", ErrRange)
	}
	err = b.use(func(n int) (err error) {
		idle, err = pollReady(n, a&Write != 0)
		return err
	})
	if err != nil {
		return false, b.fail("poll of", err)
	}
	return idle, nil
}

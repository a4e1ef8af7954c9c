package ioctl

import (
	"errors"
	"fmt"
	"io/fs"
	"sync/atomic"
)

// Errors of this package besides the kernel's errnos.
var (
	// ErrClosed is the error of every call on a closed [FD].
	ErrClosed = fs.ErrClosed
	// ErrNotSupported is the error of every call on a system without DRM.
	ErrNotSupported = errors.ErrUnsupported
)

// FD owns a file descriptor and counts the calls that use it, so that its
// number is never used after it has gone back to the kernel, where the next
// open could have taken it: Close from another goroutine lets calls in flight
// finish on the right file and fails later ones.
//
// os.File does the same for reads and writes, but hands out the number for an
// ioctl only through a closure, which allocates, or through Fd, which makes
// the file blocking.
type FD struct {
	n int
	// state counts the calls in flight, and has the bit closed. The
	// descriptor is closed by whoever brings it to exactly closed.
	state atomic.Uint32
}

const closed = 1 << 31

// NewFD takes ownership of descriptor n.
func NewFD(n int) *FD {
	if n < 0 {
		panic(fmt.Sprintf("ioctl: descriptor %d", n))
	}
	return &FD{n: n}
}

func (fd *FD) acquire() (int, error) {
	for {
		s := fd.state.Load()
		if s&closed != 0 {
			return 0, ErrClosed
		}
		if fd.state.CompareAndSwap(s, s+1) {
			return fd.n, nil
		}
	}
}

func (fd *FD) release() {
	if fd.state.Add(^uint32(0)) == closed {
		// Nobody is left to tell about an error, and close(2) has
		// given the number back in any case.
		_ = closeFD(fd.n)
	}
}

// Use calls f with the descriptor's number, which is valid only until f
// returns. It returns ErrClosed without a call of f when fd is closed, and
// f's error otherwise.
func (fd *FD) Use(f func(n int) error) error {
	n, err := fd.acquire()
	if err != nil {
		return err
	}
	defer fd.release()
	return f(n)
}

// Close fails all later calls and closes the descriptor as soon as no call is
// in flight. A second Close returns ErrClosed.
func (fd *FD) Close() error {
	for {
		s := fd.state.Load()
		if s&closed != 0 {
			return ErrClosed
		}
		if fd.state.CompareAndSwap(s, s|closed) {
			if s == 0 {
				return closeFD(fd.n)
			}
			return nil
		}
	}
}

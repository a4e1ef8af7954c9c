//go:build linux

package vm

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"sync"
)

// The host and the guest's init talk in frames: a kind, a length (32 bits,
// little endian) and that many bytes.
const (
	// Either way.
	frameCredit = 'W' // creditFrame: the receiver has room for more

	// Host to guest.
	frameConfig = 'C' // guestConfig as JSON, once
	frameStdin  = '0' // data; empty: end of file
	frameSignal = 'S' // one byte: the signal's number

	// Guest to host.
	frameHello   = 'H' // helloFrame as JSON: the guest's init runs
	frameStarted = 'B' // the program was started
	frameStdout  = '1' // data
	frameStderr  = '2' // data
	frameLog     = 'L' // text: lines of the kernel's log
	frameFile    = 'F' // fileFrame as JSON: a file of a packed directory
	frameData    = 'D' // contents of that file; empty: its end
	frameExit    = 'X' // exitFrame as JSON, the last one
)

// maxFrame bounds a frame. Data frames stay far below it; only a
// configuration with a long environment comes near.
const maxFrame = 4 << 20

// protoVersion changes with anything in this file; host and guest are the
// same executable, unless Config.Init names another one.
const protoVersion = 1

type helloFrame struct {
	Version int
	Release string // of the kernel
}

type fileFrame struct {
	Dir  int    // index into guestConfig.Packed
	Path string // relative to it
	Mode uint32 // permission bits
}

type exitFrame struct {
	Code  int
	Error string // the program could not be started, or its files not sent
}

// codeNotStarted is the code, as a shell has it, of a program that could not
// be started.
const codeNotStarted = 127

// guestConfig is all that the guest's init has to know.
type guestConfig struct {
	Args    []string
	Env     []string
	Chdir   string
	User    User
	Modules []guestModule
	Mounts  []guestMount
	Packed  []string // directories whose changed files go to the host
}

type guestModule struct{ Path, Options string }

type guestMount struct {
	Tag, Path string
	ReadOnly  bool
}

// frameConn frames a byte stream. One goroutine reads, any number write.
type frameConn struct {
	r *bufio.Reader

	mu  sync.Mutex // keeps the frames of several writers apart
	w   io.Writer
	buf []byte // guarded by mu
}

func newFrameConn(rw io.ReadWriter) *frameConn {
	return &frameConn{r: bufio.NewReaderSize(rw, 64<<10), w: rw}
}

// write sends a frame with a single Write.
func (c *frameConn) write(kind byte, payload []byte) error {
	if len(payload) > maxFrame {
		return fmt.Errorf("vm protocol: frame %q of %d bytes is too long", kind, len(payload))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.buf = append(c.buf[:0], kind)
	c.buf = binary.LittleEndian.AppendUint32(c.buf, uint32(len(payload)))
	c.buf = append(c.buf, payload...)
	_, err := c.w.Write(c.buf)
	return err
}

func (c *frameConn) writeJSON(kind byte, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("vm protocol: %w", err)
	}
	return c.write(kind, b)
}

// read returns the next frame; the caller owns the payload. io.EOF means an
// end between two frames.
func (c *frameConn) read() (kind byte, payload []byte, err error) {
	var h [5]byte
	if _, err := io.ReadFull(c.r, h[:1]); err != nil {
		return 0, nil, err
	}
	if _, err := io.ReadFull(c.r, h[1:]); err != nil {
		return 0, nil, fmt.Errorf("vm protocol: cut off header: %w", noEOF(err))
	}
	n := binary.LittleEndian.Uint32(h[1:])
	if n > maxFrame {
		return 0, nil, fmt.Errorf("vm protocol: frame %q claims %d bytes", h[0], n)
	}
	payload = make([]byte, n)
	if _, err := io.ReadFull(c.r, payload); err != nil {
		return 0, nil, fmt.Errorf("vm protocol: cut off frame %q: %w", h[0], noEOF(err))
	}
	return h[0], payload, nil
}

func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

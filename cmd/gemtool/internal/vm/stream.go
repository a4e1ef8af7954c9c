//go:build linux

package vm

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
)

// Stdin, stdout and stderr share one connection. So that one whose reader
// sleeps never holds up the others, each has a window: the sender has at most
// that many bytes under way, and the receiver, which therefore can keep them,
// always takes what arrives and grants credit when it has passed it on.
const (
	streamWindow = 256 << 10
	streamChunk  = 32 << 10
)

// errBadStream is a peer that breaks the rules of windows.
var errBadStream = errors.New("vm protocol: peer overran a stream's window")

// outlet is the sending end of a stream.
type outlet struct {
	conn *frameConn
	kind byte

	mu     sync.Mutex
	cond   sync.Cond // credit or err changed
	credit int
	err    error
}

func newOutlet(conn *frameConn, kind byte) *outlet {
	o := &outlet{conn: conn, kind: kind, credit: streamWindow}
	o.cond.L = &o.mu
	return o
}

// Write sends p, waiting for credit as needed.
func (o *outlet) Write(p []byte) (int, error) {
	sent := 0
	for sent < len(p) {
		n, err := o.take(len(p) - sent)
		if err != nil {
			return sent, err
		}
		if err := o.conn.write(o.kind, p[sent:sent+n]); err != nil {
			return sent, err
		}
		sent += n
	}
	return sent, nil
}

// Close sends the end of file.
func (o *outlet) Close() error { return o.conn.write(o.kind, nil) }

func (o *outlet) take(want int) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.credit == 0 && o.err == nil {
		o.cond.Wait()
	}
	n := min(want, o.credit, streamChunk)
	o.credit -= n
	return n, o.err
}

func (o *outlet) grant(n int) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if n > streamWindow-o.credit {
		return errBadStream
	}
	o.credit += n
	o.cond.Broadcast()
	return nil
}

// fail ends every present and future Write with err.
func (o *outlet) fail(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.err = err
	o.cond.Broadcast()
}

// inlet is the receiving end of a stream.
type inlet struct {
	conn *frameConn
	kind byte

	mu     sync.Mutex
	cond   sync.Cond // queue or eof changed
	queue  [][]byte
	queued int // bytes not yet credited, at most streamWindow
	eof    bool
}

func newInlet(conn *frameConn, kind byte) *inlet {
	i := &inlet{conn: conn, kind: kind}
	i.cond.L = &i.mu
	return i
}

// receive takes the payload of a frame and never blocks.
func (i *inlet) receive(p []byte) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.queued+len(p) > streamWindow {
		return errBadStream
	}
	i.queued += len(p)
	if len(p) == 0 {
		i.eof = true
	} else {
		i.queue = append(i.queue, p)
	}
	i.cond.Broadcast()
	return nil
}

// copyTo passes everything on to w until the end of the stream. After w fails
// nothing more is credited, so that the sender waits.
func (i *inlet) copyTo(w io.Writer) error {
	for {
		p, ok := i.next()
		if !ok {
			return nil
		}
		if _, err := w.Write(p); err != nil {
			return err
		}
		i.mu.Lock()
		i.queued -= len(p)
		i.mu.Unlock()
		if err := i.conn.write(frameCredit, appendCredit(i.kind, len(p))); err != nil {
			return err
		}
	}
}

func (i *inlet) next() ([]byte, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for len(i.queue) == 0 && !i.eof {
		i.cond.Wait()
	}
	if len(i.queue) == 0 {
		return nil, false
	}
	p := i.queue[0]
	i.queue = i.queue[1:]
	return p, true
}

// end is the end of file for a stream whose connection ended.
func (i *inlet) end() { _ = i.receive(nil) }

func appendCredit(kind byte, n int) []byte {
	return binary.LittleEndian.AppendUint32([]byte{kind}, uint32(n))
}

func parseCredit(p []byte) (kind byte, n int, err error) {
	if len(p) != 5 {
		return 0, 0, fmt.Errorf("vm protocol: credit frame of %d bytes", len(p))
	}
	v := binary.LittleEndian.Uint32(p[1:])
	if v > streamWindow {
		return 0, 0, errBadStream
	}
	return p[0], int(v), nil
}

//go:build linux

package vm

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

type readWriter struct {
	io.Reader
	io.Writer
}

func TestFrames(t *testing.T) {
	var wire bytes.Buffer
	c := newFrameConn(&wire)
	frames := []struct {
		kind    byte
		payload string
	}{{frameStdin, ""}, {frameStdout, "\x00\xff"}, {frameLog, string(make([]byte, 100_000))}}
	for _, f := range frames {
		if err := c.write(f.kind, []byte(f.payload)); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range frames {
		kind, b, err := c.read()
		if err != nil || kind != f.kind || string(b) != f.payload {
			t.Errorf("got %q, %d bytes, %v; want %q, %d bytes", kind, len(b), err, f.kind, len(f.payload))
		}
	}
	if _, _, err := c.read(); err != io.EOF {
		t.Errorf("at the end: got %v, want io.EOF", err)
	}
	if err := c.write(frameLog, make([]byte, maxFrame+1)); err == nil {
		t.Error("a frame that is too long was written")
	}
	header := binary.LittleEndian.AppendUint32([]byte{frameLog}, maxFrame+1)
	long := newFrameConn(readWriter{bytes.NewReader(append(header, make([]byte, maxFrame+1)...)), nil})
	if _, _, err := long.read(); err == nil {
		t.Error("a frame that is too long was read")
	}
}

// A reader of arbitrary bytes gives frames or an error, never both, and never
// takes more memory than a frame may have.
func FuzzFrames(f *testing.F) {
	f.Add([]byte("1\x02\x00\x00\x00ab0\x00\x00\x00\x00"))
	f.Add([]byte("1\xff\xff\xff\xff"))
	f.Add([]byte("1\x02"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var again bytes.Buffer
		in := newFrameConn(readWriter{bytes.NewReader(data), io.Discard})
		out := newFrameConn(readWriter{nil, &again})
		for {
			kind, b, err := in.read()
			if err != nil {
				if b != nil {
					t.Fatalf("payload and error %v", err)
				}
				if err == io.EOF && !bytes.Equal(again.Bytes(), data) {
					t.Fatalf("%q was read as %q", data, again.Bytes())
				}
				return
			}
			if kind == frameCredit {
				if _, n, err := parseCredit(b); err == nil && (n < 0 || n > streamWindow) {
					t.Fatalf("credit of %d", n)
				}
			}
			if err := out.write(kind, b); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// pipeStreams connects an outlet and an inlet as host and guest do.
func pipeStreams(t *testing.T) (*outlet, *inlet) {
	a, b := net.Pipe()
	t.Cleanup(func() { a.Close(); b.Close() })
	out, in := newOutlet(newFrameConn(a), frameStdout), newInlet(newFrameConn(b), frameStdout)
	go func() {
		for {
			_, p, err := in.conn.read()
			if err != nil || in.receive(p) != nil {
				in.end()
				return
			}
		}
	}()
	go func() {
		for {
			_, p, err := out.conn.read()
			if err != nil {
				return
			}
			if _, n, err := parseCredit(p); err != nil || out.grant(n) != nil {
				t.Errorf("bad credit %q: %v", p, err)
			}
		}
	}()
	return out, in
}

func TestStream(t *testing.T) {
	out, in := pipeStreams(t)
	data := bytes.Repeat([]byte("0123456789\x00\xff"), streamWindow)
	var all sync.WaitGroup
	all.Go(func() {
		if _, err := out.Write(data); err != nil {
			t.Error(err)
		}
		if err := out.Close(); err != nil {
			t.Error(err)
		}
	})
	var got bytes.Buffer
	if err := in.copyTo(&got); err != nil {
		t.Error(err)
	}
	all.Wait()
	if !bytes.Equal(got.Bytes(), data) {
		t.Errorf("got %d bytes, want the %d that were sent", got.Len(), len(data))
	}
}

// A sender whose receiver passes nothing on stops at the window, and stays
// there until it is failed.
func TestStreamStops(t *testing.T) {
	out, _ := pipeStreams(t)
	stop := errors.New("stop")
	time.AfterFunc(50*time.Millisecond, func() { out.fail(stop) })
	if _, err := out.Write([]byte("an odd number")); err != nil {
		t.Fatal(err)
	}
	n, err := out.Write(make([]byte, 2*streamWindow))
	n += len("an odd number")
	if n != streamWindow || !errors.Is(err, stop) {
		t.Errorf("got %d, %v, want %d, %v", n, err, streamWindow, stop)
	}
}

func TestStreamRules(t *testing.T) {
	in := newInlet(nil, frameStdout)
	if err := in.receive(make([]byte, streamWindow)); err != nil {
		t.Fatal(err)
	}
	if err := in.receive([]byte{0}); !errors.Is(err, errBadStream) {
		t.Errorf("more than the window: got %v, want %v", err, errBadStream)
	}
	if err := newOutlet(nil, frameStdin).grant(1); !errors.Is(err, errBadStream) {
		t.Errorf("credit beyond the window: got %v, want %v", err, errBadStream)
	}
}

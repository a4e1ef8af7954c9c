package scanout_test

import (
	"errors"
	"syscall"
	"testing"

	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/drm/fourcc"
	"github.com/gemtool/gemtool/gem"
	"github.com/gemtool/gemtool/gem/scanout"
	"github.com/gemtool/gemtool/prime"
	"github.com/gemtool/gemtool/prime/primetest"
)

// TestAddFBErrors passes if nothing is left of a framebuffer that came to
// nothing, at whichever step, and a handle that others have stays theirs.
func TestAddFBErrors(t *testing.T) {
	drmtest.CheckLeaks(t)
	f := primetest.NewFake(t)
	d := f.NewCard("fake").Open()
	store := gem.StoreOf(d)
	var bufs [2]*prime.Buffer
	for i := range bufs {
		b, err := prime.New(f.NewBuffer(1<<14, false))
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		bufs[i] = b
	}
	shared, err := store.Import(bufs[0])
	if err != nil {
		t.Fatal(err)
	}
	before := f.Count()
	planes := func(bufs ...*prime.Buffer) (p []prime.Plane) {
		for _, b := range bufs {
			p = append(p, prime.Plane{Buffer: b, Pitch: 64})
		}
		return p
	}
	closed, err := bufs[1].Dup()
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	const addFB2 = "" // the fake's name for what it does not know
	for _, test := range []struct {
		name    string
		planes  []prime.Plane
		call    string
		errnos  []syscall.Errno
		want    error
		imports int
	}{
		{"no plane", nil, addFB2, nil, prime.ErrImage, 0},
		{"five planes", planes(bufs[0], bufs[0], bufs[0], bufs[0], bufs[0]), addFB2, nil, prime.ErrImage, 0},
		{"no buffer", planes(bufs[0], bufs[1], nil), addFB2, nil, prime.ErrImage, 2},
		{"closed buffer", planes(bufs[0], closed), addFB2, nil, prime.ErrClosed, 1},
		{"second import", planes(bufs[0], bufs[1]), "PRIME_FD_TO_HANDLE", []syscall.Errno{0, syscall.ENOMEM}, syscall.ENOMEM, 2},
		{"framebuffer of one dma-buf", planes(bufs[0], bufs[0]), addFB2, []syscall.Errno{syscall.EINVAL}, syscall.EINVAL, 1},
		{"framebuffer of two", planes(bufs[1], bufs[0], bufs[1]), addFB2, []syscall.Errno{syscall.ENOSPC}, syscall.ENOSPC, 2},
	} {
		imports := f.Calls("PRIME_FD_TO_HANDLE")
		f.Fail(test.call, test.errnos...)
		fb, err := scanout.AddFB(store, &prime.Image{Width: 16, Height: 16, Format: fourcc.XRGB8888, Planes: test.planes})
		f.On(test.call, nil)
		if fb != nil || !errors.Is(err, test.want) {
			t.Errorf("%s: %v, %v, want %v", test.name, fb, err, test.want)
		}
		if n := f.Calls("PRIME_FD_TO_HANDLE") - imports; n != test.imports {
			t.Errorf("%s: %d imports, want %d", test.name, n, test.imports)
		}
		if got := f.Count(); got != before {
			t.Errorf("%s: held %+v, before %+v", test.name, got, before)
		}
	}
	if err := shared.Close(); err != nil {
		t.Error(err)
	}
	if got := f.Count(); got != (drmtest.FakeCount{}) {
		t.Errorf("held at the end: %+v", got)
	}
}

package prime_test

import (
	"errors"
	"testing"

	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/prime"
)

// TestIdle passes if Idle tells the fences that matter for an access from the
// others, on a real device.
func TestIdle(t *testing.T) {
	guard(t)
	d := drmtest.RequireDevice(t, "vgem")
	o := dumb(t, d)
	b := export(t, d, o.Handle)
	want := func(when string, read, write bool) {
		t.Helper()
		for access, want := range map[prime.Access]bool{prime.Read: read, prime.Write: write, prime.ReadWrite: write} {
			if idle, err := b.Idle(access); err != nil || idle != want {
				t.Errorf("%s: idle for %v: %v, %v, want %v", when, access, idle, err, want)
			}
		}
	}
	want("new", true, true)
	reading := drmtest.AttachFence(t, d, o.Handle, false)
	want("while a device reads", true, false)
	reading.Signal(t)
	want("after that", true, true)
	writing := drmtest.AttachFence(t, d, o.Handle, true)
	want("while a device writes", false, false)
	writing.Signal(t)
	want("after that", true, true)
}

// TestIdleRefused passes if Idle refuses what BeginAccess does.
func TestIdleRefused(t *testing.T) {
	drmtest.CheckLeaks(t)
	f := newFence(t)
	b := f.buffer(t)
	if idle, err := b.Idle(prime.Read); idle || err != nil {
		t.Errorf("before the signal: %v, %v", idle, err)
	}
	f.signal()
	if idle, err := b.Idle(prime.Read); !idle || err != nil {
		t.Errorf("after the signal: %v, %v", idle, err)
	}
	for _, access := range []prime.Access{0, 4, 4 | prime.Read} {
		if idle, err := b.Idle(access); idle || !errors.Is(err, prime.ErrRange) {
			t.Errorf("%v: %v, %v, want ErrRange", access, idle, err)
		}
	}
	if n := testing.AllocsPerRun(100, func() { b.Idle(prime.Read) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	b.Close()
	if idle, err := b.Idle(prime.Read); idle || !errors.Is(err, prime.ErrClosed) {
		t.Errorf("closed: %v, %v, want ErrClosed", idle, err)
	}
}

package prime_test

import (
	"bytes"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/drm/ioctl"
	"github.com/gemtool/gemtool/prime"
)

// TestExamples passes if the examples do on real devices what they say.
func TestExamples(t *testing.T) {
	guard(t)
	d, o, b := vgem(t)
	m, err := b.Map()
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()

	// The client's device draws, and is done after a while.
	drawing := drmtest.AttachFence(t, d, o.Handle, true)
	time.AfterFunc(20*time.Millisecond, func() {
		m.Bytes()[1] = 42
		drawing.Signal(t)
	})
	f, err := b.File()
	if err != nil {
		t.Fatal(err)
	}
	n, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	var got byte
	if err := readClientBuffer(ioctl.NewFD(n), 64, 48, o.Pitch, func(pix []byte) { got = pix[1] }); err != nil || got != 42 {
		t.Errorf("readClientBuffer: %d, %v", got, err)
	}

	drawing = drmtest.AttachFence(t, d, o.Handle, true)
	target := export(t, d, dumb(t, d).Handle)
	dmabuf, acquire, err := giveAway(target, exportSync(t, b, prime.Read))
	if err != nil {
		t.Fatal(err)
	}
	s, err := prime.SyncFileFromFile(acquire)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	wantSignaled(t, "the acquire fence", s, false)
	wantIdle(t, "the buffer", target, false, false)
	drawing.Signal(t)
	wantSignaled(t, "the acquire fence, drawn", s, true)
	wantIdle(t, "the buffer, drawn", target, true, true)
	acquire.Close()
	dmabuf.Close()

	if linux61(t) {
		t.Log("NOT TESTED: udmabuf, which this kernel lacks")
		return
	}
	vkms := drmtest.RequireDevice(t, "vkms")
	picture := bytes.Repeat([]byte{1, 2, 3, 4}, 3072)
	ha, hb, err := onTwoDevices(t.Context(), picture, d, vkms)
	if err != nil {
		t.Fatal(err)
	}
	both := export(t, d, ha)
	if other := export(t, vkms, hb); other.Inode() != both.Inode() {
		t.Errorf("inodes %d and %d", both.Inode(), other.Inode())
	}
	m2, err := both.Map()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(m2.Bytes(), picture) {
		t.Error("other bytes")
	}
	m2.Close()
	d.CloseHandle(ha)
	vkms.CloseHandle(hb)
}

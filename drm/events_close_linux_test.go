package drm

import (
	"errors"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm/ioctl"
)

// TestEventsClose passes if Close ends a reader's wait at once, and not when
// the device is next asked whether it is still there.
func TestEventsClose(t *testing.T) {
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_NONBLOCK|unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(p[1]) })
	d := &Device{fd: ioctl.NewFD(p[0]), path: "pipe"}
	time.AfterFunc(50*time.Millisecond, func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	start := time.Now()
	for e, err := range d.Events(t.Context()) {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%+v, %v, want ErrClosed", e, err)
		}
	}
	if took := time.Since(start); took > goneInterval*9/10 {
		t.Errorf("took %v", took)
	}
}

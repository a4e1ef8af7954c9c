package conformance

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/debugfs"
	"github.com/gemtool/gemtool/drm/fourcc"
	"github.com/gemtool/gemtool/drm/kms"
)

// watch reads the kernel's own counters of a buffer, which the kernel prints
// for what is behind a framebuffer.
type watch struct {
	minor int
	fb    kms.FBID
	base  debugfs.Shmem
}

// watchUse starts to watch a buffer of 64x64 pixels. It returns nil, which
// wants nothing, where the kernel does not tell: vgem has no framebuffers,
// VRAM has no such counters, and only root may ask.
func (e *Env) watchUse(t T, dev *drm.Device, b drm.Dumb) *watch {
	t.Helper()
	if e.Driver == "vgem" || memoryOf(e.Driver, e.Kernel) != Shmem {
		return nil
	}
	w := &watch{minor: int(unix.Minor(dev.Rdev()))}
	if _, err := debugfs.Default.Framebuffers(w.minor); err != nil && !e.Strict {
		return nil
	}
	fb, err := kms.AddFB2(dev, kms.FB{
		Width: 64, Height: 64, Format: fourcc.XRGB8888, Modifier: fourcc.ModInvalid,
		Planes: []kms.FBPlane{{Handle: b.Handle, Pitch: b.Pitch}},
	})
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() { wantErr(t, "RmFB", kms.RmFB(dev, fb), nil) })
	w.fb = fb
	if w.base, err = w.read(); err != nil {
		t.Fatalf("%v", err)
	}
	return w
}

// want looks whether pages_use_count is n more than when the watch began. What
// a process had goes a moment after it is dead.
func (w *watch) want(t T, what string, n int) {
	t.Helper()
	if w == nil {
		return
	}
	now, err := w.read()
	for wait := time.Millisecond; err == nil && now.PagesUse != w.base.PagesUse+uint32(n) && wait < 2*time.Second; wait *= 2 {
		time.Sleep(wait)
		now, err = w.read()
	}
	if err != nil || now.PagesUse != w.base.PagesUse+uint32(n) {
		t.Errorf("%s: pages_use_count %d, %v, want %d more than %d", what, now.PagesUse, err, n, w.base.PagesUse)
	}
}

func (w *watch) read() (debugfs.Shmem, error) {
	text, err := debugfs.Default.Framebuffers(w.minor)
	if err != nil {
		return debugfs.Shmem{}, err
	}
	all, err := debugfs.ParseFramebuffers(text)
	if err != nil {
		return debugfs.Shmem{}, err
	}
	for _, fb := range all {
		if kms.FBID(fb.ID) != w.fb {
			continue
		}
		if len(fb.Layers) != 1 || fb.Layers[0].Object == nil || fb.Layers[0].Object.Shmem == nil {
			return debugfs.Shmem{}, errors.New("debugfs prints no counters")
		}
		return *fb.Layers[0].Object.Shmem, nil
	}
	return debugfs.Shmem{}, fmt.Errorf("debugfs has no %v", w.fb)
}

package prime

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/ioctl"
)

// Timeline is a sync object used as one: fences at points, which are numbers
// that only grow from 1 on. A point has a fence once somebody has submitted the
// work for it, and is signaled when that is done, as are then all before it. A
// client of a compositor shares its timeline and says for each frame which
// points to wait for, and to signal.
//
// It is a handle on one open file of a device, which need not be the device
// that the work is done on.
type Timeline struct {
	o *syncobj
}

// syncobj is what ends with a Timeline, whether by Close or by the collector.
type syncobj struct {
	dev *drm.Device
	h   drm.SyncobjHandle
	// mu is held, for reading, over calls with the handle, whose number the
	// kernel gives to another object after Close. They are short.
	mu     sync.RWMutex
	closed bool
	// arrivals has an eventfd for each point that was ever waited for to get a
	// fence, while it has none: see arrival. arriving guards it.
	arriving sync.Mutex
	arrivals map[uint64]*ioctl.FD
}

// NewTimeline makes a timeline at point 0.
//
// Nodes: card, render. Errors: ErrNotSupported for a driver without timelines
// (vkms, vgem, bochs; virtio-gpu before Linux 6.6); ErrClosed, ENOMEM.
func NewTimeline(d *drm.Device) (*Timeline, error) {
	if err := hasTimelines(d); err != nil {
		return nil, err
	}
	h, err := d.CreateSyncobj(0)
	if err != nil {
		return nil, err
	}
	return newTimeline(d, h), nil
}

// TimelineFromFile makes a handle of a timeline that somebody shares, and
// leaves f alone.
//
// Nodes: card, render. Errors: those of NewTimeline; EINVAL for a file that is
// no sync object; EMFILE.
func TimelineFromFile(d *drm.Device, f *os.File) (*Timeline, error) {
	if err := hasTimelines(d); err != nil {
		return nil, err
	}
	fd, err := dupFile(f)
	if err != nil {
		return nil, err
	}
	defer fd.Close()
	h, err := d.FDToSyncobj(fd)
	if err != nil {
		return nil, err
	}
	return newTimeline(d, h), nil
}

func hasTimelines(d *drm.Device) error {
	if v, err := d.Cap(drm.CapSyncobjTimeline); err != nil || v == 0 {
		if err == nil {
			err = ErrNotSupported
		}
		return d.NewError("SYNCOBJ_CREATE of a timeline", "", err)
	}
	return nil
}

func newTimeline(d *drm.Device, h drm.SyncobjHandle) *Timeline {
	t := &Timeline{&syncobj{dev: d, h: h, arrivals: make(map[uint64]*ioctl.FD)}}
	// A net for a Timeline that nobody closed, not the plan.
	runtime.AddCleanup(t, func(o *syncobj) { o.close() }, t.o)
	return t
}

// Signaled returns the last point that is signaled, 0 without one.
//
// Errors: ErrClosed.
func (t *Timeline) Signaled() (point uint64, err error) { return t.query(0) }

// Submitted returns the last point that has a fence, 0 without one.
//
// Errors: ErrClosed.
func (t *Timeline) Submitted() (point uint64, err error) { return t.query(drm.SyncobjLastSubmitted) }

func (t *Timeline) query(flags drm.SyncobjQueryFlags) (point uint64, err error) {
	err = t.use("query of", func(d *drm.Device, h drm.SyncobjHandle) error {
		points := []uint64{0}
		err := d.QueryTimelines([]drm.SyncobjHandle{h}, points, flags)
		point = points[0]
		return err
	})
	if err != nil {
		return 0, err
	}
	return point, nil
}

// Signal submits and signals a point.
//
// Errors: ErrRange for point 0; ErrClosed; ENOMEM. A point that is not after
// the last one breaks the rules of who shares the timeline; the kernel takes it
// and signals nothing that was not.
func (t *Timeline) Signal(point uint64) error {
	return t.at("signal of", point, func(d *drm.Device, h drm.SyncobjHandle) error {
		return d.SignalTimelines([]drm.SyncobjHandle{h}, []uint64{point})
	})
}

// SyncFile returns the fence that is at a point, or of the next one after it
// that has one.
//
// Errors: ErrRange for point 0; EINVAL for one without a fence: see
// WaitAvailable; ErrClosed; EMFILE.
func (t *Timeline) SyncFile(point uint64) (*SyncFile, error) {
	fd, err := t.snapshot(point)
	if err != nil {
		return nil, err
	}
	return newSyncFile(fd), nil
}

func (t *Timeline) snapshot(point uint64) (fd *ioctl.FD, err error) {
	err = t.at("export of", point, func(d *drm.Device, h drm.SyncobjHandle) (err error) {
		fd, err = d.SyncobjToSyncFile(h, point)
		return err
	})
	return fd, err
}

// ImportSyncFile submits a point: it is signaled when the fences are, and all
// points before it.
//
// Errors: ErrRange for point 0; ErrClosed; ENOMEM.
func (t *Timeline) ImportSyncFile(s *SyncFile, point uint64) error {
	defer runtime.KeepAlive(s)
	return t.at("import to", point, func(d *drm.Device, h drm.SyncobjHandle) error {
		return d.SyncFileToSyncobj(s.fd, h, point)
	})
}

// Transfer submits a point with the fence of another timeline's point, on the
// same open file.
//
// Errors: ErrRange for point 0 and for a timeline of another file; EINVAL for a
// point of src without a fence; ErrClosed; ENOMEM.
func (t *Timeline) Transfer(point uint64, src *Timeline, srcPoint uint64) error {
	if t.o.dev != src.o.dev || srcPoint == 0 {
		return t.fail("transfer to", ErrRange)
	}
	if t == src { // RWMutex: a goroutine must not take it twice
		return t.at("transfer to", point, func(d *drm.Device, h drm.SyncobjHandle) error {
			return d.TransferSyncobj(h, point, h, srcPoint, 0)
		})
	}
	return t.at("transfer to", point, func(d *drm.Device, h drm.SyncobjHandle) error {
		return src.at("transfer from", srcPoint, func(_ *drm.Device, from drm.SyncobjHandle) error {
			return d.TransferSyncobj(h, point, from, srcPoint, 0)
		})
	})
}

// File shares the timeline with another process, or another device. The caller
// closes it.
//
// Errors: ErrClosed, EMFILE.
func (t *Timeline) File() (*os.File, error) {
	var n int
	err := t.use("share of", func(d *drm.Device, h drm.SyncobjHandle) error {
		fd, err := d.SyncobjToFD(h)
		if err != nil {
			return err
		}
		defer fd.Close()
		return fd.Use(func(m int) (err error) {
			n, err = dup(m)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(n), "syncobj"), nil
}

// Close gives the handle back. Fences and other handles live on, and what waits
// for a point to get a fence fails with ErrClosed. A second Close returns
// ErrClosed.
func (t *Timeline) Close() error {
	defer runtime.KeepAlive(t)
	if err := t.o.close(); err != nil {
		return t.fail("close of", err)
	}
	return nil
}

func (o *syncobj) close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return ErrClosed
	}
	o.closed = true
	err := o.dev.DestroySyncobj(o.h)
	if errors.Is(err, drm.ErrClosed) {
		err = nil // it went with the device's file
	}
	o.arriving.Lock()
	defer o.arriving.Unlock()
	for point, fd := range o.arrivals {
		delete(o.arrivals, point)
		wake(fd)
		fd.Close()
	}
	return err
}

// at is use with a point.
func (t *Timeline) at(op string, point uint64, f func(*drm.Device, drm.SyncobjHandle) error) error {
	if point == 0 {
		e := t.fail(op, ErrRange)
		e.Hint = "points of a timeline begin with 1"
		return e
	}
	return t.use(op, f)
}

// use calls f with the handle, which stays open until it returns.
func (t *Timeline) use(op string, f func(*drm.Device, drm.SyncobjHandle) error) error {
	defer runtime.KeepAlive(t)
	t.o.mu.RLock()
	defer t.o.mu.RUnlock()
	if t.o.closed {
		return t.fail(op, ErrClosed)
	}
	return f(t.o.dev, t.o.h)
}

func (t *Timeline) fail(op string, err error) *Error {
	return &Error{Op: op, Object: fmt.Sprintf("timeline %d of %s", uint32(t.o.h), t.o.dev.Path()), Err: err}
}

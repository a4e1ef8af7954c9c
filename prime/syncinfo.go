package prime

import (
	"bytes"
	"fmt"
	"runtime"
	"syscall"
	"time"

	"github.com/gemtool/gemtool/drm/ioctl"
	"github.com/gemtool/gemtool/prime/internal/uapi"
)

// FenceStatus says how far a fence has come.
type FenceStatus int32

// What is not one of these is the negative errno that a fence failed with,
// which signals it, too.
const (
	FenceActive   FenceStatus = 0
	FenceSignaled FenceStatus = 1
)

// Err returns what a fence failed with, or nil.
func (s FenceStatus) Err() error {
	if s < 0 {
		return syscall.Errno(-int64(s))
	}
	return nil
}

func (s FenceStatus) String() string {
	switch {
	case s < 0:
		return "failed: " + s.Err().Error()
	case s == FenceActive:
		return "active"
	case s == FenceSignaled:
		return "signaled"
	}
	return fmt.Sprintf("FenceStatus(%d)", int32(s))
}

// SyncInfo is what the kernel says of a sync_file. Names are as they came, some
// of them from other processes: escape them before printing.
type SyncInfo struct {
	Name   string
	Status FenceStatus // active while any fence is
	Fences []FenceInfo
}

// FenceInfo is what the kernel says of a fence.
type FenceInfo struct {
	Timeline string // whose fences come one after the other
	Driver   string
	Status   FenceStatus
	Time     time.Duration // of the signal, on CLOCK_MONOTONIC; 0 before it
}

// maxFences is more than the kernel has memory to tell of: it puts 80 bytes for
// each into one piece of at most 4 MiB.
const maxFences = 1 << 16

// Info returns what the fences are and how far they have come.
//
// Errors: ErrClosed; ErrRange for more fences than a kernel can tell of; ENOMEM.
// Source: sync_file_ioctl_fence_info.
func (s *SyncFile) Info() (SyncInfo, error) {
	defer runtime.KeepAlive(s)
	info, err := s.info()
	if err != nil {
		return SyncInfo{}, s.fail(uapi.OpFileInfo.Name(), err)
	}
	return info, nil
}

// info asks again while the fences are more than there is room for.
func (s *SyncFile) info() (SyncInfo, error) {
	for room := uint32(4); ; {
		fences := make([]uapi.SyncFenceInfo, room)
		arg := uapi.SyncFileInfo{}
		err := s.fill(&arg, fences)
		if err == nil {
			return newSyncInfo(&arg, fences), nil
		}
		if err != syscall.EINVAL {
			return SyncInfo{}, err
		}
		arg = uapi.SyncFileInfo{}
		if err := s.fill(&arg, nil); err != nil {
			return SyncInfo{}, err
		}
		switch {
		case arg.NumFences <= room:
			return SyncInfo{}, err // it was not about the room
		case arg.NumFences > maxFences:
			return SyncInfo{}, fmt.Errorf("%w: kernel answered with %d fences", ErrRange, arg.NumFences)
		}
		room = arg.NumFences
	}
}

// fill asks for what fits into fences; for none it asks for their number.
func (s *SyncFile) fill(arg *uapi.SyncFileInfo, fences []uapi.SyncFenceInfo) error {
	var pin runtime.Pinner
	defer pin.Unpin()
	arg.NumFences, arg.SyncFenceInfo = uint32(len(fences)), ioctl.Addr(&pin, fences)
	return uapi.OpFileInfo.Do(s.fd, arg)
}

func newSyncInfo(arg *uapi.SyncFileInfo, fences []uapi.SyncFenceInfo) SyncInfo {
	info := SyncInfo{Name: text(arg.Name[:]), Status: FenceStatus(arg.Status)}
	for _, f := range fences[:min(int(arg.NumFences), len(fences))] {
		info.Fences = append(info.Fences, FenceInfo{
			Timeline: text(f.ObjName[:]),
			Driver:   text(f.DriverName[:]),
			Status:   FenceStatus(f.Status),
			Time:     time.Duration(f.TimestampNS),
		})
	}
	return info
}

// text is what a C string holds, also one that lacks its NUL.
func text(b []byte) string {
	b, _, _ = bytes.Cut(b, []byte{0})
	return string(b)
}

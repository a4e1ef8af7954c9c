package uapi

import (
	"structs"

	"github.com/gemtool/gemtool/drm/ioctl"
)

// SyncobjCreate is struct drm_syncobj_create.
type SyncobjCreate struct {
	_      structs.HostLayout
	Handle uint32
	Flags  uint32
}

// SyncobjDestroy is struct drm_syncobj_destroy.
type SyncobjDestroy struct {
	_      structs.HostLayout
	Handle uint32
	Pad    uint32
}

// SyncobjHandle is struct drm_syncobj_handle. Kernels before 7.2 know nothing
// of Point, and take what they know: see drm_ioctl.
type SyncobjHandle struct {
	_      structs.HostLayout
	Handle uint32
	Flags  uint32
	FD     int32
	Pad    uint32
	Point  uint64
}

// SyncobjTransfer is struct drm_syncobj_transfer.
type SyncobjTransfer struct {
	_         structs.HostLayout
	SrcHandle uint32
	DstHandle uint32
	SrcPoint  uint64
	DstPoint  uint64
	Flags     uint32
	Pad       uint32
}

// SyncobjWait is struct drm_syncobj_wait. 6.1 knows nothing of DeadlineNSec.
type SyncobjWait struct {
	_             structs.HostLayout
	Handles       uint64
	TimeoutNSec   int64
	CountHandles  uint32
	Flags         uint32
	FirstSignaled uint32
	Pad           uint32
	DeadlineNSec  uint64
}

// SyncobjTimelineWait is struct drm_syncobj_timeline_wait.
type SyncobjTimelineWait struct {
	_             structs.HostLayout
	Handles       uint64
	Points        uint64
	TimeoutNSec   int64
	CountHandles  uint32
	Flags         uint32
	FirstSignaled uint32
	Pad           uint32
	DeadlineNSec  uint64
}

// SyncobjEventfd is struct drm_syncobj_eventfd.
type SyncobjEventfd struct {
	_      structs.HostLayout
	Handle uint32
	Flags  uint32
	Point  uint64
	FD     int32
	Pad    uint32
}

// SyncobjArray is struct drm_syncobj_array.
type SyncobjArray struct {
	_            structs.HostLayout
	Handles      uint64
	CountHandles uint32
	Pad          uint32
}

// SyncobjTimelineArray is struct drm_syncobj_timeline_array.
type SyncobjTimelineArray struct {
	_            structs.HostLayout
	Handles      uint64
	Points       uint64
	CountHandles uint32
	Flags        uint32
}

// The flags of the structures.
const (
	SyncobjCreateSignaled = 1 << 0 // DRM_SYNCOBJ_CREATE_SIGNALED

	SyncobjHandleToFDExportSyncFile = 1 << 0 // DRM_SYNCOBJ_HANDLE_TO_FD_FLAGS_EXPORT_SYNC_FILE
	SyncobjHandleToFDTimeline       = 1 << 1 // DRM_SYNCOBJ_HANDLE_TO_FD_FLAGS_TIMELINE
	SyncobjFDToHandleImportSyncFile = 1 << 0 // DRM_SYNCOBJ_FD_TO_HANDLE_FLAGS_IMPORT_SYNC_FILE
	SyncobjFDToHandleTimeline       = 1 << 1 // DRM_SYNCOBJ_FD_TO_HANDLE_FLAGS_TIMELINE

	SyncobjWaitAll       = 1 << 0 // DRM_SYNCOBJ_WAIT_FLAGS_WAIT_ALL
	SyncobjWaitForSubmit = 1 << 1 // DRM_SYNCOBJ_WAIT_FLAGS_WAIT_FOR_SUBMIT
	SyncobjWaitAvailable = 1 << 2 // DRM_SYNCOBJ_WAIT_FLAGS_WAIT_AVAILABLE
	SyncobjWaitDeadline  = 1 << 3 // DRM_SYNCOBJ_WAIT_FLAGS_WAIT_DEADLINE

	SyncobjQueryLastSubmitted = 1 << 0 // DRM_SYNCOBJ_QUERY_FLAGS_LAST_SUBMITTED
)

// The ioctls of sync objects in <drm/drm.h>.
var (
	OpSyncobjCreate         = ioctl.ReadWrite[SyncobjCreate]("SYNCOBJ_CREATE", base, 0xbf)
	OpSyncobjDestroy        = ioctl.ReadWrite[SyncobjDestroy]("SYNCOBJ_DESTROY", base, 0xc0)
	OpSyncobjHandleToFD     = ioctl.ReadWrite[SyncobjHandle]("SYNCOBJ_HANDLE_TO_FD", base, 0xc1)
	OpSyncobjFDToHandle     = ioctl.ReadWrite[SyncobjHandle]("SYNCOBJ_FD_TO_HANDLE", base, 0xc2)
	OpSyncobjWait           = ioctl.ReadWrite[SyncobjWait]("SYNCOBJ_WAIT", base, 0xc3)
	OpSyncobjReset          = ioctl.ReadWrite[SyncobjArray]("SYNCOBJ_RESET", base, 0xc4)
	OpSyncobjSignal         = ioctl.ReadWrite[SyncobjArray]("SYNCOBJ_SIGNAL", base, 0xc5)
	OpSyncobjTimelineWait   = ioctl.ReadWrite[SyncobjTimelineWait]("SYNCOBJ_TIMELINE_WAIT", base, 0xca)
	OpSyncobjQuery          = ioctl.ReadWrite[SyncobjTimelineArray]("SYNCOBJ_QUERY", base, 0xcb)
	OpSyncobjTransfer       = ioctl.ReadWrite[SyncobjTransfer]("SYNCOBJ_TRANSFER", base, 0xcc)
	OpSyncobjTimelineSignal = ioctl.ReadWrite[SyncobjTimelineArray]("SYNCOBJ_TIMELINE_SIGNAL", base, 0xcd)
	OpSyncobjEventfd        = ioctl.ReadWrite[SyncobjEventfd]("SYNCOBJ_EVENTFD", base, 0xcf)
)

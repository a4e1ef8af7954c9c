package uapi

import (
	"structs"

	"github.com/gemtool/gemtool/drm/ioctl"
)

// SyncMergeData is struct sync_merge_data.
type SyncMergeData struct {
	_     structs.HostLayout
	Name  [32]byte
	FD2   int32
	Fence int32
	Flags uint32
	Pad   uint32
}

// SyncFenceInfo is struct sync_fence_info.
type SyncFenceInfo struct {
	_           structs.HostLayout
	ObjName     [32]byte
	DriverName  [32]byte
	Status      int32
	Flags       uint32
	TimestampNS uint64
}

// SyncFileInfo is struct sync_file_info.
type SyncFileInfo struct {
	_             structs.HostLayout
	Name          [32]byte
	Status        int32
	Flags         uint32
	NumFences     uint32
	Pad           uint32
	SyncFenceInfo uint64
}

// SyncSetDeadline is struct sync_set_deadline.
type SyncSetDeadline struct {
	_          structs.HostLayout
	DeadlineNS uint64
	Pad        uint64
}

// The ioctls of a sync_file.
var (
	OpMerge       = ioctl.ReadWrite[SyncMergeData]("SYNC_IOC_MERGE", '>', 3)
	OpFileInfo    = ioctl.ReadWrite[SyncFileInfo]("SYNC_IOC_FILE_INFO", '>', 4)
	OpSetDeadline = ioctl.Write[SyncSetDeadline]("SYNC_IOC_SET_DEADLINE", '>', 5)
)

package uapi

import (
	"structs"

	"github.com/gemtool/gemtool/drm/ioctl"
)

// ModeCreateLease is struct drm_mode_create_lease.
type ModeCreateLease struct {
	_           structs.HostLayout
	ObjectIDs   uint64
	ObjectCount uint32
	Flags       uint32 // O_CLOEXEC, O_NONBLOCK
	LesseeID    uint32
	FD          uint32
}

// ModeListLessees is struct drm_mode_list_lessees. Its header says that the
// pointer is of u64: the kernel writes u32.
type ModeListLessees struct {
	_            structs.HostLayout
	CountLessees uint32
	Pad          uint32
	LesseesPtr   uint64
}

// ModeGetLease is struct drm_mode_get_lease.
type ModeGetLease struct {
	_            structs.HostLayout
	CountObjects uint32
	Pad          uint32
	ObjectsPtr   uint64
}

// ModeRevokeLease is struct drm_mode_revoke_lease.
type ModeRevokeLease struct {
	_        structs.HostLayout
	LesseeID uint32
}

// The ioctls of <drm/drm_mode.h>, of leases.
var (
	OpModeCreateLease = ioctl.ReadWrite[ModeCreateLease]("MODE_CREATE_LEASE", base, 0xc6)
	OpModeListLessees = ioctl.ReadWrite[ModeListLessees]("MODE_LIST_LESSEES", base, 0xc7)
	OpModeGetLease    = ioctl.ReadWrite[ModeGetLease]("MODE_GET_LEASE", base, 0xc8)
	OpModeRevokeLease = ioctl.ReadWrite[ModeRevokeLease]("MODE_REVOKE_LEASE", base, 0xc9)
)

// Package uapi holds the structures and numbers of <drm/drm.h> and
// <drm/drm_mode.h> as data, with C's names and layout, and nothing else.
package uapi

import (
	"structs"

	"github.com/gemtool/gemtool/drm/ioctl"
)

const base = 'd' // DRM_IOCTL_BASE

// Version is struct drm_version. Lengths are __kernel_size_t and the texts
// are pointers, so its size differs between 32 and 64 bits.
type Version struct {
	_          structs.HostLayout
	Major      int32
	Minor      int32
	Patchlevel int32
	NameLen    uintptr
	Name       uintptr
	DateLen    uintptr
	Date       uintptr
	DescLen    uintptr
	Desc       uintptr
}

// GetCap is struct drm_get_cap.
type GetCap struct {
	_          structs.HostLayout
	Capability uint64
	Value      uint64
}

// SetClientCap is struct drm_set_client_cap.
type SetClientCap struct {
	_          structs.HostLayout
	Capability uint64
	Value      uint64
}

// GEMClose is struct drm_gem_close.
type GEMClose struct {
	_      structs.HostLayout
	Handle uint32
	Pad    uint32
}

// Auth is struct drm_auth.
type Auth struct {
	_     structs.HostLayout
	Magic uint32
}

// PrimeHandle is struct drm_prime_handle. Flags are DRM_CLOEXEC and DRM_RDWR,
// which are the O_ flags of their names, and go to HANDLE_TO_FD only.
type PrimeHandle struct {
	_      structs.HostLayout
	Handle uint32
	Flags  uint32
	FD     int32
}

// SetClientName is struct drm_set_client_name.
type SetClientName struct {
	_       structs.HostLayout
	NameLen uint64
	Name    uint64
}

// The ioctls of <drm/drm.h>.
var (
	OpVersion      = ioctl.ReadWrite[Version]("VERSION", base, 0x00)
	OpGEMClose     = ioctl.Write[GEMClose]("GEM_CLOSE", base, 0x09)
	OpGetCap       = ioctl.ReadWrite[GetCap]("GET_CAP", base, 0x0c)
	OpSetClientCap = ioctl.Write[SetClientCap]("SET_CLIENT_CAP", base, 0x0d)
	OpAuthMagic    = ioctl.Write[Auth]("AUTH_MAGIC", base, 0x11)
	OpSetMaster    = ioctl.None("SET_MASTER", base, 0x1e)
	OpDropMaster   = ioctl.None("DROP_MASTER", base, 0x1f)

	OpPrimeHandleToFD = ioctl.ReadWrite[PrimeHandle]("PRIME_HANDLE_TO_FD", base, 0x2d)
	OpPrimeFDToHandle = ioctl.ReadWrite[PrimeHandle]("PRIME_FD_TO_HANDLE", base, 0x2e)
	OpSetClientName   = ioctl.ReadWrite[SetClientName]("SET_CLIENT_NAME", base, 0xd1)
)

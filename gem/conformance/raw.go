package conformance

import (
	"structs"

	"github.com/gemtool/gemtool/drm/ioctl"
)

// The ioctls as a client without this library would issue them, for cases
// about what the library never sends. They are declared a second time here so
// that the two can disagree.
type (
	rawCreateDumb struct {
		_                         structs.HostLayout
		height, width, bpp, flags uint32
		handle, pitch             uint32
		size                      uint64
	}
	rawGEMClose struct {
		_           structs.HostLayout
		handle, pad uint32
	}
	rawDestroyDumb struct {
		_      structs.HostLayout
		handle uint32
	}
	rawPrimeHandle struct {
		_             structs.HostLayout
		handle, flags uint32
		fd            int32
	}
	rawFlink struct {
		_            structs.HostLayout
		handle, name uint32
	}
	rawGEMOpen struct {
		_            structs.HostLayout
		name, handle uint32
		size         uint64
	}
	rawChangeHandle struct {
		_                 structs.HostLayout
		handle, newHandle uint32
	}
	rawVgemAttach struct {
		_                         structs.HostLayout
		handle, flags, fence, pad uint32
	}
	rawClientName struct {
		_            structs.HostLayout
		length, name uint64
	}
	rawVgemSignal struct {
		_            structs.HostLayout
		fence, flags uint32
	}
	rawUdmabufList struct {
		_            structs.HostLayout
		flags, count uint32
	}
	rawUdmabufItem struct {
		_            structs.HostLayout
		memfd, pad   uint32
		offset, size uint64
	}
	rawSyncFile struct {
		_     structs.HostLayout
		flags uint32
		fd    int32
	}
)

var (
	rawOpDropMaster   = ioctl.None("DROP_MASTER", 'd', 0x1f)
	rawOpVgemAttach   = ioctl.ReadWrite[rawVgemAttach]("VGEM_FENCE_ATTACH", 'd', 0x41)
	rawOpClientName   = ioctl.ReadWrite[rawClientName]("SET_CLIENT_NAME", 'd', 0xd1)
	rawOpVgemSignal   = ioctl.Write[rawVgemSignal]("VGEM_FENCE_SIGNAL", 'd', 0x42)
	rawOpGEMClose     = ioctl.Write[rawGEMClose]("GEM_CLOSE", 'd', 0x09)
	rawOpFlink        = ioctl.ReadWrite[rawFlink]("GEM_FLINK", 'd', 0x0a)
	rawOpGEMOpen      = ioctl.ReadWrite[rawGEMOpen]("GEM_OPEN", 'd', 0x0b)
	rawOpHandleToFD   = ioctl.ReadWrite[rawPrimeHandle]("PRIME_HANDLE_TO_FD", 'd', 0x2d)
	rawOpFDToHandle   = ioctl.ReadWrite[rawPrimeHandle]("PRIME_FD_TO_HANDLE", 'd', 0x2e)
	rawOpCreateDumb   = ioctl.ReadWrite[rawCreateDumb]("MODE_CREATE_DUMB", 'd', 0xb2)
	rawOpDestroyDumb  = ioctl.ReadWrite[rawDestroyDumb]("MODE_DESTROY_DUMB", 'd', 0xb4)
	rawOpChangeHandle = ioctl.ReadWrite[rawChangeHandle]("GEM_CHANGE_HANDLE", 'd', 0xd2)

	rawOpUdmabufList    = ioctl.Write[rawUdmabufList]("UDMABUF_CREATE_LIST", 'u', 0x43)
	rawOpSetName        = ioctl.Write[uintptr]("DMA_BUF_SET_NAME", 'b', 1)
	rawOpExportSyncFile = ioctl.ReadWrite[rawSyncFile]("DMA_BUF_EXPORT_SYNC_FILE", 'b', 2)
)

// The flags of PRIME_HANDLE_TO_FD.
const (
	rawRDWR    = 2
	rawCLOEXEC = 0o2000000
)

// rawVgemWrite attaches a fence as a writer's.
const rawVgemWrite = 1

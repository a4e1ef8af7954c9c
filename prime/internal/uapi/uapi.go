// Package uapi holds the structures and numbers of <linux/dma-buf.h>,
// <linux/sync_file.h>, <linux/udmabuf.h> and <linux/dma-heap.h> as data, with
// C's names and layout.
package uapi

import (
	"structs"

	"github.com/gemtool/gemtool/drm/ioctl"
)

// Flags of DMABufSync, DMABufExportSyncFile and DMABufImportSyncFile.
const (
	SyncRead  = 1 << 0 // DMA_BUF_SYNC_READ
	SyncWrite = 2 << 0 // DMA_BUF_SYNC_WRITE
	SyncStart = 0 << 2 // DMA_BUF_SYNC_START
	SyncEnd   = 1 << 2 // DMA_BUF_SYNC_END
)

// DMABufSync is struct dma_buf_sync.
type DMABufSync struct {
	_     structs.HostLayout
	Flags uint64
}

// DMABufExportSyncFile is struct dma_buf_export_sync_file.
type DMABufExportSyncFile struct {
	_     structs.HostLayout
	Flags uint32
	FD    int32
}

// DMABufImportSyncFile is struct dma_buf_import_sync_file.
type DMABufImportSyncFile struct {
	_     structs.HostLayout
	Flags uint32
	FD    int32
}

// DMABufNameLen is DMA_BUF_NAME_LEN of <linux/dma-buf.h>, which the kernel keeps
// to itself: the longest name with its NUL.
const DMABufNameLen = 32

// UdmabufFlagsCloexec is UDMABUF_FLAGS_CLOEXEC.
const UdmabufFlagsCloexec = 0x01

// UdmabufCreate is struct udmabuf_create.
type UdmabufCreate struct {
	_      structs.HostLayout
	MemFD  uint32
	Flags  uint32
	Offset uint64
	Size   uint64
}

// UdmabufCreateItem is struct udmabuf_create_item.
type UdmabufCreateItem struct {
	_      structs.HostLayout
	MemFD  uint32
	Pad    uint32
	Offset uint64
	Size   uint64
}

// UdmabufCreateList is struct udmabuf_create_list, whose items come after it.
type UdmabufCreateList struct {
	_     structs.HostLayout
	Flags uint32
	Count uint32
}

// UdmabufList is the same with room for as many items as the kernel takes by
// default. The ioctl is given the address of Head.
type UdmabufList struct {
	_    structs.HostLayout
	Head UdmabufCreateList
	List [1024]UdmabufCreateItem
}

// DMAHeapAllocationData is struct dma_heap_allocation_data.
type DMAHeapAllocationData struct {
	_         structs.HostLayout
	Len       uint64
	FD        uint32
	FDFlags   uint32
	HeapFlags uint64
}

// The ioctls. Those of udmabuf return the new descriptor as their result.
//
// SET_NAME's argument is the text itself; its number speaks of a pointer, with
// 4 bytes as DMA_BUF_SET_NAME_A and 8 as _B, which is what a 64-bit process
// sends and every kernel takes from all. The text goes on after the first word.
var (
	OpSync              = ioctl.Write[DMABufSync]("DMA_BUF_IOCTL_SYNC", 'b', 0)
	OpSetName           = ioctl.Write[uint64]("DMA_BUF_SET_NAME_B", 'b', 1)
	OpExportSyncFile    = ioctl.ReadWrite[DMABufExportSyncFile]("DMA_BUF_IOCTL_EXPORT_SYNC_FILE", 'b', 2)
	OpImportSyncFile    = ioctl.Write[DMABufImportSyncFile]("DMA_BUF_IOCTL_IMPORT_SYNC_FILE", 'b', 3)
	OpUdmabufCreate     = ioctl.Write[UdmabufCreate]("UDMABUF_CREATE", 'u', 0x42)
	OpUdmabufCreateList = ioctl.Write[UdmabufCreateList]("UDMABUF_CREATE_LIST", 'u', 0x43)
	OpHeapAlloc         = ioctl.ReadWrite[DMAHeapAllocationData]("DMA_HEAP_IOCTL_ALLOC", 'H', 0x0)
)

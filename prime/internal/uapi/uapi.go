// Package uapi holds the structures and numbers of <linux/dma-buf.h>,
// <linux/udmabuf.h> and <linux/dma-heap.h> as data, with C's names and layout,
// as far as package prime uses them.
package uapi

import (
	"structs"

	"github.com/gemtool/gemtool/drm/ioctl"
)

// Flags of DMABufSync and DMABufExportSyncFile.
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

// DMAHeapAllocationData is struct dma_heap_allocation_data.
type DMAHeapAllocationData struct {
	_         structs.HostLayout
	Len       uint64
	FD        uint32
	FDFlags   uint32
	HeapFlags uint64
}

// The ioctls. UDMABUF_CREATE returns the new descriptor as its result.
var (
	OpSync           = ioctl.Write[DMABufSync]("DMA_BUF_IOCTL_SYNC", 'b', 0)
	OpExportSyncFile = ioctl.ReadWrite[DMABufExportSyncFile]("DMA_BUF_IOCTL_EXPORT_SYNC_FILE", 'b', 2)
	OpUdmabufCreate  = ioctl.Write[UdmabufCreate]("UDMABUF_CREATE", 'u', 0x42)
	OpHeapAlloc      = ioctl.ReadWrite[DMAHeapAllocationData]("DMA_HEAP_IOCTL_ALLOC", 'H', 0x0)
)

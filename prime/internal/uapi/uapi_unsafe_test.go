package uapi

import (
	"testing"
	"unsafe"
)

// TestLayout passes if structures and request numbers are those that a C
// compiler makes of the headers, on every architecture.
func TestLayout(t *testing.T) {
	for _, test := range []struct {
		name      string
		got, want uintptr
	}{
		{"sizeof(dma_buf_sync)", unsafe.Sizeof(DMABufSync{}), 8},
		{"sizeof(dma_buf_export_sync_file)", unsafe.Sizeof(DMABufExportSyncFile{}), 8},
		{"dma_buf_export_sync_file.fd", unsafe.Offsetof(DMABufExportSyncFile{}.FD), 4},
		{"sizeof(udmabuf_create)", unsafe.Sizeof(UdmabufCreate{}), 24},
		{"udmabuf_create.offset", unsafe.Offsetof(UdmabufCreate{}.Offset), 8},
		{"udmabuf_create.size", unsafe.Offsetof(UdmabufCreate{}.Size), 16},
		{"sizeof(dma_heap_allocation_data)", unsafe.Sizeof(DMAHeapAllocationData{}), 24},
		{"dma_heap_allocation_data.fd", unsafe.Offsetof(DMAHeapAllocationData{}.FD), 8},
		{"dma_heap_allocation_data.fd_flags", unsafe.Offsetof(DMAHeapAllocationData{}.FDFlags), 12},
		{"dma_heap_allocation_data.heap_flags", unsafe.Offsetof(DMAHeapAllocationData{}.HeapFlags), 16},
		{"DMA_BUF_IOCTL_SYNC", uintptr(OpSync.Request()), 0x40086200},
		{"DMA_BUF_IOCTL_EXPORT_SYNC_FILE", uintptr(OpExportSyncFile.Request()), 0xc0086202},
		{"UDMABUF_CREATE", uintptr(OpUdmabufCreate.Request()), 0x40187542},
		{"DMA_HEAP_IOCTL_ALLOC", uintptr(OpHeapAlloc.Request()), 0xc0184800},
	} {
		if test.got != test.want {
			t.Errorf("%s is %#x, want %#x", test.name, test.got, test.want)
		}
	}
}

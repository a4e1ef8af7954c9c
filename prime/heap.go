package prime

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"github.com/gemtool/gemtool/drm/ioctl"
	"github.com/gemtool/gemtool/prime/internal/uapi"
)

const heapDir = "/dev/dma_heap"

// Heaps returns the names of the system's dma-heaps, sorted; none where the
// kernel has no heaps.
func Heaps() ([]string, error) {
	entries, err := os.ReadDir(heapDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, &Error{Op: "list", Object: heapDir, Err: err}
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, nil
}

// NewHeap makes a Buffer of at least size bytes, rounded up to whole pages,
// of the memory of a dma-heap. It is cleared and read-write.
//
// Errors: ErrRange for 0, more than the address space or the machine's memory,
// or a name that is none, before the kernel is asked; ErrNotSupported for a
// heap that is not there; ErrPermission; ENOMEM, EMFILE. But where memory is
// short the system heap of Linux 6.12 does not answer ENOMEM: it allocates at
// once, page by page, until the OOM killer comes, for this process or another.
// Source: dma-heap.c, system_heap_allocate.
func NewHeap(name string, size uint64) (*Buffer, error) {
	fail := func(err error) *Error {
		return &Error{Op: uapi.OpHeapAlloc.Name(), Object: fmt.Sprintf("of %d bytes from heap %q", size, name), Err: err}
	}
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00") {
		e := fail(ErrRange)
		e.Hint = "this is not the name of a heap"
		return nil, e
	}
	rounded, err := wholePages(size)
	if err != nil {
		return nil, fail(err)
	}
	if total, ok := memoryTotal(); ok && rounded > total {
		e := fail(ErrRange)
		e.Hint = fmt.Sprintf("this machine has %d bytes of memory", total)
		return nil, e
	}
	path := heapDir + "/" + name
	n, err := openDevice(path)
	if err != nil {
		return nil, deviceError(path, err)
	}
	heap := ioctl.NewFD(n)
	defer heap.Close()
	arg := uapi.DMAHeapAllocationData{Len: rounded, FDFlags: heapFDFlags}
	if err := uapi.OpHeapAlloc.Do(heap, &arg); err != nil {
		return nil, fail(err)
	}
	return New(ioctl.NewFD(int(arg.FD)))
}

// isNoDevice says whether a device node is missing, or has no driver.
func isNoDevice(err error) bool {
	return errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.ENXIO) || errors.Is(err, syscall.ENODEV)
}

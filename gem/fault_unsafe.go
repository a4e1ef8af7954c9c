package gem

import "unsafe"

// offsetIn says where in b an address is.
func offsetIn(b []byte, addr uintptr) (offset uintptr, ok bool) {
	// Memory of a mapping does not move. An address below it wraps around
	// to an offset that is too large.
	offset = addr - uintptr(unsafe.Pointer(unsafe.SliceData(b)))
	return offset, offset < uintptr(len(b))
}

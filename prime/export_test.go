package prime

import "github.com/gemtool/gemtool/drm/ioctl"

// NewTestBuffer makes a Buffer of any descriptor.
func NewTestBuffer(fd *ioctl.FD, size uint64, mode Access) *Buffer {
	return newBuffer(fd, attr{size: size, inode: 7, mode: mode})
}

// SizedBuffer makes a Buffer that is good for its size only.
func SizedBuffer(size uint64) *Buffer { return &Buffer{size: size} }

// MaxStarts is maxStarts.
const MaxStarts = maxStarts

var (
	ExporterNameOf = exporterName
	BufferNameOf   = bufferName
	ParseParameter = parseParameter
	ReadParameter  = readParameter
)

package fdinfo

// Kind is what an open file is.
type Kind uint8

// The kinds that [Dir.Files] finds.
const (
	DRM    Kind = iota + 1 // a device node: card, render or accel
	DMABuf                 // by its name: see Files
)

// File is an open file of a process.
type File struct {
	FD    int
	Kind  Kind
	Rdev  uint64 // of a DRM node, as drm.Device.Rdev
	Inode uint64
}

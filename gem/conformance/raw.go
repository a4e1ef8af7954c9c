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
)

var rawOpCreateDumb = ioctl.ReadWrite[rawCreateDumb]("MODE_CREATE_DUMB", 'd', 0xb2)

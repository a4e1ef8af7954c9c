package drm

import "github.com/gemtool/gemtool/drm/ioctl"

// NewTestDevice makes a Device of any descriptor.
func NewTestDevice(fd *ioctl.FD, path string, kind NodeKind) *Device {
	return &Device{fd: fd, path: path, kind: kind}
}

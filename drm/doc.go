// Package drm binds the Linux DRM devices: card nodes, render nodes and what
// their ioctls offer to every driver. It is thin: a method is one ioctl, its
// arguments and replies checked, and nothing is counted or kept. Package
// prime shares buffers between devices and processes, package gem manages
// buffers with the rules of the kernel's own helpers.
//
// What is bound is what clients of buffers, displays and fences use of Linux
// 7.2: dumb buffers, PRIME, sync objects, authentication and master rights,
// capabilities. [Device.Events] reads what a file asked to be told, and
// [Hotplug] tells of devices and displays that come and go. Subpackages: kms
// drives displays, fourcc knows pixel formats, edid what a display says of
// itself, fdinfo and debugfs what the kernel prints of clients and buffers.
//
// A [Device] may be used by many goroutines at once. Closing it lets calls in
// flight finish; later ones return [ErrClosed].
//
// # Errors
//
// Every error of an ioctl is an [*Error]. It says which device, which
// operation and which object, and matches with errors.Is both the kernel's
// errno and this package's sentinel:
//
//	_, err := dev.CreateDumb(640, 480, 32)
//	errors.Is(err, syscall.EACCES)     // what the kernel said
//	errors.Is(err, drm.ErrPermission)  // what it means
package drm

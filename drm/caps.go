package drm

import (
	"fmt"

	"github.com/gemtool/gemtool/drm/internal/uapi"
)

// Cap is a DRM_CAP_*: something to ask a device. A cap is a hint: vgem denies
// CapDumbBuffer and makes dumb buffers, CapPrime says 3 on every device since
// Linux 6.6. Try, and look at the error.
type Cap uint64

// All caps of Linux 7.2, drm.h.
const (
	CapDumbBuffer          Cap = 0x1
	CapVBlankHighCRTC      Cap = 0x2
	CapDumbPreferredDepth  Cap = 0x3 // bits per pixel, 0 when there is none
	CapDumbPreferShadow    Cap = 0x4 // reading the buffers back is slow
	CapPrime               Cap = 0x5 // PrimeImport | PrimeExport
	CapTimestampMonotonic  Cap = 0x6
	CapAsyncPageFlip       Cap = 0x7
	CapCursorWidth         Cap = 0x8 // pixels
	CapCursorHeight        Cap = 0x9 // pixels
	CapAddFB2Modifiers     Cap = 0x10
	CapPageFlipTarget      Cap = 0x11
	CapCRTCInVBlankEvent   Cap = 0x12
	CapSyncobj             Cap = 0x13
	CapSyncobjTimeline     Cap = 0x14
	CapAtomicAsyncPageFlip Cap = 0x15 // after Linux 6.1
)

var capNames = map[Cap]string{
	CapDumbBuffer:          "DUMB_BUFFER",
	CapVBlankHighCRTC:      "VBLANK_HIGH_CRTC",
	CapDumbPreferredDepth:  "DUMB_PREFERRED_DEPTH",
	CapDumbPreferShadow:    "DUMB_PREFER_SHADOW",
	CapPrime:               "PRIME",
	CapTimestampMonotonic:  "TIMESTAMP_MONOTONIC",
	CapAsyncPageFlip:       "ASYNC_PAGE_FLIP",
	CapCursorWidth:         "CURSOR_WIDTH",
	CapCursorHeight:        "CURSOR_HEIGHT",
	CapAddFB2Modifiers:     "ADDFB2_MODIFIERS",
	CapPageFlipTarget:      "PAGE_FLIP_TARGET",
	CapCRTCInVBlankEvent:   "CRTC_IN_VBLANK_EVENT",
	CapSyncobj:             "SYNCOBJ",
	CapSyncobjTimeline:     "SYNCOBJ_TIMELINE",
	CapAtomicAsyncPageFlip: "ATOMIC_ASYNC_PAGE_FLIP",
}

// String returns the cap's name in drm.h, without its DRM_CAP_.
func (c Cap) String() string {
	if name, ok := capNames[c]; ok {
		return name
	}
	return fmt.Sprintf("%#x", uint64(c))
}

// The bits of CapPrime.
const (
	PrimeImport = 1 << 0
	PrimeExport = 1 << 1
)

// ClientCap is a DRM_CLIENT_CAP_*: something that a client tells the kernel
// it can handle.
type ClientCap uint64

// All client caps of Linux 7.2, drm.h.
const (
	ClientCapStereo3D            ClientCap = 1
	ClientCapUniversalPlanes     ClientCap = 2
	ClientCapAtomic              ClientCap = 3
	ClientCapAspectRatio         ClientCap = 4
	ClientCapWritebackConnectors ClientCap = 5
	ClientCapCursorPlaneHotspot  ClientCap = 6 // after Linux 6.1
	ClientCapPlaneColorPipeline  ClientCap = 7 // after Linux 6.12
)

var clientCapNames = map[ClientCap]string{
	ClientCapStereo3D:            "STEREO_3D",
	ClientCapUniversalPlanes:     "UNIVERSAL_PLANES",
	ClientCapAtomic:              "ATOMIC",
	ClientCapAspectRatio:         "ASPECT_RATIO",
	ClientCapWritebackConnectors: "WRITEBACK_CONNECTORS",
	ClientCapCursorPlaneHotspot:  "CURSOR_PLANE_HOTSPOT",
	ClientCapPlaneColorPipeline:  "PLANE_COLOR_PIPELINE",
}

// String returns the cap's name in drm.h, without its DRM_CLIENT_CAP_.
func (c ClientCap) String() string {
	if name, ok := clientCapNames[c]; ok {
		return name
	}
	return fmt.Sprintf("%#x", uint64(c))
}

// Cap asks the device for the value of a cap.
//
// Nodes: card, render, accel. Errors: EINVAL for a cap that the kernel does
// not know (CapAtomicAsyncPageFlip came after Linux 6.1); ErrNotSupported for
// all but the timestamp, PRIME and sync object caps on a device without
// modesetting, even one with dumb buffers. Source: drm_getcap in drm_ioctl.c.
func (d *Device) Cap(c Cap) (uint64, error) {
	arg := uapi.GetCap{Capability: uint64(c)}
	if err := uapi.OpGetCap.Do(d.fd, &arg); err != nil {
		return 0, d.NewError(uapi.OpGetCap.Name(), c.String(), err)
	}
	return arg.Value, nil
}

// SetClientCap sets a client cap of this file. ClientCapAtomic takes 1 or 2,
// the others 0 or 1. A thread whose name begins with "X" does not get
// ClientCapAtomic=1, on account of an old driver of the X server: to the kernel
// 2 means the same, and is not refused.
//
// Nodes: card. Errors: EINVAL for a cap or value that the kernel does not
// know, or before the cap that this one needs (writeback connectors need
// atomic); ErrNotSupported on a device without modesetting, on one without the
// atomic interface and for such a thread for ClientCapAtomic, and on one that
// has no such thing for the last two. Source: drm_setclientcap in drm_ioctl.c.
func (d *Device) SetClientCap(c ClientCap, value uint64) error {
	arg := uapi.SetClientCap{Capability: uint64(c), Value: value}
	if err := uapi.OpSetClientCap.Do(d.fd, &arg); err != nil {
		return d.NewError(uapi.OpSetClientCap.Name(), fmt.Sprintf("%v=%d", c, value), err)
	}
	return nil
}

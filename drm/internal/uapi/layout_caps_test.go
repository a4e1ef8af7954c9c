package uapi_test

import (
	"testing"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/testdata/uapi/layout"
)

// TestCaps passes if package drm has all caps of Linux 7.2, with C's numbers.
func TestCaps(t *testing.T) {
	layout.CheckConsts(t, "../../../testdata/uapi", "DRM_CAP_", map[string]uint64{
		"DRM_CAP_DUMB_BUFFER":            uint64(drm.CapDumbBuffer),
		"DRM_CAP_VBLANK_HIGH_CRTC":       uint64(drm.CapVBlankHighCRTC),
		"DRM_CAP_DUMB_PREFERRED_DEPTH":   uint64(drm.CapDumbPreferredDepth),
		"DRM_CAP_DUMB_PREFER_SHADOW":     uint64(drm.CapDumbPreferShadow),
		"DRM_CAP_PRIME":                  uint64(drm.CapPrime),
		"DRM_PRIME_CAP_IMPORT":           drm.PrimeImport,
		"DRM_PRIME_CAP_EXPORT":           drm.PrimeExport,
		"DRM_CAP_TIMESTAMP_MONOTONIC":    uint64(drm.CapTimestampMonotonic),
		"DRM_CAP_ASYNC_PAGE_FLIP":        uint64(drm.CapAsyncPageFlip),
		"DRM_CAP_CURSOR_WIDTH":           uint64(drm.CapCursorWidth),
		"DRM_CAP_CURSOR_HEIGHT":          uint64(drm.CapCursorHeight),
		"DRM_CAP_ADDFB2_MODIFIERS":       uint64(drm.CapAddFB2Modifiers),
		"DRM_CAP_PAGE_FLIP_TARGET":       uint64(drm.CapPageFlipTarget),
		"DRM_CAP_CRTC_IN_VBLANK_EVENT":   uint64(drm.CapCRTCInVBlankEvent),
		"DRM_CAP_SYNCOBJ":                uint64(drm.CapSyncobj),
		"DRM_CAP_SYNCOBJ_TIMELINE":       uint64(drm.CapSyncobjTimeline),
		"DRM_CAP_ATOMIC_ASYNC_PAGE_FLIP": uint64(drm.CapAtomicAsyncPageFlip),
	})
	layout.CheckConsts(t, "../../../testdata/uapi", "DRM_CLIENT_CAP_", map[string]uint64{
		"DRM_CLIENT_CAP_STEREO_3D":            uint64(drm.ClientCapStereo3D),
		"DRM_CLIENT_CAP_UNIVERSAL_PLANES":     uint64(drm.ClientCapUniversalPlanes),
		"DRM_CLIENT_CAP_ATOMIC":               uint64(drm.ClientCapAtomic),
		"DRM_CLIENT_CAP_ASPECT_RATIO":         uint64(drm.ClientCapAspectRatio),
		"DRM_CLIENT_CAP_WRITEBACK_CONNECTORS": uint64(drm.ClientCapWritebackConnectors),
		"DRM_CLIENT_CAP_CURSOR_PLANE_HOTSPOT": uint64(drm.ClientCapCursorPlaneHotspot),
		"DRM_CLIENT_CAP_PLANE_COLOR_PIPELINE": uint64(drm.ClientCapPlaneColorPipeline),
	})
}

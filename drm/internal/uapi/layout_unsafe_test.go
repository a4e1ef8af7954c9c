package uapi

import (
	"runtime"
	"testing"
	"unsafe"
)

// by386 is for what differs with the alignment of a u64 in C.
func by386(on386, elsewhere uintptr) uintptr {
	if runtime.GOARCH == "386" {
		return on386
	}
	return elsewhere
}

// TestLayout passes if sizes and offsets are those that a C compiler gives
// the structures of Linux 7.2 on this architecture.
func TestLayout(t *testing.T) {
	version := uintptr(36)
	if unsafe.Sizeof(uintptr(0)) == 8 {
		version = 64
	}
	for _, test := range []struct {
		name      string
		got, want uintptr
	}{
		{"drm_version", unsafe.Sizeof(Version{}), version},
		{"drm_version.desc", unsafe.Offsetof(Version{}.Desc), version - unsafe.Sizeof(uintptr(0))},
		{"drm_get_cap", unsafe.Sizeof(GetCap{}), 16},
		{"drm_set_client_cap", unsafe.Sizeof(SetClientCap{}), 16},
		{"drm_auth", unsafe.Sizeof(Auth{}), 4},
		{"drm_gem_close", unsafe.Sizeof(GEMClose{}), 8},
		{"drm_prime_handle", unsafe.Sizeof(PrimeHandle{}), 12},
		{"drm_prime_handle.fd", unsafe.Offsetof(PrimeHandle{}.FD), 8},
		{"drm_set_client_name", unsafe.Sizeof(SetClientName{}), 16},
		{"drm_mode_create_dumb", unsafe.Sizeof(ModeCreateDumb{}), 32},
		{"drm_mode_create_dumb.size", unsafe.Offsetof(ModeCreateDumb{}.Size), 24},
		{"drm_mode_map_dumb", unsafe.Sizeof(ModeMapDumb{}), 16},
		{"drm_mode_destroy_dumb", unsafe.Sizeof(ModeDestroyDumb{}), 4},
		{"drm_mode_fb_cmd2", unsafe.Sizeof(ModeFBCmd2{}), by386(100, 104)},
		{"drm_mode_fb_cmd2.handles", unsafe.Offsetof(ModeFBCmd2{}.Handles), 20},
		{"drm_mode_fb_cmd2.offsets", unsafe.Offsetof(ModeFBCmd2{}.Offsets), 52},
		{"drm_mode_fb_cmd2.modifier", unsafe.Offsetof(ModeFBCmd2{}.Modifier), by386(68, 72)},
		{"drm_mode_closefb", unsafe.Sizeof(ModeCloseFB{}), 8},
		{"drm_mode_modeinfo", unsafe.Sizeof(ModeModeInfo{}), 68},
		{"drm_mode_modeinfo.vrefresh", unsafe.Offsetof(ModeModeInfo{}.VRefresh), 24},
		{"drm_mode_modeinfo.name", unsafe.Offsetof(ModeModeInfo{}.Name), 36},
		{"drm_mode_card_res", unsafe.Sizeof(ModeCardRes{}), 64},
		{"drm_mode_card_res.count_fbs", unsafe.Offsetof(ModeCardRes{}.CountFBs), 32},
		{"drm_mode_get_encoder", unsafe.Sizeof(ModeGetEncoder{}), 20},
		{"drm_mode_get_connector", unsafe.Sizeof(ModeGetConnector{}), 80},
		{"drm_mode_get_connector.connector_id", unsafe.Offsetof(ModeGetConnector{}.ConnectorID), 48},
		{"drm_mode_get_plane_res", unsafe.Sizeof(ModeGetPlaneRes{}), by386(12, 16)},
		{"drm_mode_get_plane", unsafe.Sizeof(ModeGetPlane{}), 32},
		{"drm_mode_get_plane.format_type_ptr", unsafe.Offsetof(ModeGetPlane{}.FormatTypePtr), 24},
		{"drm_mode_get_property", unsafe.Sizeof(ModeGetProperty{}), 64},
		{"drm_mode_get_property.name", unsafe.Offsetof(ModeGetProperty{}.Name), 24},
		{"drm_mode_obj_get_properties", unsafe.Sizeof(ModeObjGetProperties{}), by386(28, 32)},
		{"drm_mode_obj_get_properties.obj_type", unsafe.Offsetof(ModeObjGetProperties{}.ObjType), 24},
		{"drm_mode_get_blob", unsafe.Sizeof(ModeGetBlob{}), 16},
		{"drm_mode_create_blob", unsafe.Sizeof(ModeCreateBlob{}), 16},
		{"drm_mode_create_blob.blob_id", unsafe.Offsetof(ModeCreateBlob{}.BlobID), 12},
		{"drm_mode_destroy_blob", unsafe.Sizeof(ModeDestroyBlob{}), 4},
		{"drm_mode_atomic", unsafe.Sizeof(ModeAtomic{}), 56},
		{"drm_mode_atomic.user_data", unsafe.Offsetof(ModeAtomic{}.UserData), 48},
	} {
		if test.got != test.want {
			t.Errorf("%s: %d, want %d", test.name, test.got, test.want)
		}
	}
}

// TestNumbers passes if the ioctls have the numbers of Linux 7.2's headers.
func TestNumbers(t *testing.T) {
	is386, is64 := runtime.GOARCH == "386", unsafe.Sizeof(uintptr(0)) == 8
	version, fb2, planes, props := uint32(0xc0246400), uint32(0xc06864b8), uint32(0xc01064b5), uint32(0xc02064b9)
	if is64 {
		version = 0xc0406400
	}
	if is386 {
		fb2, planes, props = 0xc06464b8, 0xc00c64b5, 0xc01c64b9
	}
	for _, test := range []struct {
		name      string
		got, want uint32
	}{
		{OpVersion.Name(), OpVersion.Request(), version},
		{OpGEMClose.Name(), OpGEMClose.Request(), 0x40086409},
		{OpGetCap.Name(), OpGetCap.Request(), 0xc010640c},
		{OpSetClientCap.Name(), OpSetClientCap.Request(), 0x4010640d},
		{OpAuthMagic.Name(), OpAuthMagic.Request(), 0x40046411},
		{OpSetMaster.Name(), OpSetMaster.Request(), 0x0000641e},
		{OpDropMaster.Name(), OpDropMaster.Request(), 0x0000641f},
		{OpPrimeHandleToFD.Name(), OpPrimeHandleToFD.Request(), 0xc00c642d},
		{OpPrimeFDToHandle.Name(), OpPrimeFDToHandle.Request(), 0xc00c642e},
		{OpSetClientName.Name(), OpSetClientName.Request(), 0xc01064d1},
		{OpModeGetResources.Name(), OpModeGetResources.Request(), 0xc04064a0},
		{OpModeGetEncoder.Name(), OpModeGetEncoder.Request(), 0xc01464a6},
		{OpModeGetConnector.Name(), OpModeGetConnector.Request(), 0xc05064a7},
		{OpModeGetProperty.Name(), OpModeGetProperty.Request(), 0xc04064aa},
		{OpModeGetPropBlob.Name(), OpModeGetPropBlob.Request(), 0xc01064ac},
		{OpModeRmFB.Name(), OpModeRmFB.Request(), 0xc00464af},
		{OpModeCreateDumb.Name(), OpModeCreateDumb.Request(), 0xc02064b2},
		{OpModeMapDumb.Name(), OpModeMapDumb.Request(), 0xc01064b3},
		{OpModeDestroyDumb.Name(), OpModeDestroyDumb.Request(), 0xc00464b4},
		{OpModeGetPlaneResources.Name(), OpModeGetPlaneResources.Request(), planes},
		{OpModeGetPlane.Name(), OpModeGetPlane.Request(), 0xc02064b6},
		{OpModeAddFB2.Name(), OpModeAddFB2.Request(), fb2},
		{OpModeGetFB2.Name(), OpModeGetFB2.Request(), fb2 - 0xb8 + 0xce},
		{OpModeObjGetProperties.Name(), OpModeObjGetProperties.Request(), props},
		{OpModeAtomic.Name(), OpModeAtomic.Request(), 0xc03864bc},
		{OpModeCreatePropBlob.Name(), OpModeCreatePropBlob.Request(), 0xc01064bd},
		{OpModeDestroyPropBlob.Name(), OpModeDestroyPropBlob.Request(), 0xc00464be},
		{OpModeCloseFB.Name(), OpModeCloseFB.Request(), 0xc00864d0},
	} {
		if test.got != test.want {
			t.Errorf("%s: %#x, want %#x", test.name, test.got, test.want)
		}
	}
}

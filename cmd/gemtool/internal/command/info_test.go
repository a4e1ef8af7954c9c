package command

import (
	"fmt"
	"testing"

	"github.com/gemtool/gemtool/cmd/gemtool/internal/devinfo"
	"github.com/gemtool/gemtool/drm/fourcc"
)

// fixedInfo has a device with something of each sort, and one that is asleep.
func fixedInfo(t *testing.T) *infoJSON {
	t.Helper()
	value := func(n uint64) *uint64 { return &n }
	linear, signed, pixels := fourcc.Modifier(0), int64(-1), 12.5
	mode := devinfo.Mode{Name: "64x32", Clock: 25175, HDisplay: 64, HSyncStart: 70, HSyncEnd: 75, HTotal: 80, HSkew: 1,
		VDisplay: 32, VSyncStart: 33, VSyncEnd: 34, VTotal: 40, VScan: 2, VRefresh: 60, Refresh: 59940,
		Flags: 5, FlagNames: []string{"phsync", "pvsync"}, Type: 1 << 3, TypeNames: []string{"preferred"}}
	fb := &devinfo.Framebuffer{ID: 50, Width: 64, Height: 32, Format: fourcc.New('X', 'R', '2', '4'), Modifier: &linear, Planes: []devinfo.FBPlane{{Offset: 0, Pitch: 256}}}
	formats := []fourcc.Format{fourcc.New('X', 'R', '2', '4'), fourcc.New('\x1b', 'R', '2', '4')}
	blob := func(b devinfo.Blob) *devinfo.Blob { b.Size, b.Data = 4, []byte("\x1b[3m"); return &b }
	props := []devinfo.Property{
		{Name: "range\x1b", ID: 1, Kind: "range", Range: &devinfo.Range[uint64]{Max: 1<<64 - 1}, Value: 1 << 63},
		{Name: "SRC_X", ID: 2, Kind: "range", Atomic: true, Range: &devinfo.Range[uint64]{Max: 1 << 32}, Value: 12<<16 + 1<<15, Pixels: &pixels},
		{Name: "IN_FENCE_FD", ID: 3, Kind: "signed range", Atomic: true, SignedRange: &devinfo.Range[int64]{Min: -1, Max: 1}, Value: 1<<64 - 1, Signed: &signed},
		{Name: "type", ID: 4, Kind: "enum", Immutable: true, Enums: []devinfo.Enum{{Name: "Overlay", Value: 0}, {Name: "Pri\nmary", Value: 1}}, Value: 1, Names: []string{"Pri\nmary"}},
		{Name: "rotation", ID: 5, Kind: "bitmask", Enums: []devinfo.Enum{{Name: "rotate-0", Value: 0}, {Name: "reflect-x", Value: 4}}, Value: 17, Names: []string{"rotate-0", "reflect-x"}},
		{Name: "FB_ID", ID: 6, Kind: "object", Atomic: true, ObjectType: 0xfbfbfbfb, Value: 50, Framebuffer: fb},
		{Name: "CRTC_ID", ID: 7, Kind: "object", Atomic: true, ObjectType: 0xcccccccc},
		{Name: "EDID", ID: 8, Kind: "blob", Immutable: true, Value: 60, Blob: blob(devinfo.Blob{EDID: &devinfo.EDID{Version: "1.4", Vendor: "DEL", Product: 7, Name: "a display", Year: 2024, WidthCM: 60, HeightCM: 34,
			Preferred: &devinfo.Timing{Width: 64, Height: 32, Refresh: 59940}, HDR: &devinfo.EDIDHDR{PQ: true, MaxLuminance: 400, MinLuminance: 0.1}, Warnings: []string{"block 1: checksum"}}})},
		{Name: "MODE_ID", ID: 9, Kind: "blob", Value: 61, Blob: blob(devinfo.Blob{Mode: &mode})},
		{Name: "IN_FORMATS", ID: 10, Kind: "blob", Value: 62, Blob: blob(devinfo.Blob{Formats: []devinfo.Formats{{Modifier: linear, Formats: formats}}})},
		{Name: "WRITEBACK_PIXEL_FORMATS", ID: 11, Kind: "blob", Value: 63, Blob: blob(devinfo.Blob{Pixels: formats})},
		{Name: "PATH", ID: 12, Kind: "blob", Value: 64, Blob: blob(devinfo.Blob{Text: "mst:1-\x1b2"})},
		{Name: "TILE", ID: 13, Kind: "blob", Value: 65, Blob: blob(devinfo.Blob{Tile: &devinfo.Tile{Group: 1, Single: true, Columns: 2, Rows: 1, Column: 1, Width: 64, Height: 32}})},
		{Name: "HDR_OUTPUT_METADATA", ID: 14, Kind: "blob", Value: 66, Blob: blob(devinfo.Blob{HDR: &devinfo.HDR{EOTF: devinfo.Number{Value: 2, Name: "PQ"}, MaxLuminance: 1000, MinLuminance: 0.05, MaxContent: 900, MaxFrameAverage: 400}})},
		{Name: "SIZE_HINTS", ID: 15, Kind: "blob", Value: 67, Blob: blob(devinfo.Blob{Sizes: []devinfo.Size{{Width: 64, Height: 64}}})},
		{Name: "GAMMA_LUT", ID: 16, Kind: "blob", Value: 68, Blob: blob(devinfo.Blob{})},
		{Name: "broken", ID: 17, Kind: "blob", Value: 69, Blob: blob(devinfo.Blob{Error: "a mode of 4 bytes"})},
		{Name: "gone", ID: 18, Kind: "blob", Value: 70, Error: "no such blob"},
	}
	list := fixedList(t)
	full := infoDeviceJSON{deviceJSON: list.Devices[0], Description: "Intel Graphics", Date: "20201103",
		Hardware:   devinfo.Bus{PCI: &devinfo.PCI{Address: "0000:00:02.0", Vendor: 0x8086, Device: 0x9a49, SubsystemVendor: 0x17aa, SubsystemDevice: 0x3801, Revision: 1}},
		ClientCaps: []capJSON{{Name: "ATOMIC", Value: value(1)}, {Name: "CURSOR_PLANE_HOTSPOT", Errno: "EOPNOTSUPP"}},
		Display: &devinfo.Display{
			FBSize: devinfo.FBSize{MaxWidth: 16384, MaxHeight: 16384},
			Connectors: []devinfo.Connector{{ID: 30, Name: "HDMI-A-1", Type: devinfo.Number{Value: 11, Name: "HDMI-A"}, Status: devinfo.Number{Value: 1, Name: "connected"}, WidthMM: 600, HeightMM: 340,
				Subpixel: devinfo.Number{Name: "unknown"}, Encoder: 31, Encoders: []uint32{31}, Modes: []devinfo.Mode{mode}, Properties: props}},
			Encoders: []devinfo.Encoder{{ID: 31, Type: devinfo.Number{Value: 2, Name: "TMDS"}, CRTC: 32, PossibleCRTCs: 5, PossibleClones: 1}},
			CRTCs:    []devinfo.CRTC{{ID: 32, FB: 50, X: 1, Y: 2, Mode: &mode, GammaSize: 256, Properties: []devinfo.Property{}}, {ID: 33, Properties: []devinfo.Property{}}},
			Planes: []devinfo.Plane{{ID: 40, PossibleCRTCs: 1, CRTC: 32, FB: 50, Shows: fb, Formats: formats, Properties: []devinfo.Property{}}, {ID: 41, FB: 51, Formats: []fourcc.Format{}, Properties: []devinfo.Property{}, Pipelines: []devinfo.Pipeline{
				{Name: "Color Pipeline 60\x1b", Active: true, Ops: []devinfo.ColorOp{{ID: 60, Type: "1D Curve\n", Properties: props[3:4]}, {ID: 61, Type: "3x4 Matrix", Properties: []devinfo.Property{}}}},
				{Name: "Color Pipeline 62", Ops: []devinfo.ColorOp{}}}}},
		},
		Memory: &devinfo.Memory{Unreadable: 2, Clients: []devinfo.Client{
			{PID: 100, Command: "gnome-shell", Node: "/dev/dri/card0", Name: "a\x1bname", ID: value(7), Regions: map[string]devinfo.Region{"vram0": {Total: value(8 << 20)}, "system": {Resident: value(4096)}, "gtt": {Total: value(8 << 20), Resident: value(0)}}},
			{PID: 812, Command: "logind", Node: "/dev/dri/card0", ID: value(7), SameAs: 100},
			{PID: 101, Command: "mpv", Node: "/dev/dri/renderD128"},
		}},
		Errors: []string{"MODE_GETCRTC: \x1bbroken"},
	}
	full.Nodes = []infoNodeJSON{
		{nodeJSON: full.deviceJSON.Nodes[0], Mode: "-rw-rw----", Owner: "root:video", Caps: []capJSON{{Name: "PRIME", Value: value(3)}, {Name: "DUMB_BUFFER", Errno: "EOPNOTSUPP"}}},
		{nodeJSON: nodeJSON{Kind: "render", Path: "/dev/dri/renderD128", Access: "denied"}, Mode: "-rw-rw----", Owner: "root:render", Caps: []capJSON{}},
	}
	asleep := infoDeviceJSON{deviceJSON: list.Devices[1], Nodes: []infoNodeJSON{}, ClientCaps: []capJSON{}}
	full.deviceJSON.Nodes, asleep.deviceJSON.Nodes = nil, nil
	return &infoJSON{Schema: "gemtool.info/v1", Kernel: kernelJSON{"Linux", "6.12.0\x1b", "#1 SMP"}, Devices: []infoDeviceJSON{full, asleep}}
}

// TestInfoGolden passes if the tree reads well at every width, and no text of a
// kernel, a display or a client reaches the terminal as it is.
func TestInfoGolden(t *testing.T) {
	for _, width := range []int{80, 200} {
		p := &page{width: width}
		fixedInfo(t).text(p)
		golden(t, fmt.Sprintf("info-%d.txt", width), p.String())
	}
	goldenJSON(t, "info.json", fixedInfo(t))
}

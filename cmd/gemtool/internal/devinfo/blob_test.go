package devinfo

import (
	"encoding/binary"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gemtool/gemtool/drm/fourcc"
)

// TestBlob passes if blobs that no driver of the VM has are decoded as the
// kernel lays them out, and bad ones say so and keep their bytes.
func TestBlob(t *testing.T) {
	for _, test := range []struct {
		property, data string
		want           Blob
	}{
		{"PATH", "mst:56-1\x00", Blob{Text: "mst:56-1"}},
		{"TILE", "1:1:2:1:1:0:1920:2160\x00", Blob{Tile: &Tile{1, true, 2, 1, 1, 0, 1920, 2160}}},
		{"TILE", "1:1:2\x00", Blob{Error: `tile "1:1:2": unexpected EOF`}},
		{"SIZE_HINTS", words16(64, 64, 256, 128), Blob{Sizes: []Size{{64, 64}, {256, 128}}}},
		{"SIZE_HINTS", "abc", Blob{Error: "sizes in 3 bytes"}},
		{"WRITEBACK_PIXEL_FORMATS", "XR24RG16", Blob{Pixels: []fourcc.Format{fourcc.XRGB8888, fourcc.RGB565}}},
		{"WRITEBACK_PIXEL_FORMATS", "XR24R", Blob{Error: "formats in 5 bytes"}},
		{"anything", "\x01\x02", Blob{}},
	} {
		test.want.Size, test.want.Data = len(test.data), []byte(test.data)
		got := newBlob([]byte(test.data), test.property)
		if diff := cmp.Diff(&test.want, got); diff != "" {
			t.Errorf("%s %q (-want +got):\n%s", test.property, test.data, diff)
		}
	}
}

// words16 is what the kernel makes of numbers of 16 bits.
func words16(numbers ...uint16) string {
	var b []byte
	for _, n := range numbers {
		b = binary.NativeEndian.AppendUint16(b, n)
	}
	return string(b)
}

// FuzzBlob passes if no blob is a crash. Case N34.
func FuzzBlob(f *testing.F) {
	properties := []string{
		"EDID", "MODE_ID", "IN_FORMATS", "WRITEBACK_PIXEL_FORMATS", "PATH", "TILE", "HDR_OUTPUT_METADATA", "SIZE_HINTS",
	}
	f.Add(uint8(5), []byte("1:1:2:1:1:0:1920:2160\x00"))
	f.Add(uint8(6), make([]byte, 32))
	f.Fuzz(func(t *testing.T, which uint8, data []byte) {
		b := newBlob(data, properties[int(which)%len(properties)])
		if b.Size != len(data) {
			t.Errorf("size %d of %d bytes", b.Size, len(data))
		}
	})
}

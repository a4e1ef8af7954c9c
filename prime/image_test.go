package prime_test

import (
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/gemtool/gemtool/drm/fourcc"
	"github.com/gemtool/gemtool/prime"
)

var sized = prime.SizedBuffer

// TestValidate passes if an image is valid exactly when all its pixels lie in
// its buffers.
//
// Spirit: wlr_linux_dmabuf_v1.c params_create_common, and what it misses.
//
// Cases N02, N03, N04, N05
func TestValidate(t *testing.T) {
	const max = math.MaxUint32
	type planes = []prime.Plane
	xr24 := func(w, h uint32, p ...prime.Plane) prime.Image {
		return prime.Image{Width: w, Height: h, Format: fourcc.XRGB8888, Planes: p}
	}
	nv12 := func(w, h uint32, p ...prime.Plane) prime.Image {
		return prime.Image{Width: w, Height: h, Format: fourcc.NV12, Planes: p}
	}
	for _, test := range []struct {
		name  string
		image prime.Image
		says  string // empty: valid
	}{
		{"exact", xr24(64, 48, prime.Plane{sized(64 * 48 * 4), 0, 256}), ""},
		{"no modifier", prime.Image{64, 48, fourcc.XRGB8888, fourcc.ModInvalid, planes{{sized(64 * 48 * 4), 0, 256}}}, ""},
		{"last row not padded", xr24(63, 48, prime.Plane{sized(64*48*4 - 4), 0, 256}), ""},
		{"offset", xr24(64, 48, prime.Plane{sized(64*48*4 + 8), 8, 256}), ""},
		{"a byte short", xr24(64, 48, prime.Plane{sized(64*48*4 - 1), 0, 256}), "ends at byte 12288 of a buffer of 12287"},
		{"offset a byte too far", xr24(64, 48, prime.Plane{sized(64 * 48 * 4), 1, 256}), "ends at byte 12289"},
		{"width 0", xr24(0, 48, prime.Plane{sized(4096), 0, 256}), "no pixels"},
		{"height 0", xr24(64, 0, prime.Plane{sized(4096), 0, 256}), "no pixels"},
		{"pitch 0", xr24(1, 1, prime.Plane{sized(4096), 0, 0}), "pitch 0"},
		{"pitch a byte short", xr24(64, 48, prime.Plane{sized(1 << 20), 0, 255}), "pitch 255 is below a row's 256"},
		{"row beyond 32 bits", xr24(1<<30, 1, prime.Plane{sized(1 << 40), 0, 0}), "pitch 0 is below a row's 4294967296"},
		{"row beyond 32 bits, wrapped", xr24(1<<30+1, 1, prime.Plane{sized(4096), 0, 4}), "pitch 4 is below"},
		{"size beyond 32 bits, wrapped", xr24(1, 1<<20+1, prime.Plane{sized(4096), 0, 4096}), "ends at byte 4294967300"},
		{"offset and pitch beyond 32 bits", xr24(1, 2, prime.Plane{sized(4096), max, max}), "ends at byte 8589934594"},
		{"end beyond 32 bits in a large buffer", xr24(1, 1<<20, prime.Plane{sized(1 << 40), 0, 4096}), "beyond what a framebuffer"},
		{"offset beyond 32 bits in a large buffer", xr24(1, 1, prime.Plane{sized(1 << 40), max - 4, 8}), "beyond what a framebuffer"},
		{"up to 32 bits", xr24(1, 1, prime.Plane{sized(1 << 40), max - 8, 8}), ""},
		{"all the largest", prime.Image{max, max, fourcc.NV12, 0, planes{{sized(math.MaxUint64), max, max}, {sized(0), 0, max}}}, "plane 0"},
		{"largest sum", prime.Image{max, max, fourcc.NV12, 0, planes{{sized(math.MaxUint64 - 1<<32), max, max}, {sized(math.MaxUint64), 0, max}}}, "plane 0"},
		{"no planes", xr24(64, 48), "0 planes"},
		{"a plane too many", xr24(64, 48, prime.Plane{sized(1 << 20), 0, 256}, prime.Plane{sized(1 << 20), 0, 256}), "2 planes"},
		{"no buffer", xr24(64, 48, prime.Plane{nil, 0, 256}), "no buffer"},
		{"unknown format", prime.Image{64, 48, fourcc.New('\x1b', '[', '3', '1'), 0, planes{{sized(1 << 20), 0, 256}}}, `\x1b[31`},
		{"unknown modifier", prime.Image{64, 48, fourcc.XRGB8888, 1<<56 | 1, planes{{sized(1 << 20), 0, 256}}}, "modifier INTEL_X_TILED"},
		{"RGB565", prime.Image{3, 2, fourcc.RGB565, 0, planes{{sized(14), 0, 8}}}, ""},
		{"RGB565 short", prime.Image{3, 2, fourcc.RGB565, 0, planes{{sized(13), 0, 8}}}, "ends at byte 14"},
		{"NV12 1x1", nv12(1, 1, prime.Plane{sized(1), 0, 1}, prime.Plane{sized(2), 0, 2}), ""},
		{"NV12 1x1, chroma rounded down", nv12(1, 1, prime.Plane{sized(1), 0, 1}, prime.Plane{sized(0), 0, 0}), "plane 1: pitch 0"},
		{"NV12 3x3", nv12(3, 3, prime.Plane{sized(9), 0, 3}, prime.Plane{sized(8), 0, 4}), ""},
		{"NV12 3x3, a chroma row short", nv12(3, 3, prime.Plane{sized(9), 0, 3}, prime.Plane{sized(4), 0, 4}), "plane 1: ends at byte 8"},
		{"NV12 in one plane", nv12(2, 2, prime.Plane{sized(6), 0, 2}), "1 planes"},
	} {
		err := test.image.Validate()
		if test.says == "" {
			if err != nil {
				t.Errorf("%s: %v", test.name, err)
			}
			continue
		}
		if !errors.Is(err, prime.ErrImage) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v, want ErrImage that says %q", test.name, err, test.says)
		}
		if unknown := strings.HasPrefix(test.name, "unknown"); errors.Is(err, prime.ErrNotSupported) != unknown {
			t.Errorf("%s: %v: is ErrNotSupported: %v", test.name, err, !unknown)
		}
	}
}

// FuzzValidate passes if Validate agrees with arithmetic that cannot overflow.
func FuzzValidate(f *testing.F) {
	f.Add(uint32(64), uint32(48), uint8(0), uint32(0), uint32(256), uint64(12288), uint32(0), uint32(0), uint64(0))
	f.Add(uint32(1), uint32(1), uint8(3), uint32(0), uint32(1), uint64(1), uint32(0), uint32(2), uint64(2))
	f.Add(uint32(math.MaxUint32), uint32(math.MaxUint32), uint8(3), uint32(math.MaxUint32), uint32(math.MaxUint32), uint64(math.MaxUint64), uint32(1), uint32(math.MaxUint32), uint64(math.MaxUint64))
	formats := []struct {
		fourcc.Format
		planes [][3]int64 // bytes of a sample, and the pixels that share it
	}{
		{fourcc.XRGB8888, [][3]int64{{4, 1, 1}}},
		{fourcc.ARGB8888, [][3]int64{{4, 1, 1}}},
		{fourcc.RGB565, [][3]int64{{2, 1, 1}}},
		{fourcc.NV12, [][3]int64{{1, 1, 1}, {2, 2, 2}}},
	}
	f.Fuzz(func(t *testing.T, w, h uint32, format uint8, off0, pitch0 uint32, size0 uint64, off1, pitch1 uint32, size1 uint64) {
		fm := formats[int(format)%len(formats)]
		all := []prime.Plane{{sized(size0), off0, pitch0}, {sized(size1), off1, pitch1}}
		image := prime.Image{Width: w, Height: h, Format: fm.Format, Planes: all[:len(fm.planes)]}
		want := w > 0 && h > 0
		for i, s := range fm.planes {
			row := ceil(w, s[1])
			row.Mul(row, big.NewInt(s[0]))
			pitch := big.NewInt(int64(all[i].Pitch))
			end := ceil(h, s[2])
			end.Sub(end, big.NewInt(1)).Mul(end, pitch).Add(end, row).Add(end, big.NewInt(int64(all[i].Offset)))
			want = want && pitch.Cmp(row) >= 0 && end.Cmp(new(big.Int).SetUint64(all[i].Buffer.Size())) <= 0
			end.Sub(end, row).Add(end, pitch)
			want = want && end.Cmp(big.NewInt(math.MaxUint32)) <= 0
		}
		if err := image.Validate(); (err == nil) != want {
			t.Errorf("%+v: %v, want valid: %v", image, err, want)
		}
	})
}

func ceil(n uint32, by int64) *big.Int {
	q, r := new(big.Int).DivMod(big.NewInt(int64(n)), big.NewInt(by), new(big.Int))
	if r.Sign() > 0 {
		q.Add(q, big.NewInt(1))
	}
	return q
}

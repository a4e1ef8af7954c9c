package fourcc_test

import (
	"testing"

	"github.com/gemtool/gemtool/drm/fourcc"
)

// TestModifierString passes if what drivers are known to offer reads as in
// drm_info and wayland-info, and what nobody defined is shown as a number. The
// first numbers are from public dumps of an RX 6000, a Turing GPU, an RK3399
// and a Raspberry Pi 4.
func TestModifierString(t *testing.T) {
	for m, want := range map[fourcc.Modifier]string{
		0x020000001896bb03: "AMD_GFX10_RBPLUS,GFX9_64K_R_X,DCC,DCC_PIPE_ALIGN,DCC_INDEPENDENT_128B,DCC_MAX_COMPRESSED_BLOCK=128B,DCC_CONSTANT_ENCODE,PIPE_XOR_BITS=4,PACKERS=3",
		0x0200000018967b03: "AMD_GFX10_RBPLUS,GFX9_64K_R_X,DCC,DCC_RETILE,DCC_INDEPENDENT_128B,DCC_MAX_COMPRESSED_BLOCK=128B,DCC_CONSTANT_ENCODE,PIPE_XOR_BITS=4,PACKERS=3",
		0x0200000018801b03: "AMD_GFX10_RBPLUS,GFX9_64K_R_X,PIPE_XOR_BITS=4,PACKERS=3",
		0x0200000000801902: "AMD_GFX10,GFX9_64K_S_X,PIPE_XOR_BITS=4",
		0x0200000000000a01: "AMD_GFX9,GFX9_64K_D",
		0x0300000000606010: "NVIDIA_BLOCK_LINEAR_2D,HEIGHT=0,KIND=6,GEN=2,SECTOR=1,COMPRESSION=0",
		0x0300000000606015: "NVIDIA_BLOCK_LINEAR_2D,HEIGHT=5,KIND=6,GEN=2,SECTOR=1,COMPRESSION=0",
		0x0800000000000041: "ARM_AFBC,BLOCK_SIZE=16x16,SPARSE",
		0x0700000000000004: "BROADCOM_SAND128",
		0x0100000000000002: "INTEL_Y_TILED",
		0x00ffffffffffffff: "INVALID",

		0x0000000000000005: "0x5",
		0x0100000000000063: "INTEL_0x63",
		0x0100000000000000: "INTEL_0x0",
		0x0200000000000000: "AMD_0x0",
		0x0200000000000006: "AMD_0x6",
		0x0200001000000501: "AMD_GFX9,TILE=0x5,0x1000000000",
		0x02000000000c0001: "AMD_GFX9,DCC_MAX_COMPRESSED_BLOCK=0x3",
		0x0300000000000002: "NVIDIA_0x2",
		0x0300000010000230: "NVIDIA_BLOCK_LINEAR_2D,HEIGHT=0,KIND=0,GEN=0,SECTOR=0,COMPRESSION=0,0x10000220",
		0x0500000000000004: "QCOM_0x4",
		0x0600000000000000: "VIVANTE_LINEAR",
		0x0625000000000001: "VIVANTE_TILED,TS=0x5,COMP=0x2",
		0x0700000000000007: "BROADCOM_0x7",
		0x0800000000002005: "ARM_AFBC,BLOCK_SIZE=0x5,0x2000",
		0x0820000000000204: "ARM_AFRC,P0=0x4,ROT,0x200",
		0x0810000000000003: "ARM_0x10000000000003",
		0x0830000000000000: "ARM_0x30000000000000",
		0x0a00000000010203: "AMLOGIC_FBC,LAYOUT=0x3,OPTIONS=0x2,0x10000",
		0x0b00000000000012: "MTK,TILE=0x2,0x10",
		0x0c00000000000003: "APPLE_0x3",
		0x0d00000000000001: "0xd00000000000001",
		0xff00000000000000: "0xff00000000000000",
	} {
		if got := m.String(); got != want {
			t.Errorf("%#x: %s, want %s", uint64(m), got, want)
		}
	}
}

// TestParseModifier passes if fields may come in any order, and what is no
// modifier, or says two things at once, is refused.
func TestParseModifier(t *testing.T) {
	for s, want := range map[string]fourcc.Modifier{
		"ARM_AFBC,SPARSE,YTR,BLOCK_SIZE=16x16":             0x0800000000000051,
		"AMD_GFX9,TILE=GFX9_64K_S,PIPE=0":                  0x0200000000000901,
		"AMD_GFX9,GFX9_64K_S,DCC_MAX_COMPRESSED_BLOCK=0x1": 0x0200000000040901,
		"MTK,TILE=NONE":                   0x0b00000000000000,
		"BROADCOM_SAND128,COL_HEIGHT=0":   0x0700000000000004,
		"NVIDIA_BLOCK_LINEAR_2D":          0x0300000000000010,
		"GENERIC_16_16_TILE":              0x0400000000000002,
		"NVIDIA_BLOCK_LINEAR_2D,SECTOR=6": 0x030000000c000010,
		"ARM_AFRC,LAYOUT=SCAN,P0=CU_16":   0x0820000000000101,
		"INTEL_0x2":                       0x0100000000000002,
		"0x2":                             2,
		"VIVANTE_LINEAR,TS=64B_4":         0x0601000000000000,
		"AMLOGIC_FBC,LAYOUT=BASIC,OPTIONS=MEM_SAVING,0x800000": 0x0a00000000800101,
	} {
		if m, err := fourcc.ParseModifier(s); m != want || err != nil {
			t.Errorf("%s: %#x, %v, want %#x", s, uint64(m), err, uint64(want))
		}
	}
	for _, s := range []string{
		"", ",", "X_TILED", "INTEL", "INTEL_0x", "INTEL_0x100000000000000", "NONE_0x5", "FOO_0x5", "0x", "0x10000000000000000", "5",
		"ARM_AFBC,", "ARM_AFBC,YTR,YTR", "ARM_AFBC,YTR=1", "ARM_AFBC,BLOCK_SIZE", "ARM_AFBC,BLOCK_SIZE=", "ARM_AFBC,BLOCK_SIZE=0x10",
		"ARM_AFBC,16x16", "ARM_AFBC,0x10", "ARM_AFBC,0x10000000000000", "ARM_AFBC,0x2000,0x2000", "INTEL_X_TILED,YTR", "ARM_AFBC,LAYOUT=SCAN",
		"NVIDIA_BLOCK_LINEAR_2D,SECTOR=8", "NVIDIA_BLOCK_LINEAR_2D,HEIGHT=16", "NVIDIA_BLOCK_LINEAR_2D,HEIGHT=0x1", "NVIDIA_BLOCK_LINEAR_2D,0x10",
		"BROADCOM_SAND128,COL_HEIGHT=281474976710656", "AMD_GFX9,DCC,DCC", "AMD_GFX9,GFX9_64K_S,TILE=GFX9_64K_S", "AMD_GFX9,GFX12_4K_2D",
	} {
		if m, err := fourcc.ParseModifier(s); err == nil {
			t.Errorf("%q: %v", s, m)
		}
	}
}

// FuzzModifier passes if every modifier comes back from its string, which
// therefore no other has, and what text is accepted means one modifier.
func FuzzModifier(f *testing.F) {
	for _, words := range append(golden(f, "mod"), golden(f, "made")...) {
		f.Add(number(f, words[1]), words[0])
		f.Add(^number(f, words[1]), words[0]+",0x1000")
	}
	f.Fuzz(func(t *testing.T, n uint64, s string) {
		// All vendors, and not only the 13 of 256.
		for _, n := range []uint64{n, n % (14 << 56), n%(14<<56) | 1<<4} {
			want := fourcc.Modifier(n)
			if got, err := fourcc.ParseModifier(want.String()); got != want || err != nil {
				t.Errorf("%#x: %s is %#x, %v", n, want, uint64(got), err)
			}
		}
		m, err := fourcc.ParseModifier(s)
		if err != nil {
			return
		}
		if again, err := fourcc.ParseModifier(m.String()); again != m || err != nil {
			t.Errorf("%q: %v, then %v, %v", s, m, again, err)
		}
	})
}

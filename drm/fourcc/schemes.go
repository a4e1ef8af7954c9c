package fourcc

import "slices"

const (
	vendorMask  Modifier = 0xff << 56
	always               = vendorMask // no vendor with fields is 0
	armType              = vendorMask | 0xf<<52
	vivanteBase          = vendorMask | 1<<48 - 1
	sandBase             = vendorMask | 0xff
)

// schemes are of <drm/drm_fourcc.h>.
var schemes = []scheme{
	{"AMD_GFX9", amdVersion, amd | 1, amdFields},
	{"AMD_GFX10", amdVersion, amd | 2, amdFields},
	{"AMD_GFX10_RBPLUS", amdVersion, amd | 3, amdFields},
	{"AMD_GFX11", amdVersion, amd | 4, amdFields},
	{"AMD_GFX12", amdVersion, amd | 5, gfx12Fields},

	{"NVIDIA_BLOCK_LINEAR_2D", vendorMask | 0x10, Modifier(VendorNVIDIA)<<56 | 0x10, nvidiaFields},

	{"VIVANTE_LINEAR", vivanteBase, Modifier(VendorVivante) << 56, vivanteFields},
	{"VIVANTE_TILED", vivanteBase, ModVivanteTiled, vivanteFields},
	{"VIVANTE_SUPER_TILED", vivanteBase, ModVivanteSuperTiled, vivanteFields},
	{"VIVANTE_SPLIT_TILED", vivanteBase, ModVivanteSplitTiled, vivanteFields},
	{"VIVANTE_SPLIT_SUPER_TILED", vivanteBase, ModVivanteSplitSuperTiled, vivanteFields},

	{"BROADCOM_SAND32", sandBase, ModBroadcomSand32, sandFields},
	{"BROADCOM_SAND64", sandBase, ModBroadcomSand64, sandFields},
	{"BROADCOM_SAND128", sandBase, ModBroadcomSand128, sandFields},
	{"BROADCOM_SAND256", sandBase, ModBroadcomSand256, sandFields},

	{"ARM_AFBC", armType, Modifier(VendorARM) << 56, afbcFields},
	{"ARM_AFRC", armType, Modifier(VendorARM)<<56 | 2<<52, afrcFields},

	{"AMLOGIC_FBC", vendorMask, Modifier(VendorAmlogic) << 56, []field{
		{name: "LAYOUT", bits: 8, values: []string{1: "BASIC", "SCATTER"}, shown: always},
		{name: "OPTIONS", shift: 8, bits: 8, values: []string{"0", "MEM_SAVING"}, shown: always},
	}},

	{"MTK", vendorMask, Modifier(VendorMTK) << 56, []field{
		{name: "TILE", bits: 4, values: []string{"NONE", "16L32S"}},
		{name: "COMPRESS", shift: 8, bits: 4, values: []string{"NONE", "V1"}},
		{name: "10BIT_LAYOUT", shift: 16, bits: 4, values: []string{"PACKED", "LSBTILED", "LSBRASTER"}},
	}},
}

const (
	amd        = Modifier(VendorAMD) << 56
	amdVersion = vendorMask | 0xff
	dcc        = 1 << 13
)

var (
	amdFields = slices.Concat([]field{{name: "TILE", shift: 8, bits: 5, bare: true, values: []string{
		9: "GFX9_64K_S", "GFX9_64K_D",
		22: "GFX9_4K_D_X",
		25: "GFX9_64K_S_X", "GFX9_64K_D_X", "GFX9_64K_R_X",
		31: "GFX11_256K_R_X",
	}}}, amdOthers)

	gfx12Fields = slices.Concat([]field{{name: "TILE", shift: 8, bits: 5, bare: true, values: []string{
		1: "GFX12_256B_2D", "GFX12_4K_2D", "GFX12_64K_2D", "GFX12_256K_2D",
	}}}, amdOthers)

	amdOthers = []field{
		{name: "DCC", shift: 13, bits: 1},
		{name: "DCC_RETILE", shift: 14, bits: 1},
		{name: "DCC_PIPE_ALIGN", shift: 15, bits: 1},
		{name: "DCC_INDEPENDENT_64B", shift: 16, bits: 1},
		{name: "DCC_INDEPENDENT_128B", shift: 17, bits: 1},
		{name: "DCC_MAX_COMPRESSED_BLOCK", shift: 18, bits: 2, values: []string{"64B", "128B", "256B"}, shown: dcc},
		{name: "DCC_CONSTANT_ENCODE", shift: 20, bits: 1},
		{name: "PIPE_XOR_BITS", shift: 21, bits: 3},
		{name: "BANK_XOR_BITS", shift: 24, bits: 3},
		{name: "PACKERS", shift: 27, bits: 3},
		{name: "RB", shift: 30, bits: 3},
		{name: "PIPE", shift: 33, bits: 3},
	}

	nvidiaFields = []field{
		{name: "HEIGHT", bits: 4, shown: always},
		{name: "KIND", shift: 12, bits: 8, shown: always},
		{name: "GEN", shift: 20, bits: 2, shown: always},
		{name: "SECTOR", shift: 22, bits: 1, high: 26, shown: always},
		{name: "COMPRESSION", shift: 23, bits: 3, shown: always},
	}

	vivanteFields = []field{
		{name: "TS", shift: 48, bits: 4, values: []string{1: "64B_4", "64B_2", "128B_4", "256B_4"}},
		{name: "COMP", shift: 52, bits: 4, values: []string{1: "DEC400"}},
	}

	sandFields = []field{{name: "COL_HEIGHT", shift: 8, bits: 48}}

	afbcFields = []field{
		{name: "BLOCK_SIZE", bits: 4, values: []string{1: "16x16", "32x8", "64x4", "32x8_64x4"}},
		{name: "YTR", shift: 4, bits: 1},
		{name: "SPLIT", shift: 5, bits: 1},
		{name: "SPARSE", shift: 6, bits: 1},
		{name: "CBR", shift: 7, bits: 1},
		{name: "TILED", shift: 8, bits: 1},
		{name: "SC", shift: 9, bits: 1},
		{name: "DB", shift: 10, bits: 1},
		{name: "BCH", shift: 11, bits: 1},
		{name: "USM", shift: 12, bits: 1},
	}

	afrcFields = []field{
		{name: "P0", bits: 4, values: []string{1: "CU_16", "CU_24", "CU_32"}},
		{name: "P12", shift: 4, bits: 4, values: []string{1: "CU_16", "CU_24", "CU_32"}},
		{name: "LAYOUT", shift: 8, bits: 1, values: []string{"ROT", "SCAN"}, bare: true, shown: always},
	}
)

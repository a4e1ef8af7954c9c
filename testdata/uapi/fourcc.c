/*
 * fourcc.c prints what the tests of drm/fourcc compare with, as lines of words:
 *
 *   sizes WxH...                        image sizes, for the plane lines
 *   format NAME NUMBER "COMPONENTS"     as drm_fourcc.h has them
 *   info NAME PLANES HSUB VSUB ALPHA YUV INDEXED     of a format the kernel knows
 *   plane NAME INDEX BYTES W H [MINPITCH/ROW/SIZE]...   a block; for every size
 *   vendor NAME NUMBER
 *   mod NAME NUMBER                     a modifier that takes no arguments
 *   made TEXT NUMBER                    a modifier made by the header's macros
 *
 * MINPITCH is the answer of the kernel's drm_format_info_min_pitch. ROW is the
 * least pitch that has room for whole blocks, SIZE that of all rows of blocks.
 *
 * It is compiled over the kernel's own table, see the script fourcc.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <drm/drm_fourcc.h>

/* What kernel.h and kernel.c need of the kernel. */
typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;
#define ARRAY_SIZE(a) (sizeof(a) / sizeof(*(a)))
#define DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))
#define DIV_ROUND_UP_ULL(n, d) DIV_ROUND_UP((u64)(n), d)
#define EXPORT_SYMBOL(s)
#define WARN_ON(c) ((void)(c))
#define pr_warn(...) fprintf(stderr, __VA_ARGS__)
struct drm_format_info;
struct drm_device {
	struct {
		bool quirk_addfb_prefer_host_byte_order, quirk_addfb_prefer_xbgr_30bpp;
		struct {
			const struct drm_format_info *(*get_format_info)(u32, u64);
		} *funcs;
	} mode_config;
};
#include "kernel.h"
#include "kernel.c"

static const struct {
	const char *name, *components;
	u32 number;
} formats[] = {
#define FORMAT(name, components) { #name, components, DRM_FORMAT_##name },
#include "formats.h"
};

/*
 * The kernel takes sizes for int, so these end well before 2^31; every size
 * stays below 2^64.
 */
static const struct { u32 w, h; } sizes[] = {
	{ 1, 1 }, { 2, 2 }, { 3, 3 }, { 4, 5 }, { 5, 4 }, { 7, 9 }, { 64, 48 }, { 1366, 768 },
	{ 1920, 1080 }, { 3841, 2161 }, { 65535, 65535 }, { 1073741825, 3 }, { 3, 1073741825 },
};

static void print_plane(const char *name, const struct drm_format_info *info, int i)
{
	u64 bytes = info->char_per_block[i];
	u64 w = drm_format_info_block_width(info, i), h = drm_format_info_block_height(info, i);

	/*
	 * To the kernel two pixels of a packed format are two blocks even where
	 * they share their chroma; without one of them the other has no colour.
	 */
	if (info->num_planes == 1 && w == 1 && bytes) {
		w = info->hsub;
		bytes *= w;
	}
	printf("plane %s %d %" PRIu64 " %" PRIu64 " %" PRIu64, name, i, bytes, w, h);
	for (int s = 0; bytes && s < ARRAY_SIZE(sizes); s++) {
		u64 width = drm_format_info_plane_width(info, sizes[s].w, i);
		u64 height = drm_format_info_plane_height(info, sizes[s].h, i);
		u64 row = DIV_ROUND_UP(width, w) * bytes / h;

		printf(" %" PRIu64 "/%" PRIu64 "/%" PRIu64, drm_format_info_min_pitch(info, i, width),
		       row, row * h * DIV_ROUND_UP(height, h));
	}
	printf("\n");
}

static void print_format(int i)
{
	const struct drm_format_info *info = __drm_format_info(formats[i].number);
	const char *name = formats[i].name;

	printf("format %s 0x%08x \"%s\"\n", name, formats[i].number, formats[i].components);
	if (!info)
		return;
	printf("info %s %d %d %d %d %d %d\n", name, info->num_planes, info->hsub, info->vsub,
	       info->has_alpha, info->is_yuv, info->is_color_indexed);
	for (int p = 0; p < info->num_planes; p++)
		print_plane(name, info, p);
}

#define AMD(field, value) AMD_FMT_MOD_SET(field, value)
#define VER(version) (AMD_FMT_MOD | AMD(TILE_VERSION, AMD_FMT_MOD_TILE_VER_##version))
#define TILE(tile) AMD(TILE, AMD_FMT_MOD_TILE_##tile)
#define BLOCK(size) AMD(DCC_MAX_COMPRESSED_BLOCK, AMD_FMT_MOD_DCC_BLOCK_##size)
#define AFBC(mode) DRM_FORMAT_MOD_ARM_AFBC(mode)
#define AFRC(mode) DRM_FORMAT_MOD_ARM_AFRC(mode)
#define P0(size) AFRC_FORMAT_MOD_CU_SIZE_P0(AFRC_FORMAT_MOD_CU_SIZE_##size)
#define P12(size) AFRC_FORMAT_MOD_CU_SIZE_P12(AFRC_FORMAT_MOD_CU_SIZE_##size)
#define AFBC_ALL (AFBC_FORMAT_MOD_YTR | AFBC_FORMAT_MOD_SPLIT | AFBC_FORMAT_MOD_SPARSE | \
	AFBC_FORMAT_MOD_CBR | AFBC_FORMAT_MOD_TILED | AFBC_FORMAT_MOD_SC | \
	AFBC_FORMAT_MOD_DB | AFBC_FORMAT_MOD_BCH | AFBC_FORMAT_MOD_USM)

static const struct {
	const char *text;
	u64 number;
} made[] = {
	{ "NVIDIA_BLOCK_LINEAR_2D,HEIGHT=0,KIND=6,GEN=2,SECTOR=1,COMPRESSION=0", DRM_FORMAT_MOD_NVIDIA_BLOCK_LINEAR_2D(0, 1, 2, 6, 0) },
	{ "NVIDIA_BLOCK_LINEAR_2D,HEIGHT=4,KIND=254,GEN=0,SECTOR=0,COMPRESSION=0", DRM_FORMAT_MOD_NVIDIA_BLOCK_LINEAR_2D(0, 0, 0, 0xfe, 4) },
	{ "NVIDIA_BLOCK_LINEAR_2D,HEIGHT=5,KIND=8,GEN=2,SECTOR=3,COMPRESSION=0", DRM_FORMAT_MOD_NVIDIA_BLOCK_LINEAR_2D(0, 3, 2, 8, 5) },
	{ "NVIDIA_BLOCK_LINEAR_2D,HEIGHT=15,KIND=255,GEN=3,SECTOR=7,COMPRESSION=7", DRM_FORMAT_MOD_NVIDIA_BLOCK_LINEAR_2D(7ULL, 7ULL, 3ULL, 255ULL, 15ULL) },
	{ "NVIDIA_16BX2_BLOCK_FOUR_GOB", DRM_FORMAT_MOD_NVIDIA_16BX2_BLOCK(2) },

	{ "BROADCOM_SAND32,COL_HEIGHT=1", DRM_FORMAT_MOD_BROADCOM_SAND32_COL_HEIGHT(1) },
	{ "BROADCOM_SAND64,COL_HEIGHT=96", DRM_FORMAT_MOD_BROADCOM_SAND64_COL_HEIGHT(96) },
	{ "BROADCOM_SAND128,COL_HEIGHT=1632", DRM_FORMAT_MOD_BROADCOM_SAND128_COL_HEIGHT(1632) },
	{ "BROADCOM_SAND256,COL_HEIGHT=281474976710655", DRM_FORMAT_MOD_BROADCOM_SAND256_COL_HEIGHT((1ULL << 48) - 1) },

	{ "ARM_AFBC,BLOCK_SIZE=16x16", AFBC(AFBC_FORMAT_MOD_BLOCK_SIZE_16x16) },
	{ "ARM_AFBC,BLOCK_SIZE=16x16,SPARSE", AFBC(AFBC_FORMAT_MOD_BLOCK_SIZE_16x16 | AFBC_FORMAT_MOD_SPARSE) },
	{ "ARM_AFBC,BLOCK_SIZE=16x16,YTR,SPARSE", AFBC(AFBC_FORMAT_MOD_BLOCK_SIZE_16x16 | AFBC_FORMAT_MOD_YTR | AFBC_FORMAT_MOD_SPARSE) },
	{ "ARM_AFBC,BLOCK_SIZE=32x8,SPLIT,SPARSE", AFBC(AFBC_FORMAT_MOD_BLOCK_SIZE_32x8 | AFBC_FORMAT_MOD_SPLIT | AFBC_FORMAT_MOD_SPARSE) },
	{ "ARM_AFBC,BLOCK_SIZE=64x4,TILED,SC", AFBC(AFBC_FORMAT_MOD_BLOCK_SIZE_64x4 | AFBC_FORMAT_MOD_TILED | AFBC_FORMAT_MOD_SC) },
	{ "ARM_AFBC,BLOCK_SIZE=32x8_64x4,YTR,SPLIT,SPARSE,CBR,TILED,SC,DB,BCH,USM", AFBC(AFBC_FORMAT_MOD_BLOCK_SIZE_32x8_64x4 | AFBC_ALL) },
	{ "ARM_AFRC,P0=CU_16,ROT", AFRC(P0(16)) },
	{ "ARM_AFRC,P0=CU_24,P12=CU_32,SCAN", AFRC(P0(24) | P12(32) | AFRC_FORMAT_MOD_LAYOUT_SCAN) },

	{ "AMLOGIC_FBC,LAYOUT=BASIC,OPTIONS=0", DRM_FORMAT_MOD_AMLOGIC_FBC(AMLOGIC_FBC_LAYOUT_BASIC, 0) },
	{ "AMLOGIC_FBC,LAYOUT=SCATTER,OPTIONS=MEM_SAVING", DRM_FORMAT_MOD_AMLOGIC_FBC(AMLOGIC_FBC_LAYOUT_SCATTER, AMLOGIC_FBC_OPTION_MEM_SAVING) },

	{ "MTK_16L_32S_TILE", DRM_FORMAT_MOD_MTK(MTK_FMT_MOD_TILE_16L32S) },
	{ "MTK,TILE=16L32S,COMPRESS=V1", DRM_FORMAT_MOD_MTK(MTK_FMT_MOD_TILE_16L32S | MTK_FMT_MOD_COMPRESS_V1) },
	{ "MTK,TILE=16L32S,10BIT_LAYOUT=LSBTILED", DRM_FORMAT_MOD_MTK(MTK_FMT_MOD_TILE_16L32S | MTK_FMT_MOD_10BIT_LAYOUT_LSBTILED) },
	{ "MTK,COMPRESS=V1,10BIT_LAYOUT=LSBRASTER", DRM_FORMAT_MOD_MTK(MTK_FMT_MOD_COMPRESS_V1 | MTK_FMT_MOD_10BIT_LAYOUT_LSBRASTER) },

	{ "VIVANTE_TILED,TS=64B_4", DRM_FORMAT_MOD_VIVANTE_TILED | VIVANTE_MOD_TS_64_4 },
	{ "VIVANTE_SUPER_TILED,TS=64B_2", DRM_FORMAT_MOD_VIVANTE_SUPER_TILED | VIVANTE_MOD_TS_64_2 },
	{ "VIVANTE_SPLIT_TILED,TS=128B_4", DRM_FORMAT_MOD_VIVANTE_SPLIT_TILED | VIVANTE_MOD_TS_128_4 },
	{ "VIVANTE_SPLIT_SUPER_TILED,TS=256B_4,COMP=DEC400", DRM_FORMAT_MOD_VIVANTE_SPLIT_SUPER_TILED | VIVANTE_MOD_TS_256_4 | VIVANTE_MOD_COMP_DEC400 },

	{ "AMD_GFX9,GFX9_64K_S", VER(GFX9) | TILE(GFX9_64K_S) },
	{ "AMD_GFX9,GFX9_64K_D", VER(GFX9) | TILE(GFX9_64K_D) },
	{ "AMD_GFX9,GFX9_64K_D_X,PIPE_XOR_BITS=2,BANK_XOR_BITS=4", VER(GFX9) | TILE(GFX9_64K_D_X) | AMD(PIPE_XOR_BITS, 2) | AMD(BANK_XOR_BITS, 4) },
	{ "AMD_GFX9,GFX9_4K_D_X,PIPE_XOR_BITS=1", VER(GFX9) | TILE(GFX9_4K_D_X) | AMD(PIPE_XOR_BITS, 1) },
	{ "AMD_GFX9,GFX9_64K_S_X,DCC,DCC_RETILE,DCC_INDEPENDENT_64B,DCC_MAX_COMPRESSED_BLOCK=64B,DCC_CONSTANT_ENCODE,PIPE_XOR_BITS=2,BANK_XOR_BITS=4,RB=1,PIPE=2",
	  VER(GFX9) | TILE(GFX9_64K_S_X) | AMD(DCC, 1) | AMD(DCC_RETILE, 1) | AMD(DCC_INDEPENDENT_64B, 1) | BLOCK(64B) |
	  AMD(DCC_CONSTANT_ENCODE, 1) | AMD(PIPE_XOR_BITS, 2) | AMD(BANK_XOR_BITS, 4) | AMD(RB, 1) | AMD(PIPE, 2) },
	{ "AMD_GFX10,GFX9_64K_S_X,PIPE_XOR_BITS=4", VER(GFX10) | TILE(GFX9_64K_S_X) | AMD(PIPE_XOR_BITS, 4) },
	{ "AMD_GFX10_RBPLUS,GFX9_64K_R_X,PIPE_XOR_BITS=4,PACKERS=3", VER(GFX10_RBPLUS) | TILE(GFX9_64K_R_X) | AMD(PIPE_XOR_BITS, 4) | AMD(PACKERS, 3) },
	{ "AMD_GFX10_RBPLUS,GFX9_64K_R_X,DCC,DCC_PIPE_ALIGN,DCC_INDEPENDENT_128B,DCC_MAX_COMPRESSED_BLOCK=128B,DCC_CONSTANT_ENCODE,PIPE_XOR_BITS=4,PACKERS=3",
	  VER(GFX10_RBPLUS) | TILE(GFX9_64K_R_X) | AMD(DCC, 1) | AMD(DCC_PIPE_ALIGN, 1) | AMD(DCC_INDEPENDENT_128B, 1) | BLOCK(128B) |
	  AMD(DCC_CONSTANT_ENCODE, 1) | AMD(PIPE_XOR_BITS, 4) | AMD(PACKERS, 3) },
	{ "AMD_GFX11,GFX11_256K_R_X,PIPE_XOR_BITS=5,PACKERS=2", VER(GFX11) | TILE(GFX11_256K_R_X) | AMD(PIPE_XOR_BITS, 5) | AMD(PACKERS, 2) },
	{ "AMD_GFX12,GFX12_256B_2D", VER(GFX12) | TILE(GFX12_256B_2D) },
	{ "AMD_GFX12,GFX12_4K_2D", VER(GFX12) | TILE(GFX12_4K_2D) },
	{ "AMD_GFX12,GFX12_64K_2D", VER(GFX12) | TILE(GFX12_64K_2D) },
	{ "AMD_GFX12,GFX12_256K_2D,DCC,DCC_MAX_COMPRESSED_BLOCK=256B", VER(GFX12) | TILE(GFX12_256K_2D) | AMD(DCC, 1) | BLOCK(256B) },
};

int main(void)
{
	printf("# printed by testdata/uapi/fourcc.c over the source of Linux; do not edit\nsizes");
	for (int i = 0; i < ARRAY_SIZE(sizes); i++)
		printf(" %ux%u", sizes[i].w, sizes[i].h);
	printf("\n");
	for (int i = 0; i < ARRAY_SIZE(formats); i++)
		print_format(i);
#define VENDOR(name) printf("vendor %s 0x%02x\n", #name, DRM_FORMAT_MOD_VENDOR_##name);
#define MODIFIER(name, c) printf("mod %s 0x%016" PRIx64 "\n", #name, (u64)c);
#include "modifiers.h"
	for (int i = 0; i < ARRAY_SIZE(made); i++)
		printf("made %s 0x%016" PRIx64 "\n", made[i].text, made[i].number);
	return 0;
}

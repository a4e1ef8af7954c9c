package fourcc

// Planes of formats, each {bytes, width, height, hsub, vsub}.
var (
	bits1   = []Plane{{1, 8, 1, 1, 1}}
	bits2   = []Plane{{1, 4, 1, 1, 1}}
	bits4   = []Plane{{1, 2, 1, 1, 1}}
	bytes1  = []Plane{{1, 1, 1, 1, 1}}
	bytes2  = []Plane{{2, 1, 1, 1, 1}}
	bytes3  = []Plane{{3, 1, 1, 1, 1}}
	bytes4  = []Plane{{4, 1, 1, 1, 1}}
	bytes6  = []Plane{{6, 1, 1, 1, 1}}
	bytes8  = []Plane{{8, 1, 1, 1, 1}}
	bytes12 = []Plane{{12, 1, 1, 1, 1}}
	bytes16 = []Plane{{16, 1, 1, 1, 1}}

	bytes2A8 = []Plane{{2, 1, 1, 1, 1}, {1, 1, 1, 1, 1}}
	bytes3A8 = []Plane{{3, 1, 1, 1, 1}, {1, 1, 1, 1, 1}}
	bytes4A8 = []Plane{{4, 1, 1, 1, 1}, {1, 1, 1, 1, 1}}

	pair4   = []Plane{{4, 2, 1, 1, 1}} // two pixels, which share their chroma
	pair8   = []Plane{{8, 2, 1, 1, 1}}
	square8 = []Plane{{8, 2, 2, 1, 1}}
	triple4 = []Plane{{4, 3, 1, 1, 1}}
	unknown = []Plane{{0, 1, 1, 1, 1}}

	semi8x420   = []Plane{{1, 1, 1, 1, 1}, {2, 1, 1, 2, 2}}
	semi8x422   = []Plane{{1, 1, 1, 1, 1}, {2, 1, 1, 2, 1}}
	semi8x444   = []Plane{{1, 1, 1, 1, 1}, {2, 1, 1, 1, 1}}
	semi16x420  = []Plane{{2, 1, 1, 1, 1}, {4, 1, 1, 2, 2}}
	semi16x422  = []Plane{{2, 1, 1, 1, 1}, {4, 1, 1, 2, 1}}
	dense10x420 = []Plane{{5, 4, 1, 1, 1}, {5, 2, 1, 2, 2}} // no padding at all
	dense10x422 = []Plane{{5, 4, 1, 1, 1}, {5, 2, 1, 2, 1}}
	dense10x444 = []Plane{{5, 4, 1, 1, 1}, {5, 2, 1, 1, 1}}
	three10x420 = []Plane{{4, 3, 1, 1, 1}, {8, 3, 1, 2, 2}} // three in 32 bits
	three10x422 = []Plane{{4, 3, 1, 1, 1}, {8, 3, 1, 2, 1}}

	full8x410   = []Plane{{1, 1, 1, 1, 1}, {1, 1, 1, 4, 4}, {1, 1, 1, 4, 4}}
	full8x411   = []Plane{{1, 1, 1, 1, 1}, {1, 1, 1, 4, 1}, {1, 1, 1, 4, 1}}
	full8x420   = []Plane{{1, 1, 1, 1, 1}, {1, 1, 1, 2, 2}, {1, 1, 1, 2, 2}}
	full8x422   = []Plane{{1, 1, 1, 1, 1}, {1, 1, 1, 2, 1}, {1, 1, 1, 2, 1}}
	full8x444   = []Plane{{1, 1, 1, 1, 1}, {1, 1, 1, 1, 1}, {1, 1, 1, 1, 1}}
	full16x420  = []Plane{{2, 1, 1, 1, 1}, {2, 1, 1, 2, 2}, {2, 1, 1, 2, 2}}
	full16x422  = []Plane{{2, 1, 1, 1, 1}, {2, 1, 1, 2, 1}, {2, 1, 1, 2, 1}}
	full16x444  = []Plane{{2, 1, 1, 1, 1}, {2, 1, 1, 1, 1}, {2, 1, 1, 1, 1}}
	three10x444 = []Plane{{4, 3, 1, 1, 1}, {4, 3, 1, 1, 1}, {4, 3, 1, 1, 1}}
)

func indexed(p []Plane) Info { return Info{Planes: p, HSub: 1, VSub: 1, Indexed: true} }
func rgb(p []Plane) Info     { return Info{Planes: p, HSub: 1, VSub: 1} }
func rgba(p []Plane) Info    { return Info{Planes: p, HSub: 1, VSub: 1, Alpha: true} }

// yuv is of formats with a plane of chroma, or whose every pixel has its own.
func yuv(p []Plane) Info {
	last := p[len(p)-1]
	return Info{Planes: p, HSub: last.HSub, VSub: last.VSub, YUV: true}
}

func yuva(p []Plane) Info {
	i := yuv(p)
	i.Alpha = true
	return i
}

// packed is of formats with a plane whose pixels share chroma.
func packed(p []Plane, h, v int) Info { return Info{Planes: p, HSub: h, VSub: v, YUV: true} }

// layout returns what drm_fourcc.c and the comments of drm_fourcc.h say. Unlike
// the former it takes pixels that share their chroma for one block, and knows
// formats that no driver of the kernel has, too.
func layout(f Format) Info {
	switch f {
	case C1:
		return indexed(bits1)
	case C2:
		return indexed(bits2)
	case C4:
		return indexed(bits4)
	case C8:
		return indexed(bytes1)

	case D1, R1:
		return rgb(bits1)
	case D2, R2:
		return rgb(bits2)
	case D4, R4:
		return rgb(bits4)
	case D8, R8, RGB332, BGR233:
		return rgb(bytes1)
	case R10, R12, R16, R16F, RG88, GR88, RGB565, BGR565,
		XRGB4444, XBGR4444, RGBX4444, BGRX4444, XRGB1555, XBGR1555, RGBX5551, BGRX5551:
		return rgb(bytes2)
	case RGB888, BGR888:
		return rgb(bytes3)
	case RG1616, GR1616, GR1616F, R32F, XRGB8888, XBGR8888, RGBX8888, BGRX8888,
		XRGB2101010, XBGR2101010, RGBX1010102, BGRX1010102:
		return rgb(bytes4)
	case RGB161616, BGR161616, BGR161616F:
		return rgb(bytes6)
	case GR3232F, XRGB16161616, XBGR16161616, XRGB16161616F, XBGR16161616F:
		return rgb(bytes8)
	case BGR323232F:
		return rgb(bytes12)

	case ARGB4444, ABGR4444, RGBA4444, BGRA4444, ARGB1555, ABGR1555, RGBA5551, BGRA5551:
		return rgba(bytes2)
	case ARGB8888, ABGR8888, RGBA8888, BGRA8888, ARGB2101010, ABGR2101010, RGBA1010102, BGRA1010102:
		return rgba(bytes4)
	case ARGB16161616, ABGR16161616, ARGB16161616F, ABGR16161616F, AXBXGXRX106106106106:
		return rgba(bytes8)
	case ABGR32323232F:
		return rgba(bytes16)
	case RGB565_A8, BGR565_A8:
		return rgba(bytes2A8)
	case RGB888_A8, BGR888_A8:
		return rgba(bytes3A8)
	case XRGB8888_A8, XBGR8888_A8, RGBX8888_A8, BGRX8888_A8:
		return rgba(bytes4A8)

	case Y8:
		return yuv(bytes1)
	case VUY888:
		return yuv(bytes3)
	case XYUV8888, XVUY8888, XVUY2101010, XVYU2101010:
		return yuv(bytes4)
	case XVYU12_16161616, XVYU16161616:
		return yuv(bytes8)
	case AYUV, AVUY8888, Y410:
		return yuva(bytes4)
	case Y412, Y416:
		return yuva(bytes8)
	case XYYY2101010:
		return yuv(triple4)
	case YUYV, YVYU, UYVY, VYUY:
		return packed(pair4, 2, 1)
	case Y210, Y212, Y216:
		return packed(pair8, 2, 1)
	case X0L0, X0L2:
		return packed(square8, 2, 2)
	case Y0L0, Y0L2:
		i := packed(square8, 2, 2)
		i.Alpha = true
		return i
	case YUV420_8BIT, YUV420_10BIT:
		return packed(unknown, 2, 2)
	case VUY101010:
		return packed(unknown, 1, 1)

	case NV12, NV21:
		return yuv(semi8x420)
	case NV16, NV61:
		return yuv(semi8x422)
	case NV24, NV42:
		return yuv(semi8x444)
	case P010, P012, P016:
		return yuv(semi16x420)
	case P210:
		return yuv(semi16x422)
	case NV15:
		return yuv(dense10x420)
	case NV20:
		return yuv(dense10x422)
	case NV30:
		return yuv(dense10x444)
	case P030:
		return yuv(three10x420)
	case P230:
		return yuv(three10x422)

	case YUV410, YVU410:
		return yuv(full8x410)
	case YUV411, YVU411:
		return yuv(full8x411)
	case YUV420, YVU420:
		return yuv(full8x420)
	case YUV422, YVU422:
		return yuv(full8x422)
	case YUV444, YVU444:
		return yuv(full8x444)
	case S010, S012, S016:
		return yuv(full16x420)
	case S210, S212, S216:
		return yuv(full16x422)
	case S410, S412, S416, Q410, Q401:
		return yuv(full16x444)
	case T430:
		return yuv(three10x444)
	}
	return Info{}
}

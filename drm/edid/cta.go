package edid

import "bytes"

// CTA is an extension of CTA-861: what a display takes as a television.
type CTA struct {
	Revision           uint8
	Underscan          bool // of IT formats, by default
	BasicAudio         bool
	YCbCr444, YCbCr422 bool
	NativeDetailed     int // how many detailed timings are native

	Video          []VIC
	Audio          []Audio
	Speakers       *Speakers
	HDMI           *HDMI
	HDMIForum      *HDMIForum
	Colorimetry    *Colorimetry
	HDR            *HDR
	Capability     *VideoCapability
	YCbCr420Only   []uint8 // VICs taken with this encoding only
	YCbCr420       []uint8 // VICs taken with it, too
	Detailed       []Timing
	Other          []DataBlock // what is not decoded
	ExtensionCount uint8       // of HDMI 2.1's block that overrides the base block's, or 0
}

// VIC is a video identification code: [VICTiming] tells what it stands for.
type VIC struct {
	Code   uint8
	Native bool
}

// Speakers are those that are there: the bits of CTA-861's speaker allocation,
// front left and right first.
type Speakers struct{ Allocation uint32 }

// VideoCapability is what a display does beyond what its timings say.
type VideoCapability struct {
	SelectableYCC, SelectableRGB bool // quantization ranges
	// How preferred, IT and other timings are scanned: 0 as nothing says,
	// 1 over, 2 under, 3 both.
	PreferredScan, ITScan, VideoScan uint8
}

// DataBlock is a CTA data block that is not decoded.
type DataBlock struct {
	Tag      uint8
	Extended uint8 // where Tag is 7
	Payload  []byte
}

// The tags of data blocks.
const (
	ctaAudio    = 1
	ctaVideo    = 2
	ctaVendor   = 3
	ctaSpeakers = 4
	ctaExtended = 7
)

// The extended tags, with ctaExtended.
const (
	extCapability   = 0
	extColorimetry  = 5
	extHDR          = 6
	ext420Only      = 14
	ext420          = 15
	extEEODB        = 0x78
	extHDMIForumSCD = 0x79
)

// cta decodes a CTA extension of 128 bytes.
func (d *decoder) cta(b []byte) {
	c := CTA{Revision: b[1]}
	if c.Revision >= 2 {
		c.Underscan, c.BasicAudio = b[3]&0x80 != 0, b[3]&0x40 != 0
		c.YCbCr444, c.YCbCr422 = b[3]&0x20 != 0, b[3]&0x10 != 0
		c.NativeDetailed = int(b[3] & 15)
	}
	end := int(b[2]) // of the data blocks, where the detailed timings begin
	switch {
	case end == 0:
		end = 4 // there are neither
	case end < 4 || end > 127:
		d.warn(WarnLength, "detailed timings at byte %d", end)
		end = 4
	default:
		for i := end; i+18 <= 127 && le16(b[i:]) != 0; i += 18 {
			if t, ok := d.detailed(b[i : i+18]); ok {
				c.Detailed = append(c.Detailed, t)
			}
		}
	}
	if c.Revision >= 3 {
		d.dataBlocks(&c, b[4:end])
	}
	d.CTA = append(d.CTA, c)
}

// map420 is a map of which of all the EDID's video codes are taken with YCbCr
// 4:2:0, too: none listed are all.
type map420 struct {
	cta  int // the extension that has it
	bits []byte
}

// resolve420 applies the maps, when all codes are known.
func (d *decoder) resolve420() {
	for _, m := range d.maps420 {
		to := &d.CTA[m.cta].YCbCr420
		for i, code := range d.codes {
			if len(m.bits) == 0 || i/8 < len(m.bits) && m.bits[i/8]&(1<<(i%8)) != 0 {
				*to = append(*to, code)
			}
		}
	}
}

func (d *decoder) dataBlocks(c *CTA, b []byte) {
	mapped := false
	for len(b) > 0 {
		tag, n := b[0]>>5, int(b[0]&0x1f)
		if 1+n > len(b) {
			d.warn(WarnLength, "data block %d of %d bytes where %d are left", tag, n, len(b)-1)
			break
		}
		payload := b[1 : 1+n]
		b = b[1+n:]
		if tag != ctaExtended || n == 0 || payload[0] != ext420 {
			d.dataBlock(c, tag, payload)
		} else if !mapped {
			mapped = true // one of an extension: an EDID of 32 KiB makes 8 MB of codes at most
			d.maps420 = append(d.maps420, map420{len(d.CTA), payload[1:]})
		}
	}
}

// dataBlock decodes one, or keeps it as it is.
func (d *decoder) dataBlock(c *CTA, tag uint8, p []byte) {
	other := DataBlock{Tag: tag, Payload: p}
	ok := false
	switch tag {
	case ctaVideo:
		for _, b := range p {
			v, ok := d.svd(b)
			d.codes = append(d.codes, v.Code)
			if ok {
				c.Video = append(c.Video, v)
			}
		}
		return
	case ctaAudio:
		for ; len(p) >= 3; p = p[3:] {
			c.Audio = append(c.Audio, audio(p))
		}
		if len(p) > 0 {
			d.warn(WarnLength, "audio block with %d bytes too many", len(p))
		}
		return
	case ctaSpeakers:
		if ok = len(p) >= 3; ok {
			c.Speakers = &Speakers{uint32(p[0]) | uint32(p[1])<<8 | uint32(p[2])<<16}
		}
	case ctaVendor:
		ok = d.vendorBlock(c, p)
	case ctaExtended:
		if len(p) == 0 {
			break
		}
		other.Extended, other.Payload = p[0], p[1:]
		ok = d.extended(c, p[0], p[1:])
	}
	if !ok {
		other.Payload = bytes.Clone(other.Payload)
		c.Other = append(c.Other, other)
	}
}

// svd reads a short video descriptor. The high bit is for native codes up to
// 64, and belongs to the code above them.
func (d *decoder) svd(b uint8) (v VIC, ok bool) {
	v = VIC{Code: b}
	if b > 128 && b <= 128+64 {
		v = VIC{b & 0x7f, true}
	}
	if v.Code == 0 || v.Code == 128 || v.Code >= 254 {
		d.warn(WarnReserved, "VIC %d", v.Code)
		return v, false
	}
	return v, true
}

// extended decodes a block by its extended tag, if it is a known one and long
// enough.
func (d *decoder) extended(c *CTA, tag uint8, p []byte) bool {
	switch tag {
	case extCapability:
		if len(p) < 1 {
			return false
		}
		c.Capability = &VideoCapability{p[0]&0x80 != 0, p[0]&0x40 != 0, p[0] >> 4 & 3, p[0] >> 2 & 3, p[0] & 3}
	case extColorimetry:
		if len(p) < 2 {
			return false
		}
		c.Colorimetry = colorimetry(p)
	case extHDR:
		if len(p) < 2 {
			return false
		}
		c.HDR = hdr(p)
	case ext420Only:
		for _, b := range p {
			if v, ok := d.svd(b); ok {
				c.YCbCr420Only = append(c.YCbCr420Only, v.Code)
			}
		}
	case extEEODB:
		if len(p) < 1 {
			return false
		}
		c.ExtensionCount = p[0]
	case extHDMIForumSCD:
		return hdmiForum(c, p, 2)
	default:
		return false
	}
	return true
}

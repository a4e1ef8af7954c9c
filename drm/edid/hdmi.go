package edid

import "fmt"

// PhysicalAddress is where a display's input is in a tree of HDMI devices, for
// CEC.
type PhysicalAddress uint16

func (a PhysicalAddress) String() string {
	return fmt.Sprintf("%d.%d.%d.%d", a>>12, a>>8&15, a>>4&15, a&15)
}

// HDMI is the vendor block of HDMI 1.x, that every HDMI display has.
type HDMI struct {
	Address                PhysicalAddress
	AI                     bool // takes ACP, ISRC1 and ISRC2 packets
	Deep48, Deep36, Deep30 bool
	Deep444                bool // deep colour with YCbCr 4:4:4
	DVIDual                bool
	MaxTMDS                int   // MHz, 0 for unknown
	ContentTypes           uint8 // bits: graphics, photo, cinema, game
	// Latencies are in milliseconds, or LatencyUnknown, or LatencyNone.
	VideoLatency, AudioLatency                     int
	InterlacedVideoLatency, InterlacedAudioLatency int
	VICs                                           []uint8 // [HDMITiming] tells what they stand for
	Has3D                                          bool
}

// What a latency is that is no time.
const (
	LatencyUnknown = -1
	LatencyNone    = -2 // there is no such stream
)

// HDMIForum is the vendor block of HDMI 2.x.
type HDMIForum struct {
	Version                            uint8
	MaxTMDS                            int // MHz, 0 for not above 340
	SCDC, ReadRequest                  bool
	Scrambling340                      bool // at 340 MHz and below, too
	Deep420x48, Deep420x36, Deep420x30 bool
	MaxFRL                             uint8 // 0 for none; else the rates 1 to 6 of HDMI 2.1
	ALLM, FVA, QMS                     bool  // auto low latency, fast vactive, quick media switching
	VRRMin, VRRMax                     int   // Hz, 0 for none
	DSC                                bool
}

// The vendors of data blocks, least byte first.
const (
	ouiHDMI      = "\x03\x0c\x00"
	ouiHDMIForum = "\xd8\x5d\xc4"
)

// HDMITiming returns the timing of one of HDMI's own codes.
func HDMITiming(code uint8) (Timing, bool) { return lookup(hdmiVICs[:], code) }

func (d *decoder) vendorBlock(c *CTA, p []byte) bool {
	if len(p) < 5 {
		return false
	}
	switch string(p[:3]) {
	case ouiHDMI:
		c.HDMI = d.hdmi(p)
		return true
	case ouiHDMIForum:
		return hdmiForum(c, p, 3)
	}
	return false
}

// hdmi decodes HDMI's block. What is beyond its end is 0.
func (d *decoder) hdmi(p []byte) *HDMI {
	h := &HDMI{Address: PhysicalAddress(uint16(p[3])<<8 | uint16(p[4]))}
	p = p[5:]
	next := func() (b uint8) {
		if len(p) > 0 {
			b, p = p[0], p[1:]
		}
		return b
	}
	b := next()
	h.AI, h.Deep48, h.Deep36, h.Deep30 = b&0x80 != 0, b&0x40 != 0, b&0x20 != 0, b&0x10 != 0
	h.Deep444, h.DVIDual = b&8 != 0, b&1 != 0
	h.MaxTMDS = 5 * int(next())
	flags := next()
	h.ContentTypes = flags & 15
	latency := func(present bool) int {
		if !present {
			return LatencyUnknown
		}
		return latency(next())
	}
	both, interlaced := flags&0x80 != 0, flags&0xc0 == 0xc0
	h.VideoLatency, h.AudioLatency = latency(both), latency(both)
	h.InterlacedVideoLatency, h.InterlacedAudioLatency = latency(interlaced), latency(interlaced)
	if flags&0x20 == 0 || len(p) == 0 {
		return h
	}
	h.Has3D = next()&0x80 != 0
	n := int(next() >> 5)
	if n > len(p) {
		d.warn(WarnLength, "%d HDMI VICs where %d bytes are left", n, len(p))
		n = len(p)
	}
	h.VICs = append(h.VICs, p[:n]...)
	return h
}

func latency(b uint8) int {
	switch b {
	case 0:
		return LatencyUnknown
	case 255:
		return LatencyNone
	}
	return 2 * (int(b) - 1)
}

// hdmiForum decodes the HDMI Forum's block, whose version is at byte i: after
// an OUI, or two reserved bytes.
func hdmiForum(c *CTA, p []byte, i int) bool {
	if len(p) < i+4 {
		return false
	}
	p = p[i:]
	at := func(i int) uint8 {
		if i < len(p) {
			return p[i]
		}
		return 0
	}
	c.HDMIForum = &HDMIForum{
		Version: p[0], MaxTMDS: 5 * int(p[1]),
		SCDC: p[2]&0x80 != 0, ReadRequest: p[2]&0x40 != 0, Scrambling340: p[2]&8 != 0,
		Deep420x48: p[3]&4 != 0, Deep420x36: p[3]&2 != 0, Deep420x30: p[3]&1 != 0,
		MaxFRL: p[3] >> 4,
		ALLM:   at(4)&2 != 0, FVA: at(4)&4 != 0, QMS: at(4)&0x40 != 0,
		VRRMin: int(at(5) & 0x3f), VRRMax: int(at(5)&0xc0)<<2 | int(at(6)),
		DSC: at(7)&0x80 != 0,
	}
	return true
}

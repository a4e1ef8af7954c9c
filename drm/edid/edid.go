package edid

import (
	"bytes"
	"errors"
	"fmt"
)

// What [Parse] fails with. Anything else wrong is a [Warning].
var (
	// ErrHeader: the bytes do not begin as an EDID does.
	ErrHeader = errors.New("no EDID header")
	// ErrTruncated: there is less than the base block.
	ErrTruncated = errors.New("truncated")
	// ErrTooLong: there are more blocks than an EDID can count.
	ErrTooLong = errors.New("more than 256 blocks")
)

const (
	blockSize = 128
	header    = "\x00\xff\xff\xff\xff\xff\xff\x00"
)

// EDID is what a display says about itself.
type EDID struct {
	Vendor  string // three letters of the PNP registry, such as "DEL"
	Product uint16
	Serial  uint32 // 0 for none; [EDID.SerialText] is the readable one
	Week    int    // of manufacture, 1 to 54, or 0
	Year    int
	// ModelYear: Year is the model's, not that of manufacture.
	ModelYear         bool
	Version, Revision uint8

	Input    Input
	Size     Size
	Gamma    float64 // 0 where an extension has it
	Features Features
	Color    Chromaticity

	Established []Mode     // of the fixed list of EDID, I, II and III
	Standard    []Standard // by size and rate
	Detailed    []Timing   // of the base block, the preferred first
	CVT         []CVT

	Name        string // of the product
	SerialText  string
	Texts       []string
	Limits      *Limits // nil for none
	WhitePoints []WhitePoint

	CTA        []CTA
	DisplayIDs []DisplayID
	BlockMaps  [][]uint8 // the tags of the blocks, by a block map

	Warnings []Warning
}

// WarningKind is what is wrong with an EDID that can be read all the same.
type WarningKind string

// The kinds of warnings.
const (
	WarnChecksum WarningKind = "checksum"          // the bytes do not add up to 0
	WarnLength   WarningKind = "length"            // something reaches beyond what it is in
	WarnExtra    WarningKind = "extra blocks"      // more blocks than are counted
	WarnMissing  WarningKind = "missing blocks"    // fewer blocks than are counted
	WarnUnknown  WarningKind = "unknown extension" // its tag is not known here
	WarnReserved WarningKind = "reserved value"    // no standard says what it means
	WarnText     WarningKind = "bad text"          // bytes that are not printable ASCII
)

// Warning is something wrong that does not keep the rest from being read.
type Warning struct {
	Block int // 0 is the base block
	Kind  WarningKind
	Text  string // where and what
}

func (w Warning) String() string { return fmt.Sprintf("block %d: %s: %s", w.Block, w.Kind, w.Text) }

// decoder collects a result.
type decoder struct {
	EDID
	block   int     // the one being read
	codes   []uint8 // all video codes, in their order
	maps420 []map420
}

func (d *decoder) warn(kind WarningKind, format string, args ...any) {
	d.Warnings = append(d.Warnings, Warning{d.block, kind, fmt.Sprintf(format, args...)})
}

// Parse decodes an EDID with those of its extensions that are there and whole.
//
// Errors: ErrHeader, ErrTruncated, ErrTooLong; then there is no value.
func Parse(b []byte) (EDID, error) {
	switch {
	case !bytes.HasPrefix(b, []byte(header)):
		return EDID{}, fmt.Errorf("edid: %d bytes: %w", len(b), ErrHeader)
	case len(b) < blockSize:
		return EDID{}, fmt.Errorf("edid: %d bytes of a block of %d: %w", len(b), blockSize, ErrTruncated)
	case len(b) > 256*blockSize:
		return EDID{}, fmt.Errorf("edid: %d bytes: %w", len(b), ErrTooLong)
	}
	blocks := len(b) / blockSize
	var d decoder
	d.base(b[:blockSize])
	switch counted := 1 + extensions(b); {
	case counted < blocks:
		d.warn(WarnExtra, "%d blocks where %d are counted", blocks, counted)
	case counted > blocks:
		d.warn(WarnMissing, "%d blocks where %d are counted", blocks, counted)
	}
	if n := len(b) % blockSize; n != 0 {
		d.warn(WarnLength, "%d bytes behind the last whole block", n)
	}
	for i := range blocks {
		d.block = i
		block := b[i*blockSize:][:blockSize]
		if i > 0 {
			d.extension(block)
		}
		d.checksum("block", block)
	}
	d.resolve420()
	return d.EDID, nil
}

// extensions returns how many extensions follow the base block. HDMI 2.1 lets a
// display say 1 where old sources look, and the true number in the first CTA
// extension, its first data block.
func extensions(b []byte) int {
	n := int(b[126])
	if n != 1 || len(b) < 2*blockSize {
		return n
	}
	if c := b[blockSize:]; c[0] == tagCTA && c[1] >= 3 && c[2] >= 7 && c[4]>>5 == ctaExtended && c[4]&0x1f >= 2 && c[5] == extEEODB && c[6] > 1 {
		return int(c[6])
	}
	return n
}

// The tags of extension blocks.
const (
	tagCTA       = 0x02
	tagDisplayID = 0x70
	tagBlockMap  = 0xf0
)

func (d *decoder) extension(b []byte) {
	switch b[0] {
	case tagCTA:
		d.cta(b)
	case tagDisplayID:
		d.displayID(b)
	case tagBlockMap:
		d.BlockMaps = append(d.BlockMaps, bytes.Clone(b[1:127]))
	default:
		d.warn(WarnUnknown, "tag 0x%02x", b[0])
	}
}

// checksum warns if bytes do not add up to 0.
func (d *decoder) checksum(what string, b []byte) {
	var sum uint8
	for _, c := range b {
		sum += c
	}
	if last := b[len(b)-1]; sum != 0 {
		d.warn(WarnChecksum, "%s has 0x%02x, should be 0x%02x", what, last, last-sum)
	}
}

func le16(b []byte) uint16 { return uint16(b[0]) | uint16(b[1])<<8 }

func le32(b []byte) uint32 { return uint32(le16(b)) | uint32(le16(b[2:]))<<16 }

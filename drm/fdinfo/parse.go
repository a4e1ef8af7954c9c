package fdinfo

import (
	"bytes"
	"strconv"
	"strings"
)

// Info is what the text of an open file says. At most one of Client and Buffer
// is there: files of drivers that print nothing have neither.
type Info struct {
	Flags  uint32 // as F_GETFL has them
	Inode  uint64 // 0 before Linux 5.14
	Client *Client
	Buffer *Buffer
}

// Buffer is a dma-buf.
type Buffer struct {
	Size     uint64
	Count    uint64 // descriptors, mappings and the kernel's own references
	Exporter string // exp_name: "drm", or a driver that exports by itself
	Name     string // of anybody who has the dma-buf; empty for none
}

// parser goes through the lines of a text.
type parser struct {
	Info
	line int
	key  string
	seen map[string]bool // keys; the first line of a key wins
}

// Parse parses what [Dir.Read] reads.
//
// Errors: a SyntaxError for a number that is none or does not fit, for a unit
// that the standard does not know, and for a client without a driver. Lines
// that no standard knows are none.
func Parse(text []byte) (Info, error) {
	p := &parser{seen: make(map[string]bool)}
	for len(text) > 0 {
		p.line++
		line, rest, _ := bytes.Cut(text, []byte("\n"))
		key, value, ok := strings.Cut(string(line), ":")
		if ok && !p.seen[key] {
			if key == "name" && p.seen["exp_name"] && p.Buffer != nil {
				// The last line, and all others that the name itself has.
				_, all, _ := strings.Cut(string(text), ":")
				p.Buffer.Name = strings.TrimSuffix(strings.TrimPrefix(all, "\t"), "\n")
				break
			}
			p.seen[key] = true
			p.key = key
			if err := p.pair(strings.TrimLeft(value, " \t")); err != nil {
				return Info{}, err
			}
		}
		text = rest
	}
	if b := p.Buffer; b != nil && !(p.seen["size"] && p.seen["count"] && p.seen["exp_name"]) {
		p.Buffer = nil // another kind of file, with some of the same words
	}
	if p.Client != nil && p.Client.Driver == "" {
		p.key = "drm-driver"
		return Info{}, p.fail("it in the text of a DRM file")
	}
	return p.Info, nil
}

func (p *parser) fail(want string) error {
	return &SyntaxError{Line: p.line, Key: p.key, Want: want}
}

func (p *parser) pair(value string) error {
	switch p.key {
	case "flags":
		v, err := strconv.ParseUint(value, 8, 32)
		if err != nil {
			return p.fail("an octal number of 32 bits")
		}
		p.Flags = uint32(v)
	case "ino":
		return p.number(&p.Inode, value, "")
	case "pos", "mnt_id", "lock":
	case "size", "count", "exp_name":
		if p.Client == nil {
			return p.buffer(value)
		}
	default:
		if p.Buffer == nil {
			return p.client(value)
		}
	}
	return nil
}

// buffer takes a line of a dma-buf, or of a file that is none: then a number
// may be anything, and the buffer is dropped at the end.
func (p *parser) buffer(value string) error {
	if p.Buffer == nil {
		p.Buffer = &Buffer{}
	}
	switch p.key {
	case "size":
		return p.number(&p.Buffer.Size, value, "")
	case "count":
		return p.number(&p.Buffer.Count, value, "")
	}
	p.Buffer.Exporter = value
	return nil
}

// number parses digits and a unit, which the kernel may leave out. The units
// are listed with what they count, as "ns=1 KiB=1024".
func (p *parser) number(to *uint64, value, units string) error {
	digits, unit, _ := strings.Cut(strings.TrimRight(value, " \t"), " ")
	v, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return p.fail("a number of 64 bits")
	}
	factor := uint64(1)
	if unit != "" {
		found := false
		for name := range strings.FieldsSeq(units) {
			if n, f, _ := strings.Cut(name, "="); n == unit {
				factor, err = strconv.ParseUint(f, 10, 64)
				found = err == nil
			}
		}
		if !found {
			return p.fail("one of the units " + strconv.Quote(units))
		}
	}
	if v > ^uint64(0)/factor {
		return p.fail("a number that fits 64 bits with its unit")
	}
	*to = v * factor
	return nil
}

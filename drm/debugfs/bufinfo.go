package debugfs

import (
	"regexp"
	"strings"
)

// Bufinfo is all dma-bufs of the system, and the kernel's own totals.
type Bufinfo struct {
	Buffers []Buffer
	Size    uint64 // bytes of all
}

// Buffer is a dma-buf.
type Buffer struct {
	Size     uint64
	Flags    uint32 // of the file, as F_GETFL
	Mode     uint32 // the kernel's f_mode
	Count    uint64 // descriptors, mappings and the kernel's own references
	Exporter string // exp_name: "drm", or a driver that exports by itself
	Inode    uint64
	Name     string // raw, of anybody who has the dma-buf; "<none>" for none
	// Attachments are the names of the devices that use it.
	Attachments []string
}

const (
	bufinfoTitle = "\nDma-buf Objects:\n"
	bufinfoHead  = "size    \tflags   \tmode    \tcount   \texp_name\tino     \tname\n"

	attachedHead = "\tAttached Devices:\n"
)

// The kernel's formats, of dma_buf_debug_show. A name has 31 bytes at most,
// fewer than the columns before a name, so that no name can begin a buffer.
// Fences are listed between name and attachments.
var (
	bufinfoLine  = regexp.MustCompile(`(?m)^(\d{8,})\t([0-9a-f]{8})\t([0-9a-f]{8})\t(\d{8,})\t([^\t\n]*)\t(\d{8,})\t`)
	bufinfoTotal = regexp.MustCompile(`\nTotal (\d+) objects, (\d+) bytes\n$`)
	bufferTotal  = regexp.MustCompile(`\nTotal (\d+) devices attached\n\n$`)
	fenceLine    = regexp.MustCompile(`\n\t(?:kernel|write|read|bookkeep) fence:`)
)

// ParseBufinfo parses what [Dir.Bufinfo] reads.
func ParseBufinfo(text []byte) (Bufinfo, error) {
	s := &scanner{text: text}
	if !s.literal(bufinfoTitle) || !s.literal(bufinfoHead) {
		return Bufinfo{}, s.fail("the head of bufinfo")
	}
	body := string(s.rest())
	m := bufinfoTotal.FindStringSubmatchIndex(body)
	if m == nil {
		return Bufinfo{}, s.fail("a total at the end")
	}
	var n numbers
	total := parse[uint64](&n, body[m[2]:m[3]], 10)
	info := Bufinfo{Size: parse[uint64](&n, body[m[4]:m[5]], 10)}
	body = body[:m[0]]
	lines := bufinfoLine.FindAllStringSubmatchIndex(body, -1)
	switch {
	case n.err != nil:
		return Bufinfo{}, s.fail("a total at the end: %v", n.err)
	case uint64(len(lines)) != total || total == 0 && body != "" || total > 0 && lines[0][0] != 0:
		return Bufinfo{}, s.fail("%d buffers, found %d", total, len(lines))
	}
	start := s.at
	for i, line := range lines {
		next := len(body)
		if i+1 < len(lines) {
			next = lines[i+1][0]
		}
		s.at = start + line[0]
		b, err := s.buffer(body[line[0]:line[1]], body[line[1]:next])
		if err != nil {
			return Bufinfo{}, err
		}
		info.Buffers = append(info.Buffers, b)
	}
	return info, nil
}

// buffer parses the columns before the name, and what follows them up to the
// next buffer: the name, which may have more lines, fences, attachments and
// their number.
func (s *scanner) buffer(columns, tail string) (Buffer, error) {
	m := bufinfoLine.FindStringSubmatch(columns)
	var n numbers
	b := Buffer{
		Size: parse[uint64](&n, m[1], 10), Flags: parse[uint32](&n, m[2], 16), Mode: parse[uint32](&n, m[3], 16),
		Count: parse[uint64](&n, m[4], 10), Exporter: m[5], Inode: parse[uint64](&n, m[6], 10),
	}
	end := bufferTotal.FindStringSubmatchIndex(tail)
	if end == nil {
		return Buffer{}, s.fail("a buffer that ends with its number of attachments")
	}
	attached := parse[uint64](&n, tail[end[2]:end[3]], 10)
	if n.err != nil {
		return Buffer{}, s.fail("a buffer: %v", n.err)
	}
	// Their number tells which lines are attachments, and not the name's.
	lines := strings.SplitAfter(tail[:end[0]+1], "\n")
	lines = lines[:len(lines)-1] // the rest after the last line break
	fail := s.fail("a buffer with %d attachments", attached)
	if attached >= uint64(len(lines)) {
		return Buffer{}, fail
	}
	head := len(lines) - int(attached) - 1
	if head < 1 || lines[head] != attachedHead {
		return Buffer{}, fail
	}
	for _, line := range lines[head+1:] {
		device, ok := strings.CutPrefix(line, "\t")
		if !ok {
			return Buffer{}, fail
		}
		b.Attachments = append(b.Attachments, strings.TrimSuffix(device, "\n"))
	}
	b.Name = strings.TrimSuffix(strings.Join(lines[:head], ""), "\n")
	if fence := fenceLine.FindStringIndex(b.Name); fence != nil {
		b.Name = b.Name[:fence[0]]
	}
	return b, nil
}

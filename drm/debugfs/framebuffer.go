package debugfs

import (
	"bytes"
	"regexp"
	"strings"
)

// Framebuffer is one of a device's framebuffers.
type Framebuffer struct {
	ID            uint32 // as kms.FBID
	Comm          string // of the thread that made it, raw; "[fbcon]" is the kernel's
	RefCount      uint32
	Format        string // such as "XR24 little-endian (0x34325258)"
	Modifier      uint64
	Width, Height uint32
	Layers        []Layer
}

// Layer is a plane of a framebuffer's pixels.
type Layer struct {
	Width, Height uint32
	Pitch, Offset uint32
	Object        *Object // nil where the driver has no GEM objects
}

// Object is the GEM object behind a layer.
type Object struct {
	Name     uint32 // global, 0 for none
	RefCount uint32
	Start    uint64 // where mmap finds it, in pages
	Size     uint64
	Imported bool
	Shmem    *Shmem // nil for imports since Linux 6.12, and other helpers
}

// Shmem is what drm_gem_shmem_print_info prints.
type Shmem struct {
	PagesPin   uint32
	CountsPins bool // PagesPin was printed: kernels before 6.16 do not count pins
	PagesUse   uint32
	VMapUse    uint32
	Mapped     bool // vaddr is not NULL
}

// The kernel's formats, of drm_framebuffer_print_info and drm_gem_print_info.
// A thread's name has 15 bytes at most. Lines that it forges are too few to
// make up what follows it, all the way to a layer's size.
var (
	fbHead = regexp.MustCompile(`^framebuffer\[(\d+)\]:\n` +
		`\tallocated by = ((?s:.{0,15}?))\n` +
		`\trefcount=(\d+)\n` +
		`\tformat=([^\n]*)\n` +
		`\tmodifier=0x([0-9a-f]+)\n` +
		`\tsize=(\d+)x(\d+)\n` +
		`\tlayers:\n`)
	fbLayer = regexp.MustCompile(`^\t\tsize\[\d+\]=(\d+)x(\d+)\n` +
		`\t\tpitch\[\d+\]=(\d+)\n` +
		`\t\toffset\[\d+\]=(\d+)\n` +
		`\t\tobj\[\d+\]:(\(null\))?\n`)
	fbObject = regexp.MustCompile(`^\t\t\tname=(\d+)\n` +
		`\t\t\trefcount=(\d+)\n` +
		`\t\t\tstart=([0-9a-f]+)\n` +
		`\t\t\tsize=(\d+)\n` +
		`\t\t\timported=(yes|no)\n`)
	// 6.16 and later print the pins.
	fbShmem = regexp.MustCompile(`^(?:\t\t\tpages_pin_count=(\d+)\n)?` +
		`\t\t\tpages_use_count=(\d+)\n` +
		`\t\t\tvmap_use_count=(\d+)\n` +
		`\t\t\tvaddr=([^\n]*)\n`)
	// What other helpers and drivers print of their objects.
	fbOther = regexp.MustCompile(`^\t\t\t[^\n]*\n`)
)

// ParseFramebuffers parses what [Dir.Framebuffers] reads.
func ParseFramebuffers(text []byte) ([]Framebuffer, error) {
	s := &scanner{text: text}
	var fbs []Framebuffer
	for !s.done() {
		fb, err := s.framebuffer()
		if err != nil {
			return nil, err
		}
		fbs = append(fbs, fb)
	}
	return fbs, nil
}

func (s *scanner) framebuffer() (Framebuffer, error) {
	start := *s
	m, ok := s.match(fbHead)
	if !ok {
		return Framebuffer{}, s.fail("a framebuffer")
	}
	var n numbers
	fb := Framebuffer{
		ID: parse[uint32](&n, m[0], 10), Comm: m[1], RefCount: parse[uint32](&n, m[2], 10),
		Format: m[3], Modifier: parse[uint64](&n, m[4], 16),
		Width: parse[uint32](&n, m[5], 10), Height: parse[uint32](&n, m[6], 10),
	}
	for bytes.HasPrefix(s.rest(), []byte("\t")) {
		l, err := s.layer(&n)
		if err != nil {
			return Framebuffer{}, err
		}
		fb.Layers = append(fb.Layers, l)
	}
	if n.err != nil {
		return Framebuffer{}, start.fail("a framebuffer: %v", n.err)
	}
	return fb, nil
}

func (s *scanner) layer(n *numbers) (Layer, error) {
	m, ok := s.match(fbLayer)
	if !ok {
		return Layer{}, s.fail("a layer")
	}
	l := Layer{
		Width: parse[uint32](n, m[0], 10), Height: parse[uint32](n, m[1], 10),
		Pitch: parse[uint32](n, m[2], 10), Offset: parse[uint32](n, m[3], 10),
	}
	if m[4] != "" {
		return l, nil
	}
	m, ok = s.match(fbObject)
	if !ok {
		return Layer{}, s.fail("an object")
	}
	l.Object = &Object{
		Name: parse[uint32](n, m[0], 10), RefCount: parse[uint32](n, m[1], 10),
		Start: parse[uint64](n, m[2], 16), Size: parse[uint64](n, m[3], 10),
		Imported: m[4] == "yes",
	}
	if m, ok = s.match(fbShmem); ok {
		l.Object.Shmem = &Shmem{
			CountsPins: m[0] != "",
			PagesUse:   parse[uint32](n, m[1], 10), VMapUse: parse[uint32](n, m[2], 10),
			Mapped: strings.Trim(m[3], "0") != "" && m[3] != "(null)",
		}
		if m[0] != "" {
			l.Object.Shmem.PagesPin = parse[uint32](n, m[0], 10)
		}
	}
	for ok := true; ok; {
		_, ok = s.match(fbOther)
	}
	return l, nil
}

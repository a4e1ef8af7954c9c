package debugfs

import "regexp"

// GEMName is an object that has a global name, C's flink.
type GEMName struct {
	Name     uint32
	Size     uint64
	Handles  uint32 // of all files, and since Linux 6.12 framebuffers
	RefCount uint32
}

const gemNamesHead = "  name     size handles refcount\n"

var gemNamesLine = regexp.MustCompile(`^ *(\d+) +(\d+) +(\d+) +(\d+)\n`)

// ParseGEMNames parses what [Dir.GEMNames] reads.
func ParseGEMNames(text []byte) ([]GEMName, error) {
	s := &scanner{text: text}
	if !s.literal(gemNamesHead) {
		return nil, s.fail("%q", gemNamesHead)
	}
	var names []GEMName
	for !s.done() {
		start := *s
		m, ok := s.match(gemNamesLine)
		if !ok {
			return nil, s.fail("four numbers")
		}
		var n numbers
		names = append(names, GEMName{
			Name: parse[uint32](&n, m[0], 10), Size: parse[uint64](&n, m[1], 10),
			Handles: parse[uint32](&n, m[2], 10), RefCount: parse[uint32](&n, m[3], 10),
		})
		if n.err != nil {
			return nil, start.fail("four numbers: %v", n.err)
		}
	}
	return names, nil
}

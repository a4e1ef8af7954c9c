package layout

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Archs are the architectures, as GOARCH names them, that there is a golden of.
var Archs = []string{"386", "amd64", "arm", "arm64", "riscv64"}

// golden is what a C compiler says.
type golden struct {
	structs []*cStruct
	ioctls  []number
	consts  []number
}

// cStruct is a structure or union; a union's fields have paths for names.
type cStruct struct {
	name   string
	union  bool
	size   uintptr
	fields []cField
}

type cField struct {
	name         string
	offset, size uintptr
}

type number struct {
	name  string
	value uint64
}

// readGolden reads layout-ARCH.txt in the folder dir.
func readGolden(dir, arch string) (*golden, error) {
	file := filepath.Join(dir, "layout-"+arch+".txt")
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	g := new(golden)
	for i, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		if err := g.add(line); err != nil {
			return nil, fmt.Errorf("%s:%d: %q: %w", file, i+1, line, err)
		}
	}
	return g, nil
}

// add adds a line. A field belongs to the structure before it.
func (g *golden) add(line string) error {
	kind, rest, _ := strings.Cut(line, " ")
	switch {
	case kind == "#":
		return nil
	case kind == "struct" || kind == "union":
		s := &cStruct{union: kind == "union"}
		g.structs = append(g.structs, s)
		_, err := fmt.Sscanf(rest, "%s %d", &s.name, &s.size)
		return err
	case kind == "ioctl" || kind == "const":
		var n number
		to := &g.ioctls
		if kind == "const" {
			to = &g.consts
		}
		_, err := fmt.Sscanf(rest, "%s 0x%x", &n.name, &n.value)
		*to = append(*to, n)
		return err
	case strings.HasPrefix(line, "\t") && len(g.structs) > 0:
		var f cField
		_, err := fmt.Sscanf(line, "\t%s %d %d", &f.name, &f.offset, &f.size)
		s := g.structs[len(g.structs)-1]
		s.fields = append(s.fields, f)
		return err
	}
	return fmt.Errorf("is neither a structure, a field, an ioctl nor a constant")
}

func (g *golden) find(name string) *cStruct {
	for _, s := range g.structs {
		if s.name == name {
			return s
		}
	}
	return nil
}

// lookup finds a number by its C name.
func lookup(all []number, name string) (uint64, bool) {
	for _, n := range all {
		if n.name == name {
			return n.value, true
		}
	}
	return 0, false
}

// named tells whether Go's name is C's, or the tail of it: FBID is fb_id, and
// Major is version_major.
func named(goName, c string) bool {
	return strings.HasSuffix(plain(c), plain(goName))
}

func plain(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "", ".", "").Replace(name))
}

// isPadding tells whether C's field is one that Go may leave blank.
func (f cField) isPadding() bool {
	return plain(f.name) == "pad" || plain(f.name) == "reserved"
}

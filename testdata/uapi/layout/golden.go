package layout

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
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
	word := strings.Fields(line)
	if strings.HasPrefix(line, "#") {
		return nil
	}
	if len(word) != 3 {
		return fmt.Errorf("%d words, want 3", len(word))
	}
	n, err := strconv.ParseUint(word[2], 0, 32)
	if err != nil {
		return err
	}
	switch {
	case strings.HasPrefix(line, "\t") && len(g.structs) > 0:
		offset, err := strconv.ParseUint(word[1], 0, 32)
		if err != nil {
			return err
		}
		s := g.structs[len(g.structs)-1]
		s.fields = append(s.fields, cField{word[0], uintptr(offset), uintptr(n)})
	case word[0] == "struct" || word[0] == "union":
		g.structs = append(g.structs, &cStruct{name: word[1], union: word[0] == "union", size: uintptr(n)})
	case word[0] == "ioctl":
		g.ioctls = append(g.ioctls, number{word[1], n})
	case word[0] == "const":
		g.consts = append(g.consts, number{word[1], n})
	default:
		return fmt.Errorf("is neither a structure, a field, an ioctl nor a constant")
	}
	return nil
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
	return goName != "_" && strings.HasSuffix(plain(c), plain(goName))
}

// plain is a name without what the two languages write differently.
func plain(name string) string {
	return strings.ToLower(strings.Map(func(r rune) rune {
		if r == '_' || r == '.' {
			return -1
		}
		return r
	}, name))
}

// isPadding tells whether C's field is one that Go may leave blank.
func (f cField) isPadding() bool {
	return plain(f.name) == "pad" || plain(f.name) == "reserved"
}

package layout

import (
	"bytes"
	"maps"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// Bound is what a uapi package declares. It is generated.
type Bound struct {
	Structs []Struct
	Ops     []Op
	Consts  []Const
}

// Struct is a Go structure and C's name for it, or "" for what is none in C: an
// argument whose size an ioctl's number says, or something made of others.
type Struct struct {
	C    string
	Type reflect.Type
}

// Op is an ioctl.
type Op struct {
	Name    string
	Request uint32
}

// Const is a constant and C's name for it, or "" where that is not known.
type Const struct {
	Name, C string
	Value   uint64
}

// Check compares what the package in the current folder declares with the
// golden of this architecture, in the folder goldens. What is in the golden and
// in the package's headers, of which own knows the names, must be there, too.
func Check(t *testing.T, goldens string, bound Bound, own func(c string) bool) {
	fresh(t, goldens)
	g, err := readGolden(goldens, runtime.GOARCH)
	if os.IsNotExist(err) {
		t.Skipf("nobody has asked a C compiler about %s", runtime.GOARCH)
	} else if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]bool)
	for _, s := range bound.Structs {
		if s.C == "" {
			if !isArgument(s.Type, bound.Ops) && !isMade(s.Type, bound.Structs) {
				t.Errorf("%v: its comment does not say which structure of C it is", s.Type)
			}
			continue
		}
		found[s.C] = true
		if c := g.find(s.C); c != nil {
			compare(t, s.Type, c)
		} else {
			t.Errorf("%v: layout.c does not ask about %s", s.Type, s.C)
		}
	}
	for _, op := range bound.Ops {
		name := op.Name
		want, ok := lookup(g.ioctls, name)
		if !ok {
			name = "DRM_IOCTL_" + name
			want, ok = lookup(g.ioctls, name)
		}
		found[name] = true
		if !ok {
			t.Errorf("ioctl %s: layout.c does not ask about it", op.Name)
		} else if uint64(op.Request) != want {
			t.Errorf("ioctl %s is %#x, in C %#x", op.Name, op.Request, want)
		}
	}
	for _, c := range bound.Consts {
		if want, ok := lookup(g.consts, c.C); !ok {
			t.Errorf("constant %s: no comment of its says C's name, or layout.c does not ask about %q", c.Name, c.C)
		} else if c.Value != want {
			t.Errorf("constant %s is %#x, in C %#x", c.Name, c.Value, want)
		}
	}
	for _, s := range g.structs {
		if own(s.name) && !found[s.name] {
			t.Errorf("nothing here is C's %s", s.name)
		}
	}
	for _, n := range g.ioctls {
		if own(n.name) && !found[n.name] {
			t.Errorf("nothing here is C's %s", n.name)
		}
	}
}

// fresh fails if the generated files are not those that Generate makes now, so
// that a structure, ioctl or constant that is not compared cannot be.
func fresh(t *testing.T, goldens string) {
	files, err := Generate(".", goldens)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if got, err := os.ReadFile(name); err != nil || !bytes.Equal(got, files[name]) {
			t.Errorf("%s is stale: run go generate", name)
		}
	}
}

// isArgument tells whether an op's number says the size of a structure that C
// does not have.
func isArgument(typ reflect.Type, ops []Op) bool {
	return slices.ContainsFunc(ops, func(op Op) bool {
		return strings.EqualFold(plain(op.Name), typ.Name()) && uintptr(op.Request>>16&0x3fff) == typ.Size()
	})
}

// isMade tells whether a structure that C does not have is made of such as C
// has, and of arrays of them.
func isMade(typ reflect.Type, structs []Struct) bool {
	for i := range typ.NumField() {
		f := typ.Field(i).Type
		if f.Kind() == reflect.Array {
			f = f.Elem()
		}
		if f.Size() != 0 && !slices.ContainsFunc(structs, func(s Struct) bool { return s.C != "" && s.Type == f }) {
			return false
		}
	}
	return true
}

// compare compares a structure field by field, in C's order. Padding may be
// blank in Go, and have no name in C.
func compare(t *testing.T, typ reflect.Type, c *cStruct) {
	if typ.Size() != c.size {
		t.Errorf("%v has %d bytes, %s %d", typ, typ.Size(), c.name, c.size)
	}
	if c.union {
		compareUnion(t, typ, c)
		return
	}
	left, end := c.fields, uintptr(0)
	for i := range typ.NumField() {
		f := typ.Field(i)
		size := f.Type.Size()
		switch {
		case size == 0: // structs.HostLayout, and padding that 386 has not
		case f.Name == "_" && (len(left) == 0 || f.Offset+size <= left[0].offset):
			if f.Offset < end {
				t.Errorf("%v: padding at %d is where %s has a field", typ, f.Offset, c.name)
			}
		case len(left) == 0:
			t.Errorf("%v.%s: %s has no such field", typ, f.Name, c.name)
		default:
			want := left[0]
			left, end = left[1:], want.offset+want.size
			if !named(f.Name, want.name) && !(f.Name == "_" && want.isPadding()) {
				t.Errorf("%v.%s stands where %s has %s", typ, f.Name, c.name, want.name)
			} else if f.Offset != want.offset || size != want.size {
				t.Errorf("%v.%s is at %d and has %d bytes, %s.%s %d and %d", typ, f.Name, f.Offset, size, c.name, want.name, want.offset, want.size)
			}
		}
	}
	for _, f := range left {
		if f.size != 0 {
			t.Errorf("%v has no field for %s.%s", typ, c.name, f.name)
		} else if f.offset != typ.Size() { // an array without a length
			t.Errorf("what follows %v is not at %d, where %s.%s is", typ, f.offset, c.name, f.name)
		}
	}
}

// compareUnion looks for each field of Go in any of the union's structures.
func compareUnion(t *testing.T, typ reflect.Type, c *cStruct) {
next:
	for i := range typ.NumField() {
		f := typ.Field(i)
		for _, want := range c.fields {
			if named(f.Name, want.name) && f.Offset == want.offset && f.Type.Size() == want.size {
				continue next
			}
		}
		if f.Type.Size() != 0 {
			t.Errorf("%v.%s: %s has no such field of %d bytes at %d", typ, f.Name, c.name, f.Type.Size(), f.Offset)
		}
	}
}

// CheckConsts compares constants by their C names, and wants all of the golden
// whose C names start with prefix.
func CheckConsts(t *testing.T, goldens, prefix string, consts map[string]uint64) {
	g, err := readGolden(goldens, "amd64")
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range consts {
		if want, ok := lookup(g.consts, name); !ok || value != want {
			t.Errorf("%s is %#x, in C %#x", name, value, want)
		}
	}
	for _, n := range g.consts {
		if _, ok := consts[n.name]; !ok && strings.HasPrefix(n.name, prefix) {
			t.Errorf("nothing here is C's %s", n.name)
		}
	}
}

package layout

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// source is what a uapi package declares.
type source struct {
	name    string
	structs []goStruct
	ops     []DeclaredOp
	consts  []goConst
}

// DeclaredOp is a variable of a uapi package that is an ioctl.
type DeclaredOp struct {
	Var  string
	Name string // the ioctl's, as in [Op]
}

// Ops returns the ioctls that the package in the folder dir declares.
func Ops(dir string) ([]DeclaredOp, error) {
	src, err := parse(dir)
	if err != nil {
		return nil, err
	}
	return src.ops, nil
}

// goStruct is a structure, with C's name if its comment says that.
type goStruct struct {
	name, c string
	fields  []string // without blank ones
	pos     string
}

// goConst is an exported constant, with C's name if a comment says that.
type goConst struct{ name, c string }

// Structures name theirs so: "Version is struct drm_version."
var (
	structDoc = regexp.MustCompile(`^\w+ is (?:struct|union) (\w+)`)
	constDoc  = regexp.MustCompile(`\b_?(?:DRM|DMA|SYNC|UDMABUF|FORMAT)_\w+\b`)
)

// parse reads the package in the folder dir, for all architectures.
func parse(dir string) (*source, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	var src source
	set := token.NewFileSet()
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(set, file, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		src.name = f.Name.Name
		for _, decl := range f.Decls {
			if d, ok := decl.(*ast.GenDecl); ok {
				src.declaration(d, filepath.Base(file))
			}
		}
	}
	if src.name == "" {
		return nil, &fs.PathError{Op: "parse", Path: dir, Err: fs.ErrNotExist}
	}
	return &src, nil
}

func (src *source) declaration(d *ast.GenDecl, file string) {
	for _, spec := range d.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			if t, ok := spec.Type.(*ast.StructType); ok {
				src.structure(spec, t, d, file)
			}
		case *ast.ValueSpec:
			for i, name := range spec.Names {
				switch {
				case d.Tok == token.VAR && len(spec.Values) > i:
					if op := opName(spec.Values[i]); op != "" {
						src.ops = append(src.ops, DeclaredOp{name.Name, op})
					}
				case d.Tok == token.CONST && name.IsExported():
					doc := spec.Comment.Text() + spec.Doc.Text()
					if !d.Lparen.IsValid() {
						doc += d.Doc.Text()
					}
					src.consts = append(src.consts, goConst{name.Name, constDoc.FindString(doc)})
				}
			}
		}
	}
}

// structure adds a structure, once for all files that have it.
func (src *source) structure(spec *ast.TypeSpec, t *ast.StructType, d *ast.GenDecl, file string) {
	if slices.ContainsFunc(src.structs, func(s goStruct) bool { return s.name == spec.Name.Name }) {
		return
	}
	s := goStruct{name: spec.Name.Name, pos: file}
	doc := d.Doc.Text()
	if spec.Doc != nil {
		doc = spec.Doc.Text()
	}
	if m := structDoc.FindStringSubmatch(doc); m != nil {
		s.c = m[1]
	}
	for _, f := range t.Fields.List {
		for _, name := range f.Names {
			if name.Name != "_" {
				s.fields = append(s.fields, name.Name)
			}
		}
	}
	src.structs = append(src.structs, s)
}

// opName returns the name in a call of one of package ioctl's functions, or ""
// for any other value.
func opName(value ast.Expr) string {
	call, ok := value.(*ast.CallExpr)
	if !ok || len(call.Args) == 0 {
		return ""
	}
	fun := call.Fun
	if index, ok := fun.(*ast.IndexExpr); ok {
		fun = index.X
	}
	sel, ok := fun.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	name, ok := call.Args[0].(*ast.BasicLit)
	if pkg, isIdent := sel.X.(*ast.Ident); !ok || !isIdent || pkg.Name != "ioctl" {
		return ""
	}
	text, _ := strconv.Unquote(name.Value)
	return text
}

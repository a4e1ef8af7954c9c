//go:build linux

package vm

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// moduleTree answers what a kernel's modules.dep and modules.builtin say.
// Modules are named as the kernel names them, with underscores.
type moduleTree struct {
	dir     string
	files   map[string]string   // module → file, relative to dir
	deps    map[string][]string // module → modules it needs
	builtin map[string]bool
}

// errNoModule is returned for a module that the kernel does not have at all.
var errNoModule = errors.New("no such kernel module")

// readModuleTree reads dir. An empty dir is a kernel without modules, of
// which nothing is known.
func readModuleTree(dir string) (*moduleTree, error) {
	t := &moduleTree{dir: dir, files: map[string]string{}, deps: map[string][]string{}, builtin: map[string]bool{}}
	if dir == "" {
		return t, nil
	}
	err := eachLine(filepath.Join(dir, "modules.builtin"), func(line string) {
		t.builtin[moduleName(line)] = true
	})
	if err != nil {
		return nil, fmt.Errorf("kernel modules: %w", err)
	}
	// A driver that cannot be a module (udmabuf) is not in that list, but if it
	// has parameters or an author it is in this one.
	modinfo, err := os.ReadFile(filepath.Join(dir, "modules.builtin.modinfo"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("kernel modules: %w", err)
	}
	for entry := range strings.SplitSeq(string(modinfo), "\x00") {
		if name, _, ok := strings.Cut(entry, "."); ok {
			t.builtin[moduleName(name)] = true
		}
	}
	err = eachLine(filepath.Join(dir, "modules.dep"), func(line string) {
		file, deps, _ := strings.Cut(line, ":")
		name := moduleName(file)
		t.files[name] = file
		for _, d := range strings.Fields(deps) {
			t.deps[name] = append(t.deps[name], moduleName(d))
		}
	})
	// A kernel with CONFIG_MODULES=n has no modules.dep.
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("kernel modules: %w", err)
	}
	return t, nil
}

// known reports whether the tree says anything.
func (t *moduleTree) known() bool { return t.dir != "" }

// has reports whether the kernel has the module, loadable or built in.
func (t *moduleTree) has(name string) bool {
	name = moduleName(name)
	return t.builtin[name] || t.files[name] != ""
}

// closure returns the modules to load for want, each after those it needs and
// none twice. What is built in needs no loading.
func (t *moduleTree) closure(want []string) ([]string, error) {
	var order []string
	state := map[string]int{} // 1: being visited, 2: done
	var visit func(name string) error
	visit = func(name string) error {
		switch {
		case t.builtin[name] || state[name] == 2:
			return nil
		case state[name] == 1:
			return fmt.Errorf("kernel modules: %s depends on itself", name)
		case t.files[name] == "":
			return fmt.Errorf("%w: %s", errNoModule, name)
		}
		state[name] = 1
		for _, d := range t.deps[name] {
			if err := visit(d); err != nil {
				return err
			}
		}
		state[name] = 2
		order = append(order, name)
		return nil
	}
	for _, name := range want {
		if err := visit(moduleName(name)); err != nil {
			return nil, err
		}
	}
	return order, nil
}

// moduleName is the kernel's name of a module, from that name in either
// spelling or from the path of its file.
func moduleName(file string) string {
	name, _, _ := strings.Cut(path.Base(file), ".ko")
	return strings.ReplaceAll(name, "-", "_")
}

func eachLine(file string, f func(string)) error {
	r, err := os.Open(file)
	if err != nil {
		return err
	}
	defer r.Close()
	s := bufio.NewScanner(r)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		if line := strings.TrimSpace(s.Text()); line != "" {
			f(line)
		}
	}
	return s.Err()
}

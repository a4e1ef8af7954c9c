//go:build linux

package vm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
)

// initMarker tells gemtool, started as process 1, that it is in an image of
// ours. It holds the modules that init needs to reach the host at all, as a
// JSON list of guestModule.
const initMarker = "/.gemtool-init"

// moduleDir is where the image keeps kernel modules.
const moduleDir = "/lib/gemtool-modules"

// plan is what a Config comes to on this machine.
type plan struct {
	qemu    *qemu
	kernel  kernel
	mods    *moduleTree
	early   []string // modules that init loads before it knows its configuration
	devices []string // for QEMU's -device
	mounts  []Dir    // shared by 9p
	packed  []Dir    // packed into the image
	guest   guestConfig
}

func newPlan(ctx context.Context, cfg *Config, kern kernel, q *qemu) (*plan, error) {
	if len(cfg.Args) == 0 {
		return nil, errors.New("vm: no program to run")
	}
	p := &plan{qemu: q, kernel: kern}
	prog, err := findProgram(cfg.Args[0])
	if err != nil {
		return nil, err
	}
	if p.mods, err = readModuleTree(kern.modules); err != nil {
		return nil, err
	}
	devs, err := chooseDevices(cfg.Devices, p.mods, q.has)
	if err != nil {
		return nil, err
	}
	if len(devs.leftOut) > 0 {
		fmt.Fprintf(cfg.Log, "gemtool: vm: left out: %s\n", strings.Join(devs.leftOut, ", "))
	}
	p.devices = devs.qemu
	if err := p.share(cfg); err != nil {
		return nil, err
	}
	if err := p.chooseModules(cfg, devs.modules); err != nil {
		return nil, err
	}
	p.guest.Args = append([]string{prog}, cfg.Args[1:]...)
	p.guest.Chdir = cfg.Chdir
	p.guest.User = cfg.User
	p.guest.Env = lastOfEach(append([]string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOME=/tmp",
		"GEMTOOL_VM=1",
	}, cfg.Env...))
	return p, nil
}

// lastOfEach keeps the last entry of each name: getenv(3) takes the first.
func lastOfEach(env []string) []string {
	last := map[string]int{}
	name := func(entry string) string {
		n, _, _ := strings.Cut(entry, "=")
		return n
	}
	for i, entry := range env {
		last[name(entry)] = i
	}
	var kept []string
	for i, entry := range env {
		if last[name(entry)] == i {
			kept = append(kept, entry)
		}
	}
	return kept
}

func (p *plan) share(cfg *Config) error {
	dirs, err := resolveDirs(cfg.Dirs)
	if err != nil {
		return err
	}
	pack, err := usePack(cfg.Share, p.mods, p.qemu.has)
	if err != nil {
		return err
	}
	if pack {
		p.packed = dirs
		for _, d := range dirs {
			if !d.ReadOnly {
				p.guest.Packed = append(p.guest.Packed, d.Guest)
			}
		}
		return nil
	}
	p.mounts = dirs
	for i, d := range dirs {
		p.guest.Mounts = append(p.guest.Mounts, guestMount{Tag: mountTag(i), Path: d.Guest, ReadOnly: d.ReadOnly})
	}
	return nil
}

func mountTag(i int) string { return fmt.Sprintf("gemtool%d", i) }

// chooseModules fills in what init loads early and what later.
func (p *plan) chooseModules(cfg *Config, want []string) (err error) {
	if !p.mods.known() {
		if len(cfg.Load) > 0 {
			return configError("--load: the kernel has no module directory; pass --modules DIR")
		}
		return nil
	}
	if p.early, err = p.mods.closure([]string{"virtio_pci", "virtio_console"}); err != nil {
		return fmt.Errorf("this kernel cannot talk to the host: %w", err)
	}
	// What is wanted is about devices.
	if len(want) > 0 {
		want = append(want, slices.DeleteFunc(slices.Clone(cfg.Wanted), func(m string) bool { return !p.mods.has(m) })...)
	}
	if len(p.mounts) > 0 {
		want = append(want, "9p", "9pnet_virtio")
	}
	options := map[string]string{}
	for _, m := range cfg.Load {
		if !p.mods.has(m.Name) {
			return configError("--load: %w: %s", errNoModule, m.Name)
		}
		if p.mods.builtin[moduleName(m.Name)] && m.Options != "" {
			return configError("--load %s: built into this kernel, so its options belong to --append", m.Name)
		}
		want = append(want, m.Name)
		options[moduleName(m.Name)] = m.Options
	}
	order, err := p.mods.closure(want)
	if err != nil {
		return err
	}
	for _, name := range order {
		if !slices.Contains(p.early, name) {
			p.guest.Modules = append(p.guest.Modules, guestModule{modulePath(name), options[name]})
		}
	}
	return nil
}

func modulePath(name string) string { return path.Join(moduleDir, name+".ko") }

// buildImage writes the initramfs. The caller closes the file.
func (p *plan) buildImage(cfg *Config) (_ *os.File, err error) {
	im, err := newImage()
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			im.file.Close()
		}
	}()
	if err := p.fillImage(im, cfg); err != nil {
		return nil, err
	}
	return im.finish()
}

func (p *plan) fillImage(im *image, cfg *Config) error {
	initProg, err := cfg.initPath()
	if err != nil {
		return err
	}
	var early []guestModule
	for _, name := range p.early {
		early = append(early, guestModule{Path: modulePath(name)})
	}
	marker, err := json.Marshal(early)
	if err != nil {
		return err
	}
	steps := []func() error{
		func() error { return im.skeleton() },
		func() error { return im.text(initMarker, string(marker)) },
		func() error { return im.program(initProg) },
		func() error { return im.symlink("/init", initProg) },
		func() error { return im.program(p.guest.Args[0]) },
	}
	for _, f := range steps {
		if err := f(); err != nil {
			return err
		}
	}
	for _, m := range append(early, p.guest.Modules...) {
		data, err := p.mods.read(moduleName(m.Path))
		if err != nil {
			return err
		}
		if err := im.text(m.Path, string(data)); err != nil {
			return err
		}
	}
	for _, d := range p.packed {
		if err := im.pack(d); err != nil {
			return err
		}
	}
	return nil
}

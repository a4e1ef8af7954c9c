package conformance

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm"
)

// Cases that unload the module of a driver.
var moduleCases = []Case{
	{ID: "C27", Title: "vgem stays loaded while a dma-buf or only its mapping lives", Needs: Needs{Drivers: []string{"vgem"}, ThrowAway: true}, Run: unloadShared},
	{ID: "M06", Title: "vkms stays loaded while a file of it is open", Needs: Needs{Drivers: []string{"vkms"}, ThrowAway: true}, Run: unloadOpen},
}

// module is a loaded module that a case may unload. It is loaded again, with
// the options that it had, when the case ends.
type module struct {
	t       T
	name    string
	options string
	path    string // of the card node of its device
}

func (e *Env) module(t T) *module {
	t.Helper()
	throwAway(t)
	m := &module{t: t, name: e.Driver, path: e.Path}
	if !m.loaded() {
		t.Skipf("%s is built into this kernel", m.name)
	}
	if m.name == "vkms" && e.Kernel.Less(Kernel{7, 0}) && runtime.NumCPU() > 1 {
		t.Skipf("up to Linux 6.12 vkms can hang when it goes and there is more than one CPU")
	}
	parameters, _ := filepath.Glob(filepath.Join("/sys/module", m.name, "parameters/*"))
	for _, p := range parameters {
		value, err := os.ReadFile(p)
		if err != nil {
			t.Fatalf("%v", err)
		}
		m.options += fmt.Sprintf("%s=%s ", filepath.Base(p), strings.TrimSpace(string(value)))
	}
	t.Cleanup(m.load)
	return m
}

// loaded says whether the module is there. What is built in has no state.
func (m *module) loaded() bool {
	_, err := os.Stat(filepath.Join("/sys/module", m.name, "initstate"))
	return err == nil
}

// unload is rmmod.
func (m *module) unload() error { return unix.DeleteModule(m.name, unix.O_NONBLOCK) }

// mustUnload is unload when nothing is left of what the case had. The kernel's
// last reference may go in a worker of its own.
func (m *module) mustUnload() {
	m.t.Helper()
	err := m.unload()
	for wait := time.Millisecond; errors.Is(err, unix.EAGAIN) && wait < 2*time.Second; wait *= 2 {
		time.Sleep(wait)
		err = m.unload()
	}
	wantErr(m.t, "unloading "+m.name, err, nil)
	if _, err := os.Stat(m.path); err == nil {
		m.t.Errorf("%s is still there", m.path)
	}
}

// load loads the module where that is to be done, and looks for its node.
func (m *module) load() {
	if !m.loaded() {
		// Where "gemtool vm" puts the modules of its guest.
		f, err := os.Open(filepath.Join("/lib/gemtool-modules", m.name+".ko"))
		if err != nil {
			m.t.Errorf("%s cannot be loaded again: %v", m.name, err)
			return
		}
		defer f.Close()
		wantErr(m.t, "loading "+m.name, unix.FinitModule(int(f.Fd()), m.options, 0), nil)
	}
	target, err := newTarget(drm.Info{}, drm.Node{Path: m.path})
	if err != nil || target.Driver != m.name {
		m.t.Errorf("%s is of %s, %v, want %s", m.path, target.Driver, err, m.name)
	}
}

func unloadShared(t T, env *Env) {
	m := env.module(t)
	dev := env.openShortly(t)
	b, err := dev.CreateDumb(pageSize/4, 4, 32)
	if err != nil {
		t.Fatalf("%v", err)
	}
	fd := export(t, dev, b.Handle)
	wantErr(t, "unloading with an open file", m.unload(), unix.EAGAIN)
	wantErr(t, "DestroyDumb", dev.DestroyDumb(b.Handle), nil)
	wantErr(t, "Close", dev.Close(), nil)
	wantErr(t, "unloading with a dma-buf", m.unload(), unix.EAGAIN)
	mapping, err := rawMmap(fd, 0, int(b.Size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		t.Fatalf("mmap: %v", err)
	}
	number(mapping)
	wantErr(t, "close of the dma-buf", fd.Close(), nil)
	wantErr(t, "unloading with a mapping of a dma-buf", m.unload(), unix.EAGAIN)
	wantNumbers(t, "the last mapping", mapping)
	wantErr(t, "munmap", unix.Munmap(mapping), nil)
	m.mustUnload()
}

func unloadOpen(t T, env *Env) {
	m := env.module(t)
	dev := env.openShortly(t)
	wantErr(t, "unloading with an open file", m.unload(), unix.EAGAIN)
	b, err := dev.CreateDumb(pageSize/4, 4, 32)
	if err != nil {
		t.Fatalf("%v", err)
	}
	offset, err := dev.MapDumb(b.Handle)
	wantErr(t, "MapDumb", err, nil)
	mapping, err := dev.Mmap(offset, b.Size)
	if err != nil {
		t.Fatalf("%v", err)
	}
	number(mapping)
	wantErr(t, "Close", dev.Close(), nil)
	wantErr(t, "unloading with a mapping", m.unload(), unix.EAGAIN)
	wantNumbers(t, "the last mapping", mapping)
	wantErr(t, "Munmap", drm.Munmap(mapping), nil)
	m.mustUnload()
}

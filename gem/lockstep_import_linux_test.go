package gem_test

import (
	"errors"
	"testing"

	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/gem"
	"github.com/gemtool/gemtool/gem/conformance"
	"github.com/gemtool/gemtool/gem/internal/oracle"
	"github.com/gemtool/gemtool/prime"
)

// TestLockstepImport passes if the library and the kernel treat an import alike:
// neither pins it, neither has counters for it, and a map of it is a map of its
// exporter, where it is counted. How often differs: the kernel's dma-buf keeps
// one map for all of its importers, and so counts them once, while the library
// goes to the exporter's memory each time. Linux 6.1 has a count on the import,
// too, which mainline has given up.
//
// Cases F02, F12, F13
func TestLockstepImport(t *testing.T) {
	drmtest.GuardKernelLog(t)
	drmtest.CheckLeaks(t)
	openOracle(t).Close()
	kernel, err := conformance.RunningKernel()
	if err != nil {
		t.Fatal(err)
	}
	countsImports := kernel.Less(conformance.Kernel{Major: 6, Minor: 12})
	vkms, vgem := drmtest.RequireDevice(t, "vkms"), drmtest.RequireDevice(t, "vgem")
	p, err := newPair(t, vkms)
	if err != nil {
		t.Fatal(err)
	}
	defer p.end()
	if kind, err := p.export(); err != nil {
		t.Fatalf("%s: %v", kind, err)
	}
	imported, err := gem.StoreOf(vgem).Import(p.shared)
	if err != nil {
		t.Fatal(err)
	}
	defer imported.Close()
	fd, err := vkms.HandleToFD(p.twin)
	if err != nil {
		t.Fatal(err)
	}
	defer fd.Close()
	h, err := vgem.FDToHandle(fd)
	if err != nil {
		t.Fatal(err)
	}
	defer vgem.CloseHandle(h)
	twin := p.o.Object(vgem, h)

	if err := imported.Pin(p.ctx); !errors.Is(err, gem.ErrImported) {
		t.Errorf("the library's pin: %v", err)
	}
	if err := twin.Pin(); !errors.Is(err, oracle.ErrImported) {
		t.Errorf("the kernel's pin: %v", err)
	}
	var maps []gem.Map
	compare := func() {
		t.Helper()
		n := uint32(len(maps))
		if s, ok, err := imported.Stats(p.ctx); ok || err != nil {
			t.Errorf("the library has counters for an import: %+v, %v", s, err)
		}
		own := oracle.State{DMABuf: true, Imported: true}
		k, err := twin.State()
		own.SGT, own.CountsPins = k.SGT, k.CountsPins // the exporter's table, mapped; 7.2 leaves that out
		if countsImports {
			own.VMapUse, own.VAddr = n, n > 0
		}
		if err != nil || k != own {
			t.Errorf("the kernel counts %+v on the import with %d maps, %v, want %+v", k, n, err, own)
		}
		s, ok, err := p.obj.Stats(p.ctx)
		if err != nil || !ok || s.VMapUse != n || s.PagesPin != min(n, 1) || s.PagesUse != min(n, 1) {
			t.Errorf("the library counts P=%d U=%d V=%d on the exporter with %d maps of the import: %v, %v", s.PagesPin, s.PagesUse, s.VMapUse, n, ok, err)
		}
		if k, err = p.x.State(); err != nil || k.VMapUse != min(n, 1) || k.VAddr != (n > 0) {
			t.Errorf("the kernel counts %+v on the exporter with %d maps of the import: %v", k, n, err)
		}
	}
	compare()
	for range 3 {
		m, err := imported.VMap(p.ctx, prime.ReadWrite)
		if err != nil {
			t.Fatal(err)
		}
		maps = append(maps, m)
		if err := twin.VMap(); err != nil {
			t.Fatal(err)
		}
		compare()
	}
	for len(maps) > 0 {
		if err := maps[0].VUnmap(); err != nil {
			t.Error(err)
		}
		maps = maps[1:]
		if err := twin.VUnmap(); err != nil {
			t.Error(err)
		}
		compare()
	}
	if err := twin.VUnmap(); !errors.Is(err, oracle.ErrUnderflow) {
		t.Errorf("the kernel's vunmap at 0: %v", err)
	}
}

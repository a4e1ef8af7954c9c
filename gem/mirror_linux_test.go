package gem_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/debugfs"
	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/gem"
	"github.com/gemtool/gemtool/gem/conformance"
)

// mirrorSteps are the random steps on each driver. vkms, which alone shows
// things in a way that is counted, gets twice as many.
const mirrorSteps = 250

// TestMirror passes if what the library does to an object moves the kernel's
// own counters as it must, after each step of a random walk. They are those
// that debugfs prints of the object behind a framebuffer, and on vgem, which
// has none, of the object's global name; and of all dma-bufs. With A
// attachments of other drivers, W maps of the kernel (a plane that shows it),
// M = 1 while the library maps it, and the driver's own share:
//
//	6.1, 6.12: U = own + M + A + (W>0)
//	7.2:       P = A + (W>0), U = own + M + (P>0)
//	all:       V = W
//
// Cases B01, F12, F20, F21
func TestMirror(t *testing.T) {
	drmtest.GuardKernelLog(t)
	drmtest.CheckLeaks(t)
	t.Cleanup(gem.OnWarn(func(gem.Warning) {})) // objects are closed in use
	seed := lockstepSeed(t)
	took := map[string]int{}
	for i, driver := range []string{"vkms", "virtio_gpu", "bochs-drm", "vgem"} {
		t.Run(driver, func(t *testing.T) {
			m := newMirror(t, driver)
			r := rand.New(rand.NewPCG(seed, uint64(i)))
			var kinds []string
			for len(kinds) < mirrorSteps*(1+count1(driver == "vkms")) {
				kind, err := m.take(mirrorStep(r.IntN(int(mirrorStepCount))), r.Uint32())
				if kind == "" && err == nil {
					continue
				}
				kinds = append(kinds, kind)
				took[kind]++
				if err == nil {
					err = m.check(false)
				}
				if err != nil {
					t.Fatalf("%v\nlast steps: %s\nGEMTOOL_SEED=%d repeats it", err,
						strings.Join(kinds[max(0, len(kinds)-lockstepKept):], ", "), seed)
				}
			}
			m.end()
		})
	}
	if len(took) == 0 && !drmtest.InVM() {
		t.Skip("no device here: run in the VM (make test)")
	}
	for _, kind := range mirrorKinds {
		if took[kind] == 0 {
			t.Errorf("no step was of the kind %q; with GEMTOOL_SEED=%d these were taken: %v", kind, seed, took)
		}
	}
	for kind := range took {
		if !slices.Contains(mirrorKinds, kind) {
			t.Errorf("a kind of step that nobody expects: %q", kind)
		}
	}
}

// newMirror opens the driver's device twice, and another that imports of it
// twice. bochs is left out where it is not of the shmem helper.
func newMirror(t *testing.T, driver string) *mirror {
	t.Helper()
	kernel, err := conformance.RunningKernel()
	if err != nil {
		t.Fatal(err)
	}
	if driver == "bochs-drm" && kernel.Less(conformance.Kernel{Major: 6, Minor: 13}) {
		t.Skip("bochs has its buffers in video memory before Linux 6.13")
	}
	other := "vgem"
	if driver == "vgem" {
		other = "vkms"
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute) // a wait that does not end is a failure
	t.Cleanup(cancel)
	m := &mirror{
		t: t, ctx: ctx, dev: drmtest.RequireDevice(t, driver),
		fbHandles: !kernel.Less(conformance.Kernel{Major: 6, Minor: 12}), other: other,
	}
	m.exporter = "drm"
	if driver == "virtio_gpu" {
		m.exporter = driver // it has its own functions around the helper's
	}
	m.store = gem.StoreOf(m.dev)
	m.self = gem.StoreOf(openAgain(t, m.dev))
	importer := drmtest.RequireDevice(t, other)
	m.importers = []*gem.Store{gem.StoreOf(importer), gem.StoreOf(openAgain(t, importer))}
	if driver == "vkms" {
		m.screen = newScreen(t, m.dev, mirrorWidth, mirrorHeight)
	}
	m.dmaBufs = len(m.bufinfo().Buffers)
	return m
}

// openAgain opens another file of a device.
func openAgain(t *testing.T, dev *drm.Device) *drm.Device {
	t.Helper()
	again, err := drm.Open(dev.Path(), drm.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { again.Close() })
	return again
}

func (m *mirror) bufinfo() debugfs.Bufinfo {
	m.t.Helper()
	text, err := debugfs.Default.Bufinfo()
	if err != nil {
		m.t.Fatal(err)
	}
	info, err := debugfs.ParseBufinfo(text)
	if err != nil {
		m.t.Fatal(err)
	}
	return info
}

// check compares all that the kernel prints with what must be. local says that
// a local map is alive.
func (m *mirror) check(local bool) error {
	if m.obj == nil {
		return nil
	}
	mapped := local || m.pins > 0 || len(m.maps) > 0
	if err := m.checkStats(mapped, local); err != nil {
		return err
	}
	if err := m.checkObject(mapped); err != nil {
		return err
	}
	return m.checkDMABuf(mapped)
}

// checkStats compares the library's counters with what was done. Under a local
// map the reservation is held, and they are not asked for.
func (m *mirror) checkStats(mapped, local bool) error {
	if local {
		return nil
	}
	s, ok, err := m.obj.Stats(m.ctx)
	pin := uint32(m.pins + count1(len(m.maps) > 0))
	if err != nil || !ok || s.PagesUse != uint32(count1(mapped)) || s.PagesPin != pin || s.VMapUse != uint32(len(m.maps)) {
		return fmt.Errorf("the library counts P=%d U=%d V=%d (%v, %v) with %d pins and %d maps", s.PagesPin, s.PagesUse, s.VMapUse, ok, err, m.pins, len(m.maps))
	}
	return nil
}

func (m *mirror) checkObject(mapped bool) error {
	got, there, err := m.object()
	if err != nil {
		return err
	}
	refs, handles := m.wantRefs(mapped)
	m.named = m.named && handles > 0 // for good, whatever comes
	if want := m.fb != 0 || m.named; there != want {
		return fmt.Errorf("the kernel lists the object: %v, want %v", there, want)
	}
	if !there {
		return nil
	}
	if got.refs != refs {
		return fmt.Errorf("the kernel has %d references, want %d", got.refs, refs)
	}
	if got.shmem == nil { // a name has no counters, but the number of handles
		if got.handles != handles {
			return fmt.Errorf("the kernel has %d handles, want %d", got.handles, handles)
		}
		return nil
	}
	a, w := uint32(m.attachments()), uint32(count1(m.shown))
	want := debugfs.Shmem{CountsPins: got.shmem.CountsPins, VMapUse: w, Mapped: w > 0}
	if want.CountsPins {
		want.PagesPin = a + w
		want.PagesUse = m.own + uint32(count1(mapped)) + uint32(count1(want.PagesPin > 0))
	} else {
		want.PagesUse = m.own + uint32(count1(mapped)) + a + w
	}
	if *got.shmem != want {
		return fmt.Errorf("the kernel counts %+v, want %+v (M=%v A=%d W=%d)", *got.shmem, want, mapped, a, w)
	}
	return nil
}

// wantRefs says how often the kernel must refer to the object: all handles
// once, and each framebuffer, mapping and dma-buf. Since Linux 6.12 a
// framebuffer counts as a handle, too, and keeps the dma-buf.
func (m *mirror) wantRefs(mapped bool) (refs, handles uint32) {
	fbs := count1(m.fb != 0) + len(m.extra)
	n := count1(m.handleOpen()) + count1(m.again != nil)
	if m.fbHandles {
		n += fbs
	}
	return uint32(count1(n > 0) + fbs + count1(mapped) + count1(m.dmaBufLives(mapped, n))), uint32(n)
}

// dmaBufLives says whether the object has a dma-buf: from its first export on,
// as long as it has handles or somebody the dma-buf itself. The library's own
// descriptor lives as long as objects, mappings and exports.
func (m *mirror) dmaBufLives(mapped bool, handles int) bool {
	return m.exported && (handles > 0 || mapped || m.handleOpen() || m.buf != nil || m.attachments() > 0)
}

func (m *mirror) checkDMABuf(mapped bool) error {
	_, handles := m.wantRefs(mapped)
	lives := m.dmaBufLives(mapped, int(handles))
	info := m.bufinfo()
	if got, want := len(info.Buffers), m.dmaBufs+count1(lives); got != want {
		return fmt.Errorf("the system has %d dma-bufs, want %d: %+v", got, want, info)
	}
	i := slices.IndexFunc(info.Buffers, func(b debugfs.Buffer) bool { return b.Inode == m.inode })
	if m.exported && (i >= 0) != lives {
		return fmt.Errorf("the kernel lists the dma-buf: %v, want %v", i >= 0, lives)
	}
	if !lives {
		return nil
	}
	b := info.Buffers[i]
	want := slices.Repeat([]string{m.other}, m.attachments())
	if b.Size != m.obj.Size() || b.Exporter != m.exporter || !slices.Equal(b.Attachments, want) {
		return fmt.Errorf("the kernel lists the dma-buf as %+v, want attachments %v", b, want)
	}
	return nil
}

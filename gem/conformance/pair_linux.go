package conformance

import (
	"errors"
	"fmt"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/fourcc"
	"github.com/gemtool/gemtool/drm/kms"
	"github.com/gemtool/gemtool/prime"
)

var pairCases = []Case{
	{ID: "E01", Title: "vkms and vgem import each other's buffers", Needs: Needs{Drivers: []string{"vkms", "vgem"}}, Run: pairImport("vkms", "vgem")},
	{ID: "E02", Title: "vkms and vgem import virtio-gpu's buffers", Needs: Needs{Drivers: []string{"vkms", "vgem"}}, Run: pairImport("virtio_gpu")},
	{ID: "E03", Title: "virtio-gpu without blobs refuses foreign buffers, and is not gone", Needs: Needs{Drivers: []string{"virtio_gpu"}}, Run: pairImport()},
	{ID: "E05", Title: "bochs imports since it keeps its buffers in shmem", Needs: Needs{Drivers: []string{"bochs-drm"}}, Run: pairImport()},
	{ID: "E06", Title: "a buffer in VRAM attaches to no device that would read it by DMA", Needs: Needs{Drivers: []string{"bochs-drm", "qxl"}, Memory: VRAM, Exports: true}, Run: pairVRAM},
	{ID: "E07", Title: "importing a udmabuf", Needs: Needs{Drivers: importers, Since: Kernel{6, 2}}, Run: pairUdmabuf},
	{ID: "E09", Title: "importing a buffer of the system heap", Needs: Needs{Drivers: importers, Since: Kernel{6, 2}}, Run: pairHeap},
	{ID: "E11", Title: "framebuffers on imports, where there are any", Needs: Needs{Memory: Shmem, Except: []string{"virtio_gpu"}}, Run: pairFramebuffer},
	{ID: "E12", Title: "what one side writes the other reads, over every pair", Needs: Needs{Memory: Shmem}, Run: pairContent},
}

// importers are the drivers of which importError knows.
var importers = []string{"vkms", "vgem", "virtio_gpu", "bochs-drm", "qxl"}

// importError is what a driver says to the buffer of another device.
func importError(driver string, k Kernel) error {
	switch {
	case driver == "virtio_gpu":
		return syscall.ENODEV
	case driver == "qxl", driver == "bochs-drm" && k.Less(Kernel{6, 6}):
		return syscall.ENOSYS
	case driver == "bochs-drm" && memoryOf(driver, k) == VRAM:
		return syscall.EINVAL
	}
	return nil
}

// pairImport imports the buffers of other devices into the case's.
func pairImport(exporters ...string) func(T, *Env) {
	return func(t T, env *Env) {
		dev := env.Open(t)
		all := env.exporters(t, exporters...)
		for _, exporter := range all {
			b, offset := dumbPages(t, exporter, 4)
			m := mapDumb(t, exporter, offset, b.Size)
			number(m)
			buffer := exported(t, exporter, b.Handle)
			wantImport(t, env, dev, buffer)
			wantNumbers(t, "the exporter's mapping after the import", m)
		}
	}
}

// exported makes a Buffer that goes with the case.
func exported(t T, dev *drm.Device, h drm.Handle) *prime.Buffer {
	t.Helper()
	b, err := prime.Export(dev, h)
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() { wantErr(t, "Close", b.Close(), nil) })
	return b
}

// wantImport imports a buffer twice and looks whether the device takes it,
// always as the same handle, or refuses it as it is known to.
func wantImport(t T, env *Env, dev *drm.Device, b *prime.Buffer) {
	t.Helper()
	want := importError(env.Driver, env.Kernel)
	var handles [2]drm.Handle
	for i := range handles {
		h, err := b.Import(dev)
		wantErr(t, fmt.Sprintf("import of %v", b), err, want)
		if errors.Is(err, drm.ErrGone) {
			t.Errorf("%v: the device is there", err)
		}
		handles[i] = h
	}
	if handles[0] != handles[1] {
		t.Errorf("imported again it is %v, not %v", handles[1], handles[0])
	}
	if want == nil {
		wantErr(t, "GEM_CLOSE", dev.CloseHandle(handles[0]), nil)
	}
}

func pairVRAM(t T, env *Env) {
	dev := env.Open(t)
	buffer := exported(t, dev, createDumb(t, dev, 64, 64, 32).Handle)
	for _, target := range env.Targets {
		if target.Kind != drm.NodePrimary || target.Driver == env.Driver {
			continue
		}
		importer := (&Env{Target: target}).Open(t)
		h, err := buffer.Import(importer)
		what := "import into " + target.Path
		switch {
		case importError(target.Driver, env.Kernel) == syscall.EINVAL: // it has no import, and does not attach
			wantErr(t, what, err, syscall.EINVAL)
		case byCPU(target.Driver, env.Kernel):
			wantErr(t, what, err, nil)
			wantErr(t, "GEM_CLOSE", importer.CloseHandle(h), nil)
		default:
			wantErr(t, what, err, syscall.ENOSYS)
			wantErr(t, what, err, drm.ErrNotSupported)
		}
	}
}

// byCPU says whether a driver reads imports through the exporter's own mapping,
// and so takes those of exporters that no device can map: not on Linux 6.12, and
// on 7.2, with drm_gem_shmem_prime_import_no_map.
func byCPU(driver string, k Kernel) bool {
	return !k.Less(Kernel{7, 0}) && slices.Contains([]string{"vkms", "vgem", "bochs-drm"}, driver)
}

func pairUdmabuf(t T, env *Env) {
	b, err := prime.NewUdmabuf(4 * pageSize)
	if errors.Is(err, prime.ErrNotSupported) || errors.Is(err, prime.ErrPermission) {
		t.Skipf("%v", err)
	}
	pairAllocated(t, env, b, err)
}

func pairHeap(t T, env *Env) {
	b, err := prime.NewHeap("system", 4*pageSize)
	if errors.Is(err, prime.ErrNotSupported) || errors.Is(err, prime.ErrPermission) {
		t.Skipf("%v", err)
	}
	pairAllocated(t, env, b, err)
}

// pairAllocated imports a buffer that no DRM driver made. Other than those it
// is right when mapped in parts.
func pairAllocated(t T, env *Env, b *prime.Buffer, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() { wantErr(t, "Close", b.Close(), nil) })
	m, err := b.Map()
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() { wantErr(t, "Close of the mapping", m.Close(), nil) })
	if uint64(len(m.Bytes())) != b.Size() || b.Size() != 4*pageSize {
		t.Errorf("%d bytes of %d are mapped, want %d", len(m.Bytes()), b.Size(), 4*pageSize)
	}
	access(t, b, prime.Write, func() { number(m.Bytes()) })

	file, err := b.File()
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer file.Close()
	part, err := unix.Mmap(int(file.Fd()), pageSize, pageSize, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		t.Fatalf("mmap of the second page: %v", err)
	}
	defer func() { wantErr(t, "munmap", unix.Munmap(part), nil) }()
	if part[0] != 11 {
		t.Errorf("page 1 mapped alone reads %d, want 11", part[0])
	}

	wantImport(t, env, env.Open(t), b)
	access(t, b, prime.Read, func() { wantNumbers(t, "after the import", m.Bytes()) })
}

// access calls f inside an access window.
func access(t T, b *prime.Buffer, a prime.Access, f func()) {
	t.Helper()
	w, err := b.BeginAccess(t.Context(), a)
	if err != nil {
		t.Fatalf("%v", err)
	}
	f()
	wantErr(t, "End", w.End(), nil)
}

func pairFramebuffer(t T, env *Env) {
	dev := env.Open(t)
	want := error(nil)
	if env.Driver == "vgem" {
		want = drm.ErrNotSupported
	}
	for _, exporter := range env.exporters(t) {
		b := createDumb(t, exporter, 64, 64, 32)
		h, err := exported(t, exporter, b.Handle).Import(dev)
		if err != nil {
			t.Fatalf("%v", err)
		}
		fb, err := kms.AddFB2(dev, kms.FB{
			Width: 64, Height: 64, Format: fourcc.XRGB8888, Modifier: fourcc.ModInvalid,
			Planes: []kms.FBPlane{{Handle: h, Pitch: b.Pitch}},
		})
		wantErr(t, "AddFB2", err, want)
		if err == nil {
			// It keeps the import alive without its handle.
			wantErr(t, "GEM_CLOSE", dev.CloseHandle(h), nil)
			wantErr(t, "RmFB", kms.RmFB(dev, fb), nil)
		}
	}
}

func pairContent(t T, env *Env) {
	exporter := env.Open(t)
	b, offset := dumbPages(t, exporter, 4)
	own := mapDumb(t, exporter, offset, b.Size)
	source := exported(t, exporter, b.Handle)
	for _, target := range env.Targets {
		if target.Path == env.Path || importError(target.Driver, env.Kernel) != nil {
			continue
		}
		importer := (&Env{Target: target}).Open(t)
		h, err := source.Import(importer)
		if err != nil && !slices.Contains(importers, target.Driver) {
			t.Logf("left out: %v", err) // nobody knows what it takes
			continue
		}
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		// The importer's own way to the memory, as another process has it.
		sink := exported(t, importer, h)
		m, err := sink.Map()
		if err != nil {
			t.Fatalf("%v", err)
		}
		for round := range env.Effort.Rounds(t, 200, 10_000) {
			at := round * 61 % len(own)
			for i, side := range []struct {
				write, read *prime.Buffer
				to, from    []byte
			}{{source, sink, own, m.Bytes()}, {sink, source, m.Bytes(), own}} {
				value := byte(2*round + i)
				access(t, side.write, prime.Write, func() { side.to[at] = value })
				access(t, side.read, prime.Read, func() {
					if side.from[at] != value {
						t.Fatalf("%v to %v, round %d: wrote %d at %d, read %d", env.Target, target, round, value, at, side.from[at])
					}
				})
			}
		}
		wantErr(t, "Close of the mapping", m.Close(), nil)
	}
}

package gem_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/gem"
	"github.com/gemtool/gemtool/gem/conformance"
	"github.com/gemtool/gemtool/gem/internal/oracle"
)

const (
	lockstepSteps = 10_000 // on all drivers together
	lockstepKept  = 40     // steps to print when it fails
)

// TestLockstep passes if the library's objects and the kernel's own go the same
// way: each random step is made on an object of the library and on a twin in
// the kernel, by the oracle module, and counters and errors are the same after
// it. GEMTOOL_SEED=N repeats a run.
//
// Cases F03, F04, F07, F08, F09, F10, F17, F19
func TestLockstep(t *testing.T) {
	drmtest.GuardKernelLog(t)
	drmtest.CheckLeaks(t)
	o := openOracle(t)
	o.Close()
	kernel, err := conformance.RunningKernel()
	if err != nil {
		t.Fatal(err)
	}
	seed := lockstepSeed(t)
	devices := shmemDevices(t)
	took := map[string]int{}
	total := 0
	for i, dev := range devices {
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		want := (lockstepSteps + len(devices) - 1) / len(devices)
		total += lockstepOn(t, dev, r, want, took)
		if t.Failed() {
			t.Fatalf("kernel %v: repeat it with GEMTOOL_SEED=%d", kernel, seed)
		}
	}
	for _, kind := range lockstepKinds {
		if took[kind] == 0 {
			t.Errorf("no step was of the kind %q; with GEMTOOL_SEED=%d these were taken: %v", kind, seed, took)
		}
	}
	for kind := range took {
		if !slices.Contains(lockstepKinds, kind) {
			t.Errorf("a kind of step that nobody expects: %q", kind)
		}
	}
	if !t.Failed() {
		line := fmt.Sprintf("lockstep: kernel %v: %d steps agreed, seed %d", kernel, total, seed)
		t.Log(line)
		fmt.Println(line) // make test-kernels collects it
	}
}

// lockstepOn makes so many random steps on dev, and adds what they were to took.
func lockstepOn(t *testing.T, dev *drm.Device, r *rand.Rand, want int, took map[string]int) (done int) {
	t.Helper()
	for done < want {
		script := randomScript(r)
		var kinds []string
		err := play(t, dev, script, func(kind string) { kinds = append(kinds, kind) })
		done += len(kinds)
		for _, kind := range kinds {
			took[kind]++
		}
		if err != nil {
			t.Errorf("%s: after %d steps: %v\nlast steps: %s\nshortest way there: %s", dev.Path(), done, err,
				strings.Join(kinds[max(0, len(kinds)-lockstepKept):], ", "), shrink(t, dev, script))
			return done
		}
	}
	return done
}

// randomScript is the life of an object. Few objects happen to be purgeable,
// so some begin that way.
func randomScript(r *rand.Rand) []pairStep {
	var script []pairStep
	if r.IntN(4) == 0 {
		if r.IntN(2) == 0 {
			script = append(script, pairStep{kind: stepLock})
		}
		script = append(script, pairStep{stepMadvise, adviseDontNeed}, pairStep{kind: stepIsPurgeable}, pairStep{kind: stepPurge})
	}
	for range 20 + r.IntN(300) {
		script = append(script, randomStep(r))
	}
	return script
}

// shrink leaves steps out of a script that fails as long as it still fails, and
// tells the kinds of the rest.
func shrink(t *testing.T, dev *drm.Device, script []pairStep) string {
	deadline := time.Now().Add(10 * time.Second)
	var kinds []string
	fails := func(s []pairStep) bool {
		var now []string
		err := play(t, dev, s, func(kind string) { now = append(now, kind) })
		if err != nil {
			kinds = append(now, err.Error())
		}
		return err != nil
	}
	for size := len(script) / 2; size > 0; {
		smaller := false
		for at := 0; at+size <= len(script) && time.Now().Before(deadline); {
			if s := slices.Delete(slices.Clone(script), at, at+size); fails(s) {
				script, smaller = s, true
			} else {
				at += size
			}
		}
		if !smaller {
			size /= 2
		}
	}
	if !fails(script) {
		return "another run of it did not fail"
	}
	return strings.Join(kinds, ", ")
}

func openOracle(t *testing.T) *oracle.Oracle {
	t.Helper()
	o, err := oracle.Open()
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("this kernel has no oracle module (make test-kernels has): %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func lockstepSeed(t *testing.T) uint64 {
	t.Helper()
	if s := os.Getenv("GEMTOOL_SEED"); s != "" {
		seed, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatalf("GEMTOOL_SEED: %v", err)
		}
		return seed
	}
	return uint64(rand.Uint32())
}

// shmemDevices opens the devices whose dumb buffers are of the shmem helper, as
// those of bochs are since Linux 6.13.
func shmemDevices(t *testing.T) []*drm.Device {
	t.Helper()
	var devices []*drm.Device
	for _, driver := range []string{"vkms", "vgem", "virtio_gpu", "bochs-drm"} {
		dev := drmtest.RequireDevice(t, driver)
		o := openOracle(t)
		b, err := dev.CreateDumb(64, 64, 32)
		if err != nil {
			t.Fatal(err)
		}
		_, err = o.Object(dev, b.Handle).State()
		o.Close()
		if err := dev.CloseHandle(b.Handle); err != nil {
			t.Error(err)
		}
		switch {
		case err == nil:
			devices = append(devices, dev)
		case driver != "bochs-drm" || !errors.Is(err, oracle.ErrNotShmem):
			t.Fatalf("%s: %v", driver, err)
		}
	}
	return devices
}

// play makes the steps of a script on a new object and its twin, and calls took
// for each that was possible. The error is where the two disagreed.
func play(t *testing.T, dev *drm.Device, script []pairStep, took func(kind string)) error {
	p, err := newPair(t, dev)
	if err != nil {
		return err
	}
	defer p.end()
	dead := 0
	for _, s := range script {
		if p.refused() != nil {
			if dead++; dead > 15 {
				break // not much happens any more
			}
		}
		kind, err := p.take(s)
		if kind != "" {
			took(kind)
		}
		if err == nil && kind != "" {
			err = p.compare()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
	}
	return p.finish(took)
}

// translate says what the kernel must count for a twin of an object with these
// counters, which are by the rules of Linux 7.2 (SEMANTICS 1.3).
//
//	7.2:       P = pins + (V>0)
//	           U = (P>0) + (sgt) + VMAs
//	6.1, 6.12: U = pins + (V>0) + (sgt) + VMAs, and no P
//
// The twin has an sg table where a driver or a step made one. It has one VMA
// while the object has local maps, which the library counts once in U.
func translate(s gem.Stats, k oracle.State) (use, pin uint32) {
	pinned := uint32(0)
	if s.PagesPin > 0 {
		pinned = 1
	}
	vmas := s.PagesUse - pinned
	sgt := uint32(0)
	if k.SGT {
		sgt = 1
	}
	if k.CountsPins {
		return pinned + sgt + vmas, s.PagesPin
	}
	return s.PagesPin + sgt + vmas, 0
}

// TestThreePins passes if three pins count as each kernel's helper counts them.
//
// Case F09
func TestThreePins(t *testing.T) {
	drmtest.GuardKernelLog(t)
	openOracle(t).Close()
	p, err := newPair(t, drmtest.RequireDevice(t, "vgem"))
	if err != nil {
		t.Fatal(err)
	}
	defer p.end()
	for range 3 {
		if kind, err := p.take(pairStep{kind: stepPin}); err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
	}
	s, _, err := p.obj.Stats(p.ctx)
	if err != nil || s.PagesPin != 3 || s.PagesUse != 1 {
		t.Errorf("the library counts P=%d U=%d, %v, want P=3 U=1", s.PagesPin, s.PagesUse, err)
	}
	k, err := p.x.State()
	pin, use := uint32(0), uint32(3)
	if k.CountsPins {
		pin, use = 3, 1
	}
	if err != nil || k.PagesPin != pin || k.PagesUse != use {
		t.Errorf("the kernel counts P=%d U=%d, %v, want P=%d U=%d", k.PagesPin, k.PagesUse, err, pin, use)
	}
}

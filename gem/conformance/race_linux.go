package conformance

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/gem"
	"github.com/gemtool/gemtool/prime"
)

var raceCases = []Case{
	{ID: "H01", Title: "exports race the close of their handle", Needs: Needs{Shares: true}, Run: raceExport},
	{ID: "H02", Title: "imports race the close of their handle", Needs: Needs{Shares: true}, Run: raceImport},
	{ID: "H04", Title: "a storm of maps of one object leaves none", Run: raceMaps},
	{ID: "H05", Title: "children start in a storm of maps", Run: raceChildren},
	{ID: "H07", Title: "two files of a device do not mix up shared objects", Needs: Needs{Shares: true}, Run: raceFiles},
	{ID: "H09", Title: "a device closes under calls in flight", Run: raceClose},
	{ID: "H10", Title: "a descriptor's number is used again under an object's calls", Needs: Needs{Shares: true}, Run: raceReuse},
	{ID: "H11", Title: "random work in eight processes leaves nothing", Needs: Needs{Shares: true}, Run: raceProcesses},
}

// workers runs f in n goroutines until all return.
func workers(n int, f func(worker int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}

// wantOneOf reports an error that is none of those; nil is success.
func wantOneOf(t T, what string, err error, allowed ...error) bool {
	t.Helper()
	for _, a := range allowed {
		if errors.Is(err, a) {
			return true
		}
	}
	t.Errorf("%s: %v, want one of %v", what, err, allowed)
	return false
}

// raceExport is IGT's export-vs-gem_close-race: whoever gets there first,
// handle 1 is exported or is gone, and nobody makes it two objects.
func raceExport(t T, env *Env) {
	dev := env.Open(t)
	workers(4, func(int) {
		for range env.Effort.Rounds(t, env.scale(150), 200_000) {
			made := rawCreateDumb{width: 64, height: 16, bpp: 32}
			if !wantOneOf(t, "create", rawOpCreateDumb.Do(dev.FD(), &made), nil) {
				return
			}
			shared := rawPrimeHandle{handle: 1, flags: rawRDWR | rawCLOEXEC}
			err := rawOpHandleToFD.Do(dev.FD(), &shared)
			wantOneOf(t, "export", err, nil, syscall.ENOENT, syscall.EINVAL)
			if err == nil {
				wantOneOf(t, "close of the dma-buf", unix.Close(int(shared.fd)), nil)
			}
			for _, h := range []uint32{1, made.handle} {
				wantOneOf(t, "GEM_CLOSE", rawOpGEMClose.Do(dev.FD(), &rawGEMClose{handle: h}), nil, syscall.EINVAL)
			}
		}
	})
}

// raceImport is IGT's reimport-vs-gem_close-race, on another file of the
// device and on other devices.
func raceImport(t T, env *Env) {
	dev := env.Open(t)
	fd := export(t, dev, createDumb(t, dev, 64, 64, 32).Handle)
	importers := []*drm.Device{env.Open(t)}
	if memoryOf(env.Driver, env.Kernel) == Shmem {
		importers = append(importers, env.others(t, "vkms", "vgem")...)
	}
	for _, importer := range importers {
		workers(4, func(int) {
			for range env.Effort.Rounds(t, env.scale(300), 100_000) {
				h, err := tryImport(importer, fd)
				if !wantOneOf(t, "import into "+importer.Path(), err, nil) {
					return
				}
				wantOneOf(t, "GEM_CLOSE", importer.CloseHandle(h), nil, syscall.EINVAL)
			}
		})
		// What is left is one handle at most, and none after its close.
		h := imports(t, importer, fd)
		wantErr(t, "GEM_CLOSE of the last", importer.CloseHandle(h), nil)
		wantErr(t, "GEM_CLOSE of none", importer.CloseHandle(h), syscall.EINVAL)
	}
}

// storm maps and unmaps an object from four goroutines, by hand and by the
// library, which must agree with each other on what is in it.
func storm(t T, env *Env, o *gem.Object, rounds int) {
	dev := env.Open(t)
	workers(4, func(worker int) {
		for i := range env.Effort.Rounds(t, env.scale(rounds), 100*rounds) {
			m, err := o.VMap(t.Context(), prime.ReadWrite)
			if err != nil {
				t.Errorf("%v", err)
				return
			}
			err = o.Local(t.Context(), prime.Write, func(v gem.View) error {
				v.Bytes()[worker] = byte(i)
				return nil
			})
			if err != nil {
				t.Errorf("%v", err)
				return
			}
			if i%8 == 0 && !mapAside(t, dev, o, worker, byte(i)) {
				return
			}
			if got := m.Bytes()[worker]; got != byte(i) {
				t.Errorf("byte %d of worker %d reads %d", i, worker, got)
			}
			if !wantOneOf(t, "VUnmap", m.VUnmap(), nil) {
				return
			}
		}
	})
}

// mapAside maps the object's dma-buf behind the library's back, on drivers
// that have one that can be mapped, and looks at a byte.
func mapAside(t T, dev *drm.Device, o *gem.Object, at int, want byte) bool {
	b, err := o.Export()
	if errors.Is(err, drm.ErrNotSupported) {
		return true
	}
	if err != nil {
		t.Errorf("%v", err)
		return false
	}
	defer b.Close()
	m, err := b.Map()
	if errors.Is(err, prime.ErrNotSupported) {
		return true
	}
	if err != nil {
		t.Errorf("%v", err)
		return false
	}
	if got := m.Bytes()[at]; got != want {
		t.Errorf("mapped aside, byte %d reads %d, want %d", at, got, want)
	}
	return wantOneOf(t, "unmapping the dma-buf", m.Close(), nil)
}

// object makes an object of 64x64 pixels, watched, which goes with the case.
func (e *Env) object(t T, dev *drm.Device) (*gem.Object, *watch) {
	t.Helper()
	o, err := gem.StoreOf(dev).Create(64, 64, 32)
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() { wantErr(t, "Close", o.Close(), nil) })
	dumb, _ := o.Dumb()
	return o, e.watchUse(t, dev, dumb)
}

func raceMaps(t T, env *Env) {
	o, watch := env.object(t, env.Open(t))
	storm(t, env, o, 300)
	watch.want(t, "after the storm", 0)
	withBytes(t, o, func([]byte) { watch.want(t, "mapped", 1) })
	watch.want(t, "unmapped", 0)
}

func raceChildren(t T, env *Env) {
	o, watch := env.object(t, env.Open(t))
	var wg sync.WaitGroup
	wg.Go(func() { storm(t, env, o, 300) })
	for range env.Effort.Rounds(t, 3, 1000) {
		env.start(t, "exit", nil).end()
	}
	wg.Wait()
	watch.want(t, "after the storm and its children", 0)
}

// raceFiles walks at random over objects that two files create, import and
// close. Each object has its own number in its first byte, so that a handle
// that leads to the wrong one is seen.
func raceFiles(t T, env *Env) {
	rnd := rand.New(rand.NewPCG(7, 7))
	stores := [2]*gem.Store{gem.StoreOf(env.Open(t)), gem.StoreOf(env.Open(t))}
	type tagged struct {
		object *gem.Object
		tag    byte
	}
	var open [2][]tagged
	next := byte(0)
	for range env.Effort.Rounds(t, env.scale(300), 200_000) {
		side := rnd.IntN(2)
		switch mine, theirs := open[side], open[1-side]; {
		case rnd.IntN(3) == 0 && len(mine) > 0:
			i := rnd.IntN(len(mine))
			wantErr(t, "Close", mine[i].object.Close(), nil)
			open[side] = append(mine[:i], mine[i+1:]...)
		case rnd.IntN(2) == 0 && len(theirs) > 0 && len(mine) < 16:
			from := theirs[rnd.IntN(len(theirs))]
			b, err := from.object.Export()
			if err != nil {
				t.Fatalf("%v", err)
			}
			open[side] = append(mine, tagged{importObject(t, stores[side], b), from.tag})
			wantErr(t, "Close of the export", b.Close(), nil)
		case len(mine) < 16:
			next++
			made := tagged{createObject(t, stores[side]), next}
			withBytes(t, made.object, func(m []byte) { m[0] = made.tag })
			open[side] = append(mine, made)
		default:
			some := mine[rnd.IntN(len(mine))]
			withBytes(t, some.object, func(m []byte) {
				if m[0] != some.tag {
					t.Errorf("%v reads %d, want %d", some.object.Handle(), m[0], some.tag)
				}
			})
		}
	}
	for _, side := range open {
		for _, o := range side {
			withBytes(t, o.object, func(m []byte) {
				if m[0] != o.tag {
					t.Errorf("at the end %v reads %d, want %d", o.object.Handle(), m[0], o.tag)
				}
			})
			wantErr(t, "Close", o.object.Close(), nil)
		}
	}
}

// recycle takes descriptors' numbers and gives them back until stop: a call
// on the number of a closed one would meet /dev/null and be ENOTTY.
func recycle(t T) (stop func()) {
	var done atomic.Bool
	var wg sync.WaitGroup
	wg.Go(func() {
		for !done.Load() {
			n, err := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
			if err != nil {
				t.Errorf("/dev/null: %v", err)
				return
			}
			unix.Close(n)
		}
	})
	return func() { done.Store(true); wg.Wait() }
}

func raceClose(t T, env *Env) {
	defer recycle(t)()
	for range env.Effort.Rounds(t, env.scale(16), 20_000) {
		dev, err := drm.Open(env.Path, drm.Options{})
		if err != nil {
			t.Fatalf("%v", err)
		}
		var calls atomic.Int32
		var wg sync.WaitGroup
		for worker := range 3 {
			wg.Go(func() {
				for {
					var err error
					if worker == 0 {
						_, err = dev.CreateDumb(64, 16, 32) // goes with the file
					} else {
						_, err = dev.Version()
					}
					if err != nil {
						wantErr(t, "a call under Close", err, drm.ErrClosed)
						return
					}
					calls.Add(1)
				}
			})
		}
		for calls.Load() < 10 {
			if _, err := dev.Version(); err != nil {
				t.Fatalf("%v", err)
			}
		}
		wantErr(t, "Close", dev.Close(), nil)
		wg.Wait()
	}
}

func raceReuse(t T, env *Env) {
	defer recycle(t)()
	for round := range env.Effort.Rounds(t, env.scale(16), 20_000) {
		dev, err := drm.Open(env.Path, drm.Options{})
		if err != nil {
			t.Fatalf("%v", err)
		}
		o, err := gem.StoreOf(dev).Create(64, 16, 32)
		if err != nil {
			t.Fatalf("%v", err)
		}
		uses := make(chan struct{}, 1000)
		var wg sync.WaitGroup
		wg.Go(func() {
			defer close(uses)
			for {
				err := useOnce(t, o, byte(round))
				if err != nil {
					wantErr(t, "an object's call under Close", err, fs.ErrClosed)
					return
				}
				select {
				case uses <- struct{}{}:
				default:
				}
			}
		})
		<-uses
		wantErr(t, "Close of the device", dev.Close(), nil)
		wantOneOf(t, "Close of the object", o.Close(), nil)
		wg.Wait()
	}
}

// useOnce maps and exports an object once.
func useOnce(t T, o *gem.Object, value byte) error {
	m, err := o.VMap(t.Context(), prime.ReadWrite)
	if err != nil {
		return err
	}
	m.Bytes()[0] = value
	b, err := o.Export()
	if err == nil {
		err = b.Close()
	}
	return errors.Join(err, m.VUnmap())
}

// raceProcesses runs what randomChild does in eight processes at once.
func raceProcesses(t T, env *Env) {
	dev := env.Open(t)
	o, watch := env.object(t, dev)
	file, err := exportObject(t, o).File()
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer file.Close()
	var all []*process
	rounds := 16
	if env.Effort == Soak {
		rounds = 100_000
	}
	for seed := range 8 {
		all = append(all, env.start(t, "random", withFile(file), env.Path, fmt.Sprint(seed), fmt.Sprint(env.scale(rounds))))
	}
	for _, p := range all {
		p.end()
	}
	watch.want(t, "after eight processes", 0)
}

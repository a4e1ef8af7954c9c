package conformance

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/gem"
	"github.com/gemtool/gemtool/prime"
)

// Cases about devices that go while they are used. They take drivers, devices
// and modules from the system.
var unplugCases = []Case{
	{ID: "M01", Title: "a driver is unbound from a device in use: calls fail, memory stays, closing works", Needs: Needs{Drivers: []string{"bochs-drm"}, ThrowAway: true}, Run: unbindInUse},
	{ID: "M02", Title: "as M01, on a device of virtio", Needs: Needs{Drivers: []string{"virtio_gpu"}, ThrowAway: true}, Run: unbindInUse},
	{ID: "M05", Title: "a device goes in a storm of maps, and nothing faults", Needs: Needs{Drivers: []string{"bochs-drm", "virtio_gpu"}, ThrowAway: true}, Run: unbindInStorm},
}

func unbindInUse(t T, env *Env) {
	s := env.slot(t)
	dev := env.Open(t)
	store := gem.StoreOf(dev)
	o := createObject(t, store)
	dumb, _ := o.Dumb()
	offset, err := dev.MapDumb(dumb.Handle)
	if err != nil {
		t.Fatalf("%v", err)
	}
	m, err := o.VMap(t.Context(), prime.ReadWrite)
	if err != nil {
		t.Fatalf("%v", err)
	}
	number(m.Bytes())
	shared := env.shareUnbound(t, o)

	s.unbind()

	wantErr(t, "Open", second(drm.Open(env.Path, drm.Options{})), fs.ErrNotExist)
	infos, err := drm.Devices()
	if err != nil {
		t.Errorf("%v", err)
	}
	for _, info := range infos {
		if info.BusID() == env.Device.BusID() {
			t.Errorf("Devices still lists %s", info.BusID())
		}
	}
	for _, call := range []struct {
		what string
		err  error
	}{
		{"Version", second(dev.Version())},
		{"Cap", second(dev.Cap(drm.CapDumbBuffer))},
		{"SetMaster", dev.SetMaster()},
		{"CreateDumb", second(dev.CreateDumb(64, 64, 32))},
		{"MapDumb", second(dev.MapDumb(dumb.Handle))},
		{"Mmap", second(dev.Mmap(offset, dumb.Size))},
		{"HandleToFD", second(dev.HandleToFD(dumb.Handle))},
		{"Create", second(store.Create(64, 64, 32))},
	} {
		wantErr(t, call.what+" on the device that is gone", call.err, drm.ErrGone)
		wantErr(t, call.what+" on the device that is gone", call.err, syscall.ENODEV)
	}
	wantErr(t, "GEM_CLOSE on the device that is gone", rawOpGEMClose.Do(dev.FD(), &rawGEMClose{handle: uint32(dumb.Handle)}), syscall.ENODEV)
	wantErr(t, "a mapping of the file", second(rawMmap(dev.FD(), offset, pageSize, unix.PROT_READ, unix.MAP_SHARED)), syscall.ENODEV)

	env.wantKept(t, "the mapping", m.Bytes())
	shared()
	wantErr(t, "VUnmap", m.VUnmap(), nil)
	wantErr(t, "Close", o.Close(), nil)

	now := s.bind()
	if now == env.Path {
		t.Errorf("the device came back as %s, which is still open", now)
	}
	s.wantWorking(now, env.Driver)
	wantErr(t, "Version of the old file", second(dev.Version()), drm.ErrGone)
}

// shareUnbound shares an object with whoever takes it. It returns what is to be
// looked at when the object's device is gone.
func (e *Env) shareUnbound(t T, o *gem.Object) func() {
	t.Helper()
	if !shares(e.Driver, e.Kernel) {
		return func() {}
	}
	b := exportObject(t, o)
	m, err := b.Map()
	if err != nil {
		t.Fatalf("%v", err)
	}
	var imported []*gem.Object
	if memoryOf(e.Driver, e.Kernel) == Shmem {
		for _, other := range e.others(t, "vgem", "vkms") {
			imported = append(imported, importObject(t, gem.StoreOf(other), b))
		}
	}
	return func() {
		e.wantKept(t, "the mapping of the dma-buf", m.Bytes())
		wantErr(t, "Close of the mapping of the dma-buf", m.Close(), nil)
		for _, i := range imported {
			withBytes(t, i, func(m []byte) { e.wantKept(t, "the import's mapping", m) })
			wantErr(t, "Close of the import", i.Close(), nil)
		}
	}
}

// wantKept looks at memory whose device is gone. What was in system memory is
// still there; what was in VRAM reads as zeros, from a page that TTM puts there
// instead, and can be written.
func (e *Env) wantKept(t T, what string, m []byte) {
	t.Helper()
	if memoryOf(e.Driver, e.Kernel) == Shmem {
		wantNumbers(t, what, m)
		return
	}
	if bytes.ContainsFunc(m, func(r rune) bool { return r != 0 }) {
		t.Errorf("%s: not all zero", what)
	}
	m[0] = 1
}

func unbindInStorm(t T, env *Env) {
	s := env.slot(t)
	store := gem.StoreOf(env.Open(t))
	kept := createObject(t, store)
	m, err := kept.VMap(t.Context(), prime.ReadWrite)
	if err != nil {
		t.Fatalf("%v", err)
	}
	var rounds atomic.Int64
	storm := func(round func(i int) error) func() {
		return func() {
			defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
			defer func() {
				if p := recover(); p != nil {
					t.Errorf("a fault: %v", p)
				}
			}()
			var err error
			for i := 0; err == nil; i++ {
				err = round(i)
				rounds.Add(1)
			}
			wantErr(t, "the storm's end", err, drm.ErrGone)
		}
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(storm(func(i int) error { return touchNew(t.Context(), store, byte(i)) }))
	}
	// A mapping that lasts is touched all the time.
	wg.Go(storm(func(i int) error {
		select {
		case <-stop:
			return drm.ErrGone
		default:
			m.Bytes()[i*61%len(m.Bytes())]++
			return nil
		}
	}))
	time.Sleep(50 * time.Millisecond)
	s.unbind()
	time.Sleep(50 * time.Millisecond)
	close(stop)
	wg.Wait()
	if n := rounds.Load(); n < 10 {
		t.Errorf("a storm of %d rounds", n)
	}
	wantErr(t, "VUnmap", m.VUnmap(), nil)
	wantErr(t, "Close", kept.Close(), nil)
}

// touchNew writes to every page of a new object. What it then reads is not
// looked at: it may be another page already.
func touchNew(ctx context.Context, store *gem.Store, value byte) error {
	o, err := store.Create(pageSize/4, 16, 32)
	if err != nil {
		return err
	}
	touch := func(m []byte) {
		for i := 0; i < len(m); i += pageSize {
			m[i] += value
		}
	}
	m, err := o.VMap(ctx, prime.ReadWrite)
	if err == nil {
		touch(m.Bytes())
		err = m.VUnmap()
	}
	if err == nil {
		err = o.Local(ctx, prime.ReadWrite, func(v gem.View) error {
			touch(v.Bytes())
			return nil
		})
	}
	return errors.Join(err, o.Close())
}

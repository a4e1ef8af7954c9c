package conformance

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/gem"
	"github.com/gemtool/gemtool/prime"
)

// work does once what a client does with buffers: create, map, write, export,
// import on another file, open an access window, read and close. No error is
// expected of it, whatever happens to the process meanwhile.
func work(ctx context.Context, from, to *gem.Store, shares bool, value byte) (err error) {
	o, err := from.Create(64, 64, 32)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	if err := write(ctx, o, value); err != nil || !shares {
		return errors.Join(err, read(ctx, o, value))
	}
	b, err := o.Export()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	again, err := to.Import(b)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, again.Close()) }()
	w, err := b.BeginAccess(ctx, prime.Read)
	if err != nil {
		return err
	}
	return errors.Join(read(ctx, again, value), w.End())
}

// write writes the object's last byte through a local map.
func write(ctx context.Context, o *gem.Object, value byte) error {
	return o.Local(ctx, prime.Write, func(v gem.View) error {
		v.Bytes()[o.Size()-1] = value
		return nil
	})
}

// read looks for what write wrote through a lasting map.
func read(ctx context.Context, o *gem.Object, value byte) error {
	m, err := o.VMap(ctx, prime.ReadWrite)
	if err != nil {
		return err
	}
	if got := m.Bytes()[o.Size()-1]; got != value {
		err = fmt.Errorf("the last byte is %d, want %d", got, value)
	}
	return errors.Join(err, m.VUnmap())
}

// withFile gives a child the descriptor of a file.
func withFile(f *os.File) func(*exec.Cmd) {
	return func(cmd *exec.Cmd) { cmd.ExtraFiles = []*os.File{f} }
}

// given makes a Buffer of the descriptor that a child was given.
func given() (*prime.Buffer, error) {
	f := os.NewFile(childFile, "dma-buf")
	defer f.Close()
	return prime.FromFile(f)
}

// randomChild works at random with buffers of its own and with the one it is
// given, if any: PATH SEED ROUNDS. It leaves some of its objects open.
func randomChild(c *child) error {
	var seed uint64
	var rounds int
	if _, err := fmt.Sscan(c.args[1]+" "+c.args[2], &seed, &rounds); err != nil {
		return err
	}
	dev, err := drm.Open(c.args[0], drm.Options{})
	if err != nil {
		return err
	}
	shared, err := given()
	if err != nil {
		return err
	}
	rnd, store, ctx := rand.New(rand.NewPCG(seed, 0)), gem.StoreOf(dev), c.context()
	var left []*gem.Object
	c.say("working")
	for i := range rounds {
		switch n := rnd.IntN(4); {
		case n == 0 && len(left) < 8:
			o, err := store.Create(64, 64, 32)
			if err != nil {
				return err
			}
			left = append(left, o)
		case n == 1:
			o, err := store.Import(shared)
			if err != nil {
				return err
			}
			m, err := o.VMap(ctx, prime.ReadWrite)
			if err != nil {
				return err
			}
			m.Bytes()[seed] = byte(i)
			if err := errors.Join(o.Close(), m.VUnmap()); err != nil {
				return err
			}
		default:
			if err := work(ctx, store, store, true, byte(i)); err != nil {
				return err
			}
		}
	}
	c.say("done")
	return c.wait()
}

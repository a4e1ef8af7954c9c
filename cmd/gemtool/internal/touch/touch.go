// Package touch reads and writes memory of devices, which may be gone before
// they are.
package touch

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/gemtool/gemtool/prime"
)

// ErrFault: the memory was not there.
var ErrFault = errors.New("touching the mapping faulted")

// Access calls f in an access window of b, if there is a b already, and on
// memory that may fault.
func Access(ctx context.Context, b *prime.Buffer, a prime.Access, f func() error) (err error) {
	if b == nil {
		return Try(f)
	}
	w, err := b.BeginAccess(ctx, a)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.End()) }()
	return Try(f)
}

// Try calls f and turns a fault of memory that it touches, which would kill
// the process, into an error: a device that goes away takes its pages along.
func Try(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		fault, ok := r.(interface {
			runtime.Error
			Addr() uintptr
		})
		if !ok {
			panic(r)
		}
		err = fmt.Errorf("%w at %#x", ErrFault, fault.Addr())
	}()
	return f()
}

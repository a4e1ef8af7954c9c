package prime

import (
	"sync/atomic"

	"github.com/gemtool/gemtool/drm/ioctl"
)

// Keeper is whoever counts the Buffers of a piece of memory. Its methods must
// not block nor call the Buffer's.
type Keeper interface {
	Ref()
	Unref()
}

// life is what ends with a Buffer, whether by Close or by the collector.
type life struct {
	fd     *ioctl.FD
	keeper atomic.Pointer[Keeper]
}

// Keep has k count b, from now on until b's descriptor is closed, and every
// Dup of it. It is for the package that b is an export of, which so knows its
// own memory again when it comes back as a dma-buf. It is called once, before
// others know b.
func (b *Buffer) Keep(k Keeper) {
	k.Ref()
	b.life.keeper.Store(&k)
}

func (l *life) end() error {
	err := l.fd.Close()
	if err == ErrClosed {
		return err
	}
	if k := l.keeper.Load(); k != nil {
		(*k).Unref()
	}
	return err
}

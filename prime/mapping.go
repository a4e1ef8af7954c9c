package prime

import (
	"fmt"
	"math"
	"sync"
	"syscall"
)

// mapped is a Buffer's one mapping and who uses it.
type mapped struct {
	// mu guards the fields below. It is not Buffer.mu as it is held over
	// mmap(2), which allocates the memory and may take its time.
	mu    sync.Mutex
	bytes []byte // nil without users
	// users has the ids of the open Mappings, by which one that was closed is
	// told from one that was made later.
	users map[uint64]struct{}
	made  uint64 // the last id given to a Mapping
}

// Mapping is the right to use a buffer's mapping until Close. It is a value:
// copies are the same Mapping.
type Mapping struct {
	b  *Buffer
	id uint64
}

// Map maps the buffer into this process with the access of its export. The
// whole buffer is mapped, at offset 0 and once, however often Map is called:
// many exporters show wrong pages in a mapping of a part. Access the bytes
// inside a window of [Buffer.BeginAccess] only; writing to those of a
// read-only buffer is fatal for the process.
//
// For many exporters this is where memory is allocated.
//
// Errors: ErrClosed; ErrRange for a buffer beyond the address space;
// ErrNotSupported for an exporter that does not let the CPU map its buffers;
// ENOMEM. Source: dma_buf_mmap_internal.
func (b *Buffer) Map() (Mapping, error) {
	s := &b.mapped
	s.mu.Lock()
	defer s.mu.Unlock()
	if b.isClosed() {
		return Mapping{}, b.fail("mmap of", ErrClosed)
	}
	if len(s.users) == 0 {
		if err := b.mmap(); err != nil {
			return Mapping{}, err
		}
	}
	if s.users == nil {
		s.users = make(map[uint64]struct{})
	}
	s.made++
	s.users[s.made] = struct{}{}
	return Mapping{b, s.made}, nil
}

func (b *Buffer) mmap() error {
	if b.size > math.MaxInt {
		e := b.fail("mmap of", ErrRange)
		e.Hint = fmt.Sprintf("%d bytes", b.size)
		return e
	}
	var bytes []byte
	err := b.fd.Use(func(n int) (err error) {
		bytes, err = mmap(n, int(b.size), b.mode)
		return err
	})
	if err != nil {
		e := b.fail("mmap of", err)
		if err == syscall.EINVAL || err == syscall.ENODEV {
			e.Kind = ErrNotSupported
			e.Hint = "its exporter does not let the CPU map it"
		}
		return e
	}
	b.mapped.bytes = bytes
	return nil
}

// Bytes returns the whole buffer. They may be used until Close, even after a
// Close of the Buffer; after it they may be gone, and touching them is fatal
// for the process. Bytes of a closed Mapping returns nil.
func (m Mapping) Bytes() []byte {
	if m.b == nil {
		return nil
	}
	s := &m.b.mapped
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, open := s.users[m.id]; !open {
		return nil
	}
	return s.bytes
}

// View returns n bytes of the buffer from offset on, which are good for as long
// as Bytes. It is the way to a part of a buffer, which a mapping of its own would
// show wrong pages of.
//
// Errors: ErrRange for what is not inside the buffer; ErrStale after Close.
func (m Mapping) View(offset, n uint64) ([]byte, error) {
	if m.b == nil {
		return nil, &Error{Op: "view", Err: ErrStale}
	}
	all := m.Bytes()
	if all == nil {
		return nil, m.b.fail("view of", ErrStale)
	}
	size := uint64(len(all))
	if offset > size || n > size-offset {
		e := m.b.fail("view of", ErrRange)
		e.Hint = fmt.Sprintf("%d bytes at %d of %d", n, offset, size)
		return nil, e
	}
	return all[offset : offset+n : offset+n], nil
}

// Close ends this use of the mapping; the last one unmaps. A second Close
// returns ErrStale and changes nothing.
func (m Mapping) Close() error {
	if m.b == nil {
		return &Error{Op: "munmap", Err: ErrStale}
	}
	s := &m.b.mapped
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, open := s.users[m.id]; !open {
		return m.b.fail("munmap of", ErrStale)
	}
	delete(s.users, m.id)
	if len(s.users) > 0 {
		return nil
	}
	bytes := s.bytes
	s.bytes = nil
	if err := munmap(bytes); err != nil {
		return m.b.fail("munmap of", err)
	}
	return nil
}

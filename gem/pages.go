package gem

import (
	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/prime"
)

// pages is what pages_use_count counts: the one mapping of the whole memory,
// which the kernel counts as one VMA.
type pages struct {
	bytes   *[]byte
	mapping prime.Mapping // of the dma-buf, zero for one of the card node
}

func newPages(bytes []byte, m prime.Mapping) pages { return pages{&bytes, m} }

// mapPages maps the memory: through the handle that it was made with, which
// is what the driver is best at, and through the dma-buf for every other
// reference. A handle of an import cannot be mapped on most drivers, and
// faults on others.
func (n *node) mapPages(ref *reference) error {
	if !ref.created {
		m, err := n.buf.Load().Map()
		if err != nil {
			return err
		}
		n.pages = newPages(m.Bytes(), m)
		return nil
	}
	return ref.use(func() error {
		b, err := ref.store.device().Mmap(n.place.offset, n.size)
		if err != nil {
			return err
		}
		n.pages = newPages(b, prime.Mapping{})
		return nil
	})
}

func (n *node) unmapPages() error {
	p := n.pages
	n.pages = pages{}
	if p.mapping != (prime.Mapping{}) {
		return p.mapping.Close()
	}
	return drm.Munmap(*p.bytes)
}

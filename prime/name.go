package prime

import (
	"encoding/binary"
	"fmt"
	"os"
	"strings"

	"github.com/gemtool/gemtool/prime/internal/uapi"
)

// ExporterName returns the kernel's name of the exporter: "drm" for GEM
// objects, "udmabuf", a heap's name. Escape it before printing.
//
// Errors: ErrClosed; those of reading /proc/self/fdinfo; ErrNotSupported.
func (b *Buffer) ExporterName() (string, error) {
	text, err := b.fdinfo()
	if err != nil {
		return "", b.fail("exporter of", err)
	}
	name, ok := exporterName(text)
	if !ok {
		return "", b.fail("exporter of", ErrNotSupported)
	}
	return name, nil
}

// Name returns what somebody named the buffer, or the empty string. Whoever
// has a descriptor may set any bytes but NUL: escape it before printing.
//
// Errors: ErrClosed; those of reading /proc/self/fdinfo.
func (b *Buffer) Name() (string, error) {
	text, err := b.fdinfo()
	if err != nil {
		return "", b.fail("name of", err)
	}
	return bufferName(text), nil
}

// SetName names the buffer for who looks at the memory of the system, over all
// of its descriptors and anew each time.
//
// Errors: ErrRange for more than 31 bytes or one that is NUL, before the kernel
// is asked; ErrClosed; ENOMEM. Source: dma_buf_set_name.
func (b *Buffer) SetName(name string) error {
	op := uapi.OpSetName.Name()
	var text [uapi.DMABufNameLen]byte
	if len(name) >= len(text) || strings.IndexByte(name, 0) >= 0 {
		e := b.fail(op, ErrRange)
		e.Hint = fmt.Sprintf("a name has at most %d bytes and no NUL", len(text)-1)
		return e
	}
	copy(text[:], name)
	// The kernel reads on behind the first word.
	var words [len(text) / 8]uint64
	for i := range words {
		words[i] = binary.NativeEndian.Uint64(text[8*i:])
	}
	if b.isClosed() {
		return b.fail(op, ErrClosed)
	}
	if err := uapi.OpSetName.Do(b.fd, &words[0]); err != nil {
		return b.fail(op, err)
	}
	return nil
}

func (b *Buffer) fdinfo() (string, error) {
	var text []byte
	err := b.use(func(n int) (err error) {
		text, err = os.ReadFile(fmt.Sprintf("/proc/self/fdinfo/%d", n))
		return err
	})
	return string(text), err
}

// exporterName finds the exporter in a dma-buf's fdinfo. The first key wins:
// the buffer's own name comes later and may contain whole forged lines.
func exporterName(fdinfo string) (string, bool) {
	for line := range strings.Lines(fdinfo) {
		if name, ok := strings.CutPrefix(line, "exp_name:"); ok {
			return strings.TrimSpace(name), true
		}
	}
	return "", false
}

// bufferName finds the buffer's own name, which is all that comes after the
// first key of that kind.
func bufferName(fdinfo string) string {
	_, name, _ := strings.Cut(fdinfo, "\nname:\t")
	return strings.TrimSuffix(name, "\n")
}

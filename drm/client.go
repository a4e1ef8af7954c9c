package drm

import (
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"github.com/gemtool/gemtool/drm/internal/uapi"
	"github.com/gemtool/gemtool/drm/ioctl"
)

// maxClientName is DRM_CLIENT_NAME_MAX_LEN.
const maxClientName = 64

// SetClientName names this file for who looks at fdinfo or at the clients in
// debugfs. The name has at most 64 bytes, all of them printable ASCII and not
// a space; the empty one takes the name back.
//
// Nodes: card, render. Errors: ErrRange for another name, of which the kernel
// is not asked; ErrNotSupported for a kernel without the ioctl, which came
// after Linux 6.12. Source: drm_ioctl.c.
func (d *Device) SetClientName(name string) error {
	fail := func(err error) *Error {
		return d.NewError(uapi.OpSetClientName.Name(), strconv.QuoteToASCII(name), err)
	}
	if len(name) > maxClientName || strings.ContainsFunc(name, notGraph) {
		e := fail(ErrRange)
		e.Hint = "a client's name has at most 64 bytes of printable ASCII without spaces"
		return e
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	arg := uapi.SetClientName{NameLen: uint64(len(name)), Name: ioctl.Addr(&pin, []byte(name))}
	if err := uapi.OpSetClientName.Do(d.fd, &arg); err != nil {
		e := fail(err)
		if err == syscall.EINVAL {
			// Nothing is left to be wrong with the name.
			e.Kind = ErrNotSupported
			e.Hint = "this kernel is too old: names of clients came after Linux 6.12"
		}
		return e
	}
	return nil
}

// notGraph is what C's isgraph denies, for ASCII.
func notGraph(r rune) bool { return r <= ' ' || r > '~' }

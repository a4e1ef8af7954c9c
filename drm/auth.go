package drm

import (
	"fmt"

	"github.com/gemtool/gemtool/drm/internal/uapi"
)

// Magic is a number by which a master knows another open file of its device.
// Clients of display servers used it before there were render nodes.
type Magic uint32

func (m Magic) String() string { return fmt.Sprintf("magic %d", uint32(m)) }

// GetMagic returns this file's number, the same at every call, to be told to
// the master. It is never 0.
//
// Nodes: card. Errors: ErrPermission on a render node; ENOMEM. Source:
// drm_auth.c.
func (d *Device) GetMagic() (Magic, error) {
	var arg uapi.Auth
	if err := uapi.OpGetMagic.Do(d.fd, &arg); err != nil {
		return 0, d.NewError(uapi.OpGetMagic.Name(), "", err)
	}
	return Magic(arg.Magic), nil
}

// AuthMagic authenticates the file that has this number, which uses it up: a
// second call is EINVAL. Some drivers' own ioctls and GEM_FLINK ask for it on
// card nodes; PRIME and dumb buffers do not.
//
// Nodes: card. Permissions: master. Errors: EINVAL for an unknown number;
// ErrPermission.
func (d *Device) AuthMagic(m Magic) error {
	if err := uapi.OpAuthMagic.Do(d.fd, &uapi.Auth{Magic: uint32(m)}); err != nil {
		return d.NewError(uapi.OpAuthMagic.Name(), m.String(), err)
	}
	return nil
}

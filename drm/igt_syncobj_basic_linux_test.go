package drm_test

import (
	"syscall"
	"testing"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/internal/uapi"
)

// TestIGTSyncobjBasic passes if sync objects are made, shared and refused as in
// IGT's syncobj_basic.
//
// Case D26
func TestIGTSyncobjBasic(t *testing.T) {
	const bad = 0xdeadbeef
	toFD := func(arg uapi.SyncobjHandle) func(d *drm.Device) error {
		return func(d *drm.Device) error { return uapi.OpSyncobjHandleToFD.Do(d.FD(), &arg) }
	}
	fromFD := func(arg uapi.SyncobjHandle) func(d *drm.Device) error {
		return func(d *drm.Device) error { return uapi.OpSyncobjFDToHandle.Do(d.FD(), &arg) }
	}
	runSyncs(t, false, []subtest{
		refused("bad-destroy", syscall.EINVAL, func(d *drm.Device) error { return d.DestroySyncobj(bad) }),
		refused("bad-create-flags", syscall.EINVAL, func(d *drm.Device) error {
			_, err := d.CreateSyncobj(bad)
			return err
		}),
		refused("bad-handle-to-fd", syscall.EINVAL, toFD(uapi.SyncobjHandle{Handle: bad})),
		refused("bad-fd-to-handle", syscall.EINVAL, fromFD(uapi.SyncobjHandle{FD: -1})),
		refused("bad-flags-handle-to-fd", syscall.EINVAL, toFD(uapi.SyncobjHandle{Flags: bad})),
		refused("bad-flags-fd-to-handle", syscall.EINVAL, fromFD(uapi.SyncobjHandle{Flags: bad})),
		refused("bad-pad-handle-to-fd", syscall.EINVAL, toFD(uapi.SyncobjHandle{Pad: bad})),
		refused("bad-pad-fd-to-handle", syscall.EINVAL, fromFD(uapi.SyncobjHandle{Pad: bad})),
		refused("illegal-fd-to-handle", syscall.EINVAL, func(d *drm.Device) error {
			_, err := d.FDToSyncobj(d.FD())
			return err
		}),
		{"bad-destroy-pad", func(t *testing.T, s *syncs) {
			h := s.set(t, 1).hs[0] // it stays, to be destroyed at the end
			err := uapi.OpSyncobjDestroy.Do(s.FD(), &uapi.SyncobjDestroy{Handle: uint32(h), Pad: bad})
			wantErr(t, "destroy", err, syscall.EINVAL)
		}},
		{"create-signaled", func(t *testing.T, s *syncs) {
			h := newSyncobj(t, s.Device, drm.SyncobjSignaled)
			defer s.DestroySyncobj(h)
			_, err := s.WaitSyncobjs([]drm.SyncobjHandle{h}, drm.SyncobjWait{})
			wantErr(t, "wait", err, nil)
		}},
		{"test-valid-cycle", func(t *testing.T, s *syncs) {
			first := s.set(t, 1).hs[0]
			fd, err := s.SyncobjToFD(first)
			if err != nil {
				t.Fatal(err)
			}
			second, err := s.FDToSyncobj(fd)
			fd.Close()
			if err != nil || second == first {
				t.Fatalf("handle %d came back as %d, %v", first, second, err)
			}
			wantErr(t, "destroy", s.DestroySyncobj(second), nil)
		}},
	})
}

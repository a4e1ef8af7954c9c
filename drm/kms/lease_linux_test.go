package kms_test

import (
	"errors"
	"slices"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/kms"
)

// pipeline is a CRTC, a connector and a plane of a device, as little as can be
// leased.
func pipeline(t *testing.T, d *drm.Device) (r kms.Resources, objects []kms.Object) {
	t.Helper()
	r, err := kms.ReadResources(d)
	if err != nil {
		t.Fatal(err)
	}
	planes, err := kms.ReadPlanes(d)
	if err != nil {
		t.Fatal(err)
	}
	return r, []kms.Object{r.CRTCs[0].Object(), r.Connectors[0].Object(), planes[0].ID.Object()}
}

// TestLease passes if a lease is master of what was leased and sees nothing
// else, is found by who granted it, and can do nothing once it is revoked.
func TestLease(t *testing.T) {
	for _, driver := range kmsDrivers {
		t.Run(driver, func(t *testing.T) {
			c := igtCard(t, driver)
			r, objects := pipeline(t, c.Device)
			lease, id, err := kms.CreateLease(c.Device, objects)
			if err != nil {
				t.Fatal(err)
			}
			defer lease.Close()
			if is, err := lease.IsMaster(); !is || err != nil {
				t.Errorf("master: %v, %v", is, err)
			}
			if err := lease.FD().Use(func(n int) error {
				if flags, err := unix.FcntlInt(uintptr(n), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
					t.Errorf("descriptor flags %#x, %v: not close-on-exec", flags, err)
				}
				return nil
			}); err != nil {
				t.Error(err)
			}
			if got, err := kms.GetLease(lease); err != nil || !slices.Equal(numbers(got), numbers(objects)) {
				t.Errorf("leased: %v, %v, want %v", got, err, objects)
			}
			if got, err := kms.ListLessees(c.Device); err != nil || !slices.Equal(got, []kms.LesseeID{id}) {
				t.Errorf("lessees: %v, %v, want %v", got, err, id)
			}
			got, err := kms.ReadResources(lease)
			if err != nil || !slices.Equal(got.CRTCs, r.CRTCs[:1]) || !slices.Equal(got.Connectors, r.Connectors[:1]) {
				t.Errorf("resources of the lease: %+v, %v", got, err)
			}
			if all, err := kms.GetLease(c.Device); err != nil || len(all) <= len(objects) {
				t.Errorf("objects of the device: %d, %v", len(all), err)
			}
			leaseRefused(t, c.Device, lease, objects)

			if err := kms.RevokeLease(c.Device, id); err != nil {
				t.Error(err)
			}
			if _, err := kms.ReadCRTC(lease, r.CRTCs[0]); !errors.Is(err, syscall.ENOENT) {
				t.Errorf("CRTC of a revoked lease: %v, want ENOENT", err)
			}
			if got, err := kms.ListLessees(c.Device); err != nil || len(got) != 0 {
				t.Errorf("lessees after all: %v, %v", got, err)
			}
		})
	}
}

// numbers are the objects', sorted.
func numbers(objects []kms.Object) []uint32 {
	var ids []uint32
	for _, o := range objects {
		ids = append(ids, o.ID())
	}
	slices.Sort(ids)
	return ids
}

// leaseRefused passes if the kernel refuses leases as CreateLease says.
func leaseRefused(t *testing.T, d, lease *drm.Device, objects []kms.Object) {
	t.Helper()
	for name, test := range map[string]struct {
		by      *drm.Device
		objects []kms.Object
		want    error
	}{
		"what is lent already":  {d, objects, syscall.EBUSY},
		"without a plane":       {d, objects[:2], syscall.EINVAL},
		"without a connector":   {d, objects[:1], syscall.EINVAL},
		"twice the same":        {d, append(objects, objects[0]), syscall.ENOSPC},
		"what does not exist":   {d, append(objects, kms.AnyObject(none)), syscall.ENOENT},
		"of a lease":            {lease, objects, syscall.EINVAL},
		"of nothing on a lease": {lease, nil, syscall.EINVAL},
	} {
		got, _, err := kms.CreateLease(test.by, test.objects)
		if !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
		if err == nil {
			got.Close()
		}
	}
	if err := kms.RevokeLease(lease, 1); !errors.Is(err, syscall.EACCES) {
		t.Errorf("revoked by itself: %v, want EACCES", err)
	}
	empty, _, err := kms.CreateLease(d, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer empty.Close()
	if r, err := kms.ReadResources(empty); err != nil || len(r.CRTCs)+len(r.Connectors) != 0 {
		t.Errorf("a lease of nothing: %+v, %v", r, err)
	}
}

// TestLeaseMaster passes if a lease is master for as long as who granted it,
// and can change nothing about that.
func TestLeaseMaster(t *testing.T) {
	d := igtCard(t, "vkms").Device
	lease, _, err := kms.CreateLease(d, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer lease.Close()
	if err := lease.SetMaster(); err != nil {
		t.Errorf("SetMaster of who is one: %v", err)
	}
	if err := lease.DropMaster(); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("DropMaster: %v, want EINVAL", err)
	}
	if err := d.DropMaster(); err != nil {
		t.Fatal(err)
	}
	if err := lease.SetMaster(); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("SetMaster without its lessor: %v, want EINVAL", err)
	}
}

// TestLeaseClosed passes if a lease ends with its Device.
func TestLeaseClosed(t *testing.T) {
	c := igtCard(t, "vkms")
	_, objects := pipeline(t, c.Device)
	for range 2 {
		lease, _, err := kms.CreateLease(c.Device, objects)
		if err != nil {
			t.Fatal(err)
		}
		if err := lease.Close(); err != nil {
			t.Error(err)
		}
	}
	if got, err := kms.ListLessees(c.Device); err != nil || len(got) != 0 {
		t.Errorf("lessees: %v, %v", got, err)
	}
}

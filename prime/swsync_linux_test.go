package prime_test

import (
	"structs"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/drm/ioctl"
	"github.com/gemtool/gemtool/prime"
)

// swSyncPath is the kernel's source of fences for tests. Of our kernels 7.2 has
// it alone.
const swSyncPath = "/sys/kernel/debug/sync/sw_sync"

// swSyncCreateFence is struct sw_sync_create_fence_data of sw_sync.c.
type swSyncCreateFence struct {
	_     structs.HostLayout
	Value uint32
	Name  [32]byte
	Fence int32
}

var (
	opSWSyncCreateFence = ioctl.ReadWrite[swSyncCreateFence]("SW_SYNC_IOC_CREATE_FENCE", 'W', 0)
	opSWSyncInc         = ioctl.Write[uint32]("SW_SYNC_IOC_INC", 'W', 1)
)

// swTimeline is a counter whose fences are signaled when it reaches them.
type swTimeline struct{ fd *ioctl.FD }

func newSWTimeline(t *testing.T) swTimeline {
	t.Helper()
	n, err := unix.Open(swSyncPath, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		var name unix.Utsname
		unix.Uname(&name)
		if drmtest.InVM() && unix.ByteSliceToString(name.Release[:2]) == "7." {
			t.Fatalf("this VM has no sw_sync: %v", err)
		}
		t.Skipf("no sw_sync: %v: run in the VM (make test-kernels KERNELS=7.2)", err)
	}
	tl := swTimeline{ioctl.NewFD(n)}
	t.Cleanup(func() { tl.fd.Close() })
	return tl
}

func (tl swTimeline) fence(t *testing.T, value uint32) *prime.SyncFile {
	t.Helper()
	arg := swSyncCreateFence{Value: value}
	copy(arg.Name[:], "fence")
	if err := opSWSyncCreateFence.Do(tl.fd, &arg); err != nil {
		t.Fatal(err)
	}
	return syncFile(t, int(arg.Fence))
}

func (tl swTimeline) inc(t *testing.T, by uint32) {
	t.Helper()
	if err := opSWSyncInc.Do(tl.fd, &by); err != nil {
		t.Error(err)
	}
}

func syncFile(t *testing.T, n int) *prime.SyncFile {
	t.Helper()
	s, err := prime.NewSyncFile(ioctl.NewFD(n))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// wantSignaled checks whether all fences of a sync_file are signaled.
func wantSignaled(t *testing.T, when string, s *prime.SyncFile, want bool) {
	t.Helper()
	if got, err := s.Signaled(); err != nil || got != want {
		t.Errorf("%s: signaled: %v, %v, want %v", when, got, err, want)
	}
}

// wantIdle checks for which accesses a buffer is idle.
func wantIdle(t *testing.T, when string, b *prime.Buffer, read, write bool) {
	t.Helper()
	for access, want := range map[prime.Access]bool{prime.Read: read, prime.Write: write, prime.ReadWrite: write} {
		if idle, err := b.Idle(access); err != nil || idle != want {
			t.Errorf("%s: idle for %v: %v, %v, want %v", when, access, idle, err, want)
		}
	}
}

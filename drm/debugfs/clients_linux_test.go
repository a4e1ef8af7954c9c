package debugfs_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/gemtool/gemtool/drm/debugfs"
	"github.com/gemtool/gemtool/drm/drmtest"
)

// TestKernelClients passes if this process's file of a device is listed as it
// is, though the process calls itself something that forges a line.
//
// Cases F23, N21
func TestKernelClients(t *testing.T) {
	for _, driver := range []string{"vkms", "vgem", "virtio_gpu", "bochs-drm"} {
		t.Run(driver, func(t *testing.T) {
			dev := drmtest.RequireDevice(t, driver)
			read(t, func() ([]byte, error) { return debugfs.Default.Clients(minor(dev)) })
			const clientName = "gemtool-test"
			named := dev.SetClientName(clientName) == nil
			rename(t, "a\n b 1 0   y y")

			clients, err := debugfs.ParseClients(read(t, func() ([]byte, error) { return debugfs.Default.Clients(minor(dev)) }))
			if err != nil {
				t.Fatal(err)
			}
			want := debugfs.DeviceClient{
				Comm: "a\n b 1 0   y y", Minor: uint32(minor(dev)), UID: int64(os.Geteuid()),
			}
			i := slices.IndexFunc(clients, func(c debugfs.DeviceClient) bool {
				return c.Minor == want.Minor && c.Comm == want.Comm && (!named || c.Name == clientName)
			})
			if i < 0 {
				t.Fatalf("%+v is not in %+v", want, clients)
			}
			got := clients[i]
			if _, err := os.Stat(fmt.Sprintf("/proc/self/task/%d", got.TGID)); err != nil {
				t.Errorf("no thread %d", got.TGID)
			}
			want.TGID = got.TGID
			if named != got.HasID {
				t.Errorf("SET_CLIENT_NAME works: %v, but the name is listed: %v", named, got.HasID)
			}
			if want.Authenticated = true; named {
				want.Name, want.ID, want.HasID = clientName, got.ID, true
			}
			check(t, got, nil, want)
		})
	}
}

// rename gives the process a name until the test ends: all its threads, as Linux
// 6.1 prints that of the one that opened the device.
func rename(t *testing.T, name string) {
	t.Helper()
	old, err := os.ReadFile("/proc/self/comm")
	if err != nil {
		t.Fatal(err)
	}
	set := func(name []byte) {
		threads, err := filepath.Glob("/proc/self/task/*/comm")
		if err != nil || len(threads) == 0 {
			t.Error("no threads", err)
		}
		for _, thread := range threads {
			if err := os.WriteFile(thread, name, 0); err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Error(err)
			}
		}
	}
	t.Cleanup(func() { set(old[:len(old)-1]) })
	set([]byte(name))
}

// TestKernelName passes if the name says which driver the device has.
func TestKernelName(t *testing.T) {
	for _, driver := range []string{"vkms", "vgem", "virtio_gpu", "bochs-drm"} {
		t.Run(driver, func(t *testing.T) {
			dev := drmtest.RequireDevice(t, driver)
			text := read(t, func() ([]byte, error) { return debugfs.Default.Name(minor(dev)) })
			got, err := debugfs.ParseName(text)
			if err != nil || got.Driver != driver || got.Dev == "" || got.Unique != got.Dev {
				t.Errorf("%+v, %v of %q, want %s", got, err, text, driver)
			}
		})
	}
}

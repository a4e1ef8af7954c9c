package drmtest

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// CheckLeaks fails the test if at its end the process has other descriptors
// or DRM mappings than now. Register it before anything that the test's own
// cleanups close. Tests that run beside it confuse it.
func CheckLeaks(t TB) {
	t.Helper()
	startPoller(t)
	before, err := holdings()
	if err != nil {
		t.Fatalf("what this process holds: %v", err)
	}
	t.Cleanup(func() {
		t.Helper()
		after, err := holdings()
		if err != nil {
			t.Errorf("what this process holds: %v", err)
			return
		}
		if added := minus(after, before); len(added) > 0 {
			t.Errorf("left open: %s", strings.Join(added, ", "))
		}
		if gone := minus(before, after); len(gone) > 0 {
			t.Errorf("closed what the test did not open: %s", strings.Join(gone, ", "))
		}
	})
}

// startPoller makes the Go runtime open the descriptors of its poller, which it
// does with the first file that can be waited for, and never closes.
func startPoller(t TB) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatalf("starting the poller: %v", err)
	}
	r.Close()
	w.Close()
}

// holdings lists the descriptors and the mappings of DRM nodes and dma-bufs.
func holdings() ([]string, error) {
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return nil, err
	}
	var all []string
	for _, fd := range fds {
		target, err := os.Readlink("/proc/self/fd/" + fd.Name())
		if err != nil {
			continue // the descriptor of the listing itself
		}
		all = append(all, fmt.Sprintf("fd %s %q", fd.Name(), target))
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(maps)) {
		// start-end perms offset dev inode path
		f := strings.Fields(line)
		if len(f) >= 6 && (strings.HasPrefix(f[5], "/dev/dri/") || strings.HasPrefix(f[5], "/dmabuf")) {
			all = append(all, fmt.Sprintf("mapping %s of %q", f[0], f[5]))
		}
	}
	return all, nil
}

func minus(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return slices.Contains(b, s) })
}

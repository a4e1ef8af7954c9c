//go:build linux

package vm

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

type mount struct {
	source, target, kind string
	flags                uintptr
	data                 string
	optional             bool // the kernel may lack it
}

// mountFirst mounts what init needs to find the host.
func mountFirst() error {
	return mountAll([]mount{
		{"devtmpfs", "/dev", "devtmpfs", unix.MS_NOSUID, "mode=0755", false},
		{"proc", "/proc", "proc", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, "", false},
		{"sysfs", "/sys", "sysfs", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, "", false},
	})
}

// mountRest mounts what programs expect of a system, and the host's
// directories.
func mountRest(dirs []guestMount) error {
	mounts := []mount{
		{"tmpfs", "/run", "tmpfs", unix.MS_NOSUID | unix.MS_NODEV, "mode=0755", false},
		{"tmpfs", "/dev/shm", "tmpfs", unix.MS_NOSUID | unix.MS_NODEV, "mode=1777", false},
		{"devpts", "/dev/pts", "devpts", unix.MS_NOSUID | unix.MS_NOEXEC, "mode=0620,ptmxmode=0666", true},
		{"debugfs", "/sys/kernel/debug", "debugfs", 0, "", true},
		{"configfs", "/sys/kernel/config", "configfs", 0, "", true},
		{"cgroup2", "/sys/fs/cgroup", "cgroup2", 0, "", true},
	}
	for _, d := range dirs {
		flags := uintptr(0)
		if d.ReadOnly {
			flags = unix.MS_RDONLY
		}
		mounts = append(mounts, mount{d.Tag, d.Path, "9p", flags, "trans=virtio,version=9p2000.L,msize=512000,cache=mmap", false})
	}
	return mountAll(mounts)
}

func mountAll(mounts []mount) error {
	for _, m := range mounts {
		// The directories of sysfs exist if the kernel has what goes there.
		if err := os.MkdirAll(m.target, 0o755); err != nil && !m.optional {
			return err
		}
		err := unix.Mount(m.source, m.target, m.kind, m.flags, m.data)
		if err != nil && !(m.optional && (errors.Is(err, unix.ENODEV) || errors.Is(err, unix.ENOENT))) {
			return fmt.Errorf("mounting %s on %s: %w", m.kind, m.target, err)
		}
	}
	return nil
}

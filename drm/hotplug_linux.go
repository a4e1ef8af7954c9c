package drm

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm/ioctl"
)

// pollInterval is how often sysfs is looked at where there are no uevents.
const pollInterval = 2 * time.Second

// watch calls emit for what happens. It returns nil when emit says false, and
// otherwise why it had to end.
func watch(ctx context.Context, emit func(Uevent) bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	t := newNodeTable("/sys")
	if !ueventsReach("/proc/self/ns") {
		return t.poll(ctx, pollInterval, emit)
	}
	s, err := openUevents(ctx)
	switch {
	case err == unix.EMFILE || err == unix.ENFILE || err == unix.ENOMEM || err == unix.ENOBUFS:
		return err
	case err != nil:
		return t.poll(ctx, pollInterval, emit) // a sandbox
	}
	defer s.close()
	return t.listen(s, emit)
}

// listen starts from what sysfs has now, the socket being open already, and
// follows the kernel's messages.
func (t *nodeTable) listen(s *ueventSocket, emit func(Uevent) bool) error {
	if more, err := t.look(emit); !more {
		return err
	}
	for {
		m, err := s.next()
		if err == unix.ENOBUFS {
			if more, err := t.look(emit); !more {
				return err
			}
			if !t.allChanged(emit) {
				return nil
			}
			continue
		}
		if err != nil {
			return err
		}
		if u, ok := t.apply(m); ok && !emit(u) {
			return nil
		}
	}
}

// poll is listen where there is nothing to listen to.
func (t *nodeTable) poll(ctx context.Context, interval time.Duration, emit func(Uevent) bool) error {
	if more, err := t.look(emit); !more {
		return err
	}
	ports := t.connectors()
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		if more, err := t.look(emit); !more {
			return err
		}
		now := t.connectors()
		for _, u := range t.compare(ports, now) {
			if !emit(u) {
				return nil
			}
		}
		ports = now
	}
}

// procUserInit is the inode of the initial user namespace: PROC_USER_INIT_INO.
const procUserInit = 0xEFFFFFFD

var opGetUserNS = ioctl.None("NS_GET_USERNS", 0xb7, 1)

// ueventsReach says whether the kernel sends uevents of devices to this
// process's network namespace: it does if that belongs to the initial user
// namespace. ns is the directory of the process's namespaces.
func ueventsReach(ns string) bool {
	if _, err := os.Stat(ns); err != nil {
		return false // no /proc: nobody knows
	}
	// Without a user namespace of our own there are none in this kernel.
	var st unix.Stat_t
	if err := unix.Stat(filepath.Join(ns, "user"), &st); err != nil {
		return errors.Is(err, os.ErrNotExist)
	}
	n, err := unix.Open(filepath.Join(ns, "net"), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err == unix.ENOENT && st.Ino == procUserInit
	}
	net := ioctl.NewFD(n)
	defer net.Close()
	// EPERM: it belongs to a namespace that this process cannot see into,
	// and neither would it see that a message is root's.
	owner, err := opGetUserNS.Call(net, &struct{}{})
	if err != nil {
		return false
	}
	defer unix.Close(owner)
	return unix.Fstat(owner, &st) == nil && st.Ino == procUserInit
}

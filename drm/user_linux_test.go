package drm_test

import "golang.org/x/sys/unix"

// writeUser writes into memory that is known by its address alone, as the
// kernel does.
func writeUser(addr uintptr, s string) {
	if s == "" {
		return
	}
	b := []byte(s)
	local := []unix.Iovec{{Base: &b[0]}}
	local[0].SetLen(len(b))
	remote := []unix.RemoteIovec{{Base: addr, Len: len(b)}}
	if _, err := unix.ProcessVMWritev(unix.Getpid(), local, remote, 0); err != nil {
		panic(err)
	}
}

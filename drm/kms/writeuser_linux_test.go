package kms_test

import (
	"encoding/binary"
	"testing"

	"golang.org/x/sys/unix"
)

// writeUser writes a list of fixed-size values into memory that is known by
// its address alone, as the kernel does.
func writeUser[E any](t *testing.T, addr uint64, list []E) {
	t.Helper()
	b, err := binary.Append(nil, binary.NativeEndian, list)
	if err != nil {
		t.Fatal(err)
	}
	if len(b) == 0 {
		return
	}
	local := []unix.Iovec{{Base: &b[0]}}
	local[0].SetLen(len(b))
	remote := []unix.RemoteIovec{{Base: uintptr(addr), Len: len(b)}}
	if _, err := unix.ProcessVMWritev(unix.Getpid(), local, remote, 0); err != nil {
		t.Fatal(err)
	}
}

// readUser reads what writeUser writes.
func readUser[E any](t *testing.T, addr uint64, n int) []E {
	t.Helper()
	list := make([]E, n)
	b := make([]byte, binary.Size(list))
	if len(b) == 0 {
		return list
	}
	local := []unix.Iovec{{Base: &b[0]}}
	local[0].SetLen(len(b))
	remote := []unix.RemoteIovec{{Base: uintptr(addr), Len: len(b)}}
	if _, err := unix.ProcessVMReadv(unix.Getpid(), local, remote, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := binary.Decode(b, binary.NativeEndian, list); err != nil {
		t.Fatal(err)
	}
	return list
}

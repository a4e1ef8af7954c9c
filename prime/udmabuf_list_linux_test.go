package prime_test

import (
	"errors"
	"os"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/prime"
)

// memfd makes a memory file of so many pages with seals, each page full of its
// number.
func memfd(t *testing.T, pages, seals int) *os.File {
	t.Helper()
	n, err := unix.MemfdCreate("client", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(n), "client")
	t.Cleanup(func() { f.Close() })
	page := make([]byte, os.Getpagesize())
	for i := range pages {
		for j := range page {
			page[j] = byte(i)
		}
		if _, err := f.Write(page); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := unix.FcntlInt(uintptr(n), unix.F_ADD_SEALS, seals); err != nil {
		t.Fatal(err)
	}
	return f
}

// TestUdmabufOf passes if parts of memory files become one buffer in their
// order, which is the same memory, and what the kernel refuses with EINVAL is
// named before.
//
// Case E07
func TestUdmabufOf(t *testing.T) {
	guard(t)
	udmabuf(t, 4096) // or skip
	page := uint64(os.Getpagesize())
	a, b := memfd(t, 4, unix.F_SEAL_SHRINK), memfd(t, 2, unix.F_SEAL_SHRINK)
	buf, err := prime.NewUdmabufOf(prime.Memory{a, page, 2 * page}, prime.Memory{b, 0, page}, prime.Memory{a, 0, page})
	if err != nil {
		t.Fatal(err)
	}
	defer buf.Close()
	m, err := buf.Map()
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for i, want := range []byte{1, 2, 0, 0} {
		if got := m.Bytes()[uint64(i)*page+7]; got != want {
			t.Errorf("page %d is full of %d, want %d", i, got, want)
		}
	}
	if _, err := a.WriteAt([]byte{99}, int64(page)); err != nil {
		t.Fatal(err)
	}
	if m.Bytes()[0] != 99 {
		t.Error("the client's write is not seen: this is a copy")
	}
	vgem := drmtest.RequireDevice(t, "vgem")
	h, err := buf.Import(vgem)
	if err != nil {
		t.Fatal(err)
	}
	if err := vgem.CloseHandle(h); err != nil {
		t.Error(err)
	}

	limit, ok := prime.ReadParameter("/sys/module/udmabuf/parameters/list_limit")
	if !ok {
		limit = 1024
	}
	many := make([]prime.Memory, min(limit, 1024))
	for i := range many {
		many[i] = prime.Memory{a, 0, page}
	}
	text, err := os.Open("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	defer text.Close()
	closed := memfd(t, 1, 0)
	closed.Close()
	big, ok := prime.ReadParameter("/sys/module/udmabuf/parameters/size_limit_mb")
	if !ok {
		big = 64
	}
	for _, test := range []struct {
		name  string
		parts []prime.Memory
		want  error
	}{
		{"none", nil, prime.ErrRange},
		{"too many", append(many, many[0]), prime.ErrRange},
		{"size 0", []prime.Memory{{a, 0, 0}}, prime.ErrRange},
		{"part of a page", []prime.Memory{{a, 0, page - 1}}, prime.ErrRange},
		{"from inside a page", []prime.Memory{{a, 1, page}}, prime.ErrRange},
		{"past the end", []prime.Memory{{a, 3 * page, 2 * page}}, prime.ErrRange},
		{"wrapped", []prime.Memory{{a, -page, 2 * page}}, prime.ErrRange},
		{"too large", []prime.Memory{{a, 0, big << 20}, {a, 0, page}}, prime.ErrRange},
		{"no seal", []prime.Memory{{memfd(t, 1, 0), 0, page}}, prime.ErrSeals},
		{"sealed against writing", []prime.Memory{{memfd(t, 1, unix.F_SEAL_SHRINK|unix.F_SEAL_WRITE), 0, page}}, prime.ErrSeals},
		{"no memory file", []prime.Memory{{text, 0, page}}, syscall.EBADFD},
		{"closed", []prime.Memory{{closed, 0, page}}, prime.ErrClosed},
	} {
		_, err := prime.NewUdmabufOf(test.parts...)
		if !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
		t.Logf("%s: %v", test.name, err)
	}
	// As many as are allowed.
	all, err := prime.NewUdmabufOf(many...)
	if err != nil {
		t.Fatal(err)
	}
	all.Close()
}

//go:build gemdebug

package quarantine

import (
	"bytes"
	"fmt"
	"os"
	"reflect"
	"runtime/debug"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

func mmap(t *testing.T, size int) []byte {
	t.Helper()
	b, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_ANONYMOUS)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var sink byte

// touch reads a byte, and says at which address that faulted.
func touch(b *byte) (addr uintptr, faulted bool) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if e, ok := recover().(interface{ Addr() uintptr }); ok {
			addr, faulted = e.Addr(), true
		}
	}()
	sink = *b
	return 0, false
}

func address(b []byte) uintptr { return reflect.ValueOf(b).Pointer() }

// permissions are those of the range that has an address, in
// /proc/self/maps, or "" where nothing is mapped.
func permissions(t *testing.T, b []byte) string {
	t.Helper()
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	addr := address(b)
	for line := range bytes.Lines(maps) {
		var start, end uintptr
		var perms string
		if _, err := fmt.Sscanf(string(line), "%x-%x %s", &start, &end, &perms); err != nil {
			t.Fatal(err)
		}
		if start <= addr && addr < end {
			return perms
		}
	}
	return ""
}

// TestFault passes if a touch of an ended mapping faults at its address, and
// nothing else gets that address.
//
// Case B21
func TestFault(t *testing.T) {
	const size = 16384
	b := mmap(t, size)
	if _, faulted := touch(&b[5]); faulted {
		t.Fatal("a living mapping faults")
	}
	if err := Munmap(b); err != nil {
		t.Fatal(err)
	}
	if addr, faulted := touch(&b[size-1]); !faulted || addr != address(b[size-1:]) {
		t.Errorf("touch: fault %v at %#x, want one at %p", faulted, addr, &b[size-1])
	}
	if p := permissions(t, b); p != "---p" {
		t.Errorf("permissions %q", p)
	}
	for range 100 {
		other := mmap(t, size)
		defer Munmap(other)
		if &other[0] == &b[0] {
			t.Fatal("the addresses are given out again")
		}
	}
}

// TestRefusals passes if what is no whole living mapping is EINVAL and stays
// as it is.
func TestRefusals(t *testing.T) {
	b := mmap(t, 16384)
	heap := make([]byte, 8192)
	for name, wrong := range map[string][]byte{
		"nothing": nil, "head": b[:4096], "tail": b[4096:], "one byte less": b[:len(b)-1], "memory of Go": heap,
	} {
		if err := Munmap(wrong); err != unix.EINVAL {
			t.Errorf("Munmap of %s: %v, want EINVAL", name, err)
		}
	}
	b[0], b[len(b)-1], heap[0] = 1, 2, 3 // faults if they are gone
	if err := Munmap(b); err != nil {
		t.Fatal(err)
	}
	if err := Munmap(b); err != unix.EINVAL {
		t.Errorf("second Munmap: %v, want EINVAL", err)
	}
}

// TestBounds passes if not more is kept than the bounds say, the oldest goes
// first, and what does not fit goes at once.
func TestBounds(t *testing.T) {
	first := mmap(t, 4096)
	if err := Munmap(first); err != nil {
		t.Fatal(err)
	}
	for len(kept.ranges) < maxRanges {
		if err := Munmap(mmap(t, 4096)); err != nil {
			t.Fatal(err)
		}
	}
	if p := permissions(t, first); p != "---p" {
		t.Errorf("the first range has permissions %q before there are %d", p, maxRanges)
	}
	for &kept.ranges[0][0] != &first[0] { // tests before this one have left some
		if err := Munmap(mmap(t, 4096)); err != nil {
			t.Fatal(err)
		}
	}
	if err := Munmap(mmap(t, 4096)); err != nil {
		t.Fatal(err)
	}
	if p := permissions(t, first); p == "---p" {
		t.Error("the first range is still there")
	}
	if len(kept.ranges) != maxRanges {
		t.Errorf("%d ranges kept, want %d", len(kept.ranges), maxRanges)
	}
	huge, err := unix.Mmap(-1, 0, maxBytes+4096, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE)
	if err != nil {
		t.Skipf("no room for %d bytes: %v", maxBytes, err)
	}
	if err := Munmap(huge); err != nil {
		t.Fatal(err)
	}
	if len(kept.ranges) != 0 || kept.bytes != 0 {
		t.Errorf("%d ranges, %d bytes kept", len(kept.ranges), kept.bytes)
	}
}

// TestManyGoroutines passes if mappings that come and go at once are not
// mixed up.
func TestManyGoroutines(t *testing.T) {
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 300 {
				b := mmap(t, 8192)
				b[4097] = 7
				if err := Munmap(b); err != nil {
					t.Error(err)
				}
				if _, faulted := touch(&b[4097]); !faulted {
					t.Error("no fault")
					return
				}
			}
		})
	}
	wg.Wait()
}

package prime_test

import (
	"bytes"
	"errors"
	"math"
	"os"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/drm/ioctl"
	"github.com/gemtool/gemtool/prime"
)

// TestMapping passes if all Mappings of a buffer are one, which lives until
// the last of them is closed, whenever the Buffer is.
func TestMapping(t *testing.T) {
	drmtest.CheckLeaks(t)
	b := memBuffer(t, 3*4096, prime.ReadWrite)
	m1, err := b.Map()
	if err != nil {
		t.Fatal(err)
	}
	m2, err := b.Map()
	if err != nil {
		t.Fatal(err)
	}
	b1, b2 := m1.Bytes(), m2.Bytes()
	if len(b1) != 3*4096 || &b1[0] != &b2[0] {
		t.Errorf("two mappings: %p with %d bytes, %p with %d", b1, len(b1), b2, len(b2))
	}
	if err := m1.Close(); err != nil {
		t.Error(err)
	}
	if m1.Bytes() != nil {
		t.Error("a closed mapping has bytes")
	}
	if err := m1.Close(); !errors.Is(err, prime.ErrStale) {
		t.Errorf("second Close: %v, want ErrStale", err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	copy(m2.Bytes()[2*4096:], "still there")
	if _, err := b.Map(); !errors.Is(err, prime.ErrClosed) {
		t.Errorf("Map after Close: %v, want ErrClosed", err)
	}
	if !mapped(t, "memfd:prime") {
		t.Error("unmapped before the last Close")
	}
	if err := m2.Close(); err != nil {
		t.Error(err)
	}
	if mapped(t, "memfd:prime") {
		t.Error("mapped after the last Close")
	}
}

// mapped says whether this process maps a file whose path contains name.
func mapped(t *testing.T, name string) bool {
	t.Helper()
	text, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(text), name)
}

// TestMapReadOnly passes if a buffer is mapped with no more than the access
// of its export.
func TestMapReadOnly(t *testing.T) {
	drmtest.CheckLeaks(t)
	b := memBuffer(t, 4096, prime.Read)
	m, err := b.Map()
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	text, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, "memfd:prime") && !strings.Contains(line, " r--s ") {
			t.Errorf("mapped as %s", line)
		}
	}
}

// TestMapRefused passes if a mapping that cannot be is a typed error.
func TestMapRefused(t *testing.T) {
	drmtest.CheckLeaks(t)
	null, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	fd := ioctl.NewFD(null)
	defer fd.Close()
	for _, test := range []struct {
		name string
		size uint64
		want []error
	}{
		{"no mmap", 4096, []error{prime.ErrNotSupported, unix.ENODEV}},
		{"beyond int", math.MaxInt + 1, []error{prime.ErrRange}},
		{"2^64-1", math.MaxUint64, []error{prime.ErrRange}},
	} {
		b := prime.NewTestBuffer(fd, test.size, prime.ReadWrite)
		for range 2 {
			_, err := b.Map()
			for _, want := range test.want {
				if !errors.Is(err, want) {
					t.Errorf("%s: %v, want %v", test.name, err, want)
				}
			}
		}
	}
}

// TestMapConcurrent passes if goroutines that map, use and unmap one buffer
// never see it unmapped.
func TestMapConcurrent(t *testing.T) {
	drmtest.CheckLeaks(t)
	b := memBuffer(t, 4096, prime.ReadWrite)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for range 200 {
				m, err := b.Map()
				if err != nil {
					t.Error(err)
					return
				}
				p := m.Bytes()[100*i:][:100]
				p[0]++
				if !bytes.Equal(p[1:], make([]byte, 99)) {
					t.Error("foreign bytes")
				}
				if err := m.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if mapped(t, "memfd:prime") {
		t.Error("mapped after the last Close")
	}
}

// TestView passes if a view shows its own part of the buffer, of every exporter,
// and none reaches out of the buffer, whatever the numbers.
//
// Case B07
func TestView(t *testing.T) {
	guard(t)
	for name, b := range buffers(t) {
		m, err := b.Map()
		if err != nil {
			t.Fatal(err)
		}
		for i := range m.Bytes() {
			m.Bytes()[i] = byte(i >> 12)
		}
		v, err := m.View(4096, 100)
		if err != nil || len(v) != 100 || cap(v) != 100 || v[0] != 1 || v[99] != 1 {
			t.Errorf("%s: %d bytes, %v", name, len(v), err)
		}
		for _, r := range [][2]uint64{{0, 12288}, {12288, 0}, {12287, 1}} {
			if v, err := m.View(r[0], r[1]); err != nil || uint64(len(v)) != r[1] {
				t.Errorf("%s: %d: %d bytes, %v", name, r, len(v), err)
			}
		}
		for _, r := range [][2]uint64{{0, 12289}, {12288, 1}, {12289, 0}, {1, 12288}, {1, math.MaxUint64}, {math.MaxUint64, 1}, {math.MaxUint64, math.MaxUint64}} {
			if _, err := m.View(r[0], r[1]); !errors.Is(err, prime.ErrRange) {
				t.Errorf("%s: %d: %v, want ErrRange", name, r, err)
			}
		}
		m.Close()
		if _, err := m.View(0, 1); !errors.Is(err, prime.ErrStale) {
			t.Errorf("%s: after Close: %v, want ErrStale", name, err)
		}
	}
}

package drmtest_test

import (
	"errors"
	"syscall"
	"testing"

	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/drmtest"
)

// TestFake passes if two fake cards share bytes, a handle's number comes back
// as the kernel's do, and what is held is counted.
func TestFake(t *testing.T) {
	drmtest.CheckLeaks(t)
	f := drmtest.NewFake(t)
	card := f.NewCard("one")
	a, b := card.Open(), f.NewCard("two").Open()
	if v, err := a.Version(); err != nil || v.Name != "one" || a.Kind() != drm.NodePrimary || a.Rdev() == b.Rdev() {
		t.Errorf("version %+v, %v, kind %v, numbers %#x and %#x", v, err, a.Kind(), a.Rdev(), b.Rdev())
	}
	o, err := a.CreateDumb(64, 64, 32)
	if err != nil {
		t.Fatal(err)
	}
	fd, err := a.HandleToFD(o.Handle)
	if err != nil {
		t.Fatal(err)
	}
	h, err := b.FDToHandle(fd)
	if err != nil {
		t.Fatal(err)
	}
	again, err := b.FDToHandle(fd)
	if err != nil || again != h {
		t.Errorf("second import: handle %v, %v, want %v", again, err, h)
	}
	if self, err := card.Open().FDToHandle(fd); err != nil || self != 1 {
		t.Errorf("import on another file: %v, %v", self, err)
	}
	fd.Close()
	offset, err := a.MapDumb(o.Handle)
	if err != nil {
		t.Fatal(err)
	}
	m, err := a.Mmap(offset, o.Size)
	if err != nil {
		t.Fatal(err)
	}
	if got := f.Count(); got != (drmtest.FakeCount{Handles: 3, Mappings: 1}) {
		t.Errorf("held: %+v", got)
	}
	m[5] = 5
	if err := drm.Munmap(m); err != nil {
		t.Error(err)
	}
	if err := a.CloseHandle(o.Handle); err != nil {
		t.Error(err)
	}
	if o, err := a.CreateDumb(1, 1, 8); err != nil || o.Handle != 1 || o.Size == 0 {
		t.Errorf("%+v, %v", o, err)
	}
	if got := f.Misuse(); len(got) > 0 {
		t.Errorf("misuse: %q", got)
	}
}

// TestFakeStrict passes if what a careful client never does is refused as the
// kernel does, and remembered.
func TestFakeStrict(t *testing.T) {
	f := drmtest.NewFake(t)
	card := f.NewCard("fake")
	d, other := card.Open(), card.Open()
	o, err := d.CreateDumb(64, 64, 32)
	if err != nil {
		t.Fatal(err)
	}
	fd, err := d.HandleToFD(o.Handle)
	if err != nil {
		t.Fatal(err)
	}
	defer fd.Close()
	imported, err := f.NewCard("importer").Open().FDToHandle(fd)
	if err != nil || imported != 1 {
		t.Fatal(imported, err)
	}
	offset, err := d.MapDumb(o.Handle)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		call func() error
		want error
	}{
		{"close of no handle", func() error { return d.CloseHandle(9) }, syscall.EINVAL},
		{"map of no handle", func() error { _, err := d.MapDumb(9); return err }, syscall.ENOENT},
		{"export of no handle", func() error { _, err := d.HandleToFD(9); return err }, syscall.ENOENT},
		{"mmap of nothing", func() error { _, err := d.Mmap(offset+o.Size, 4096); return err }, syscall.EINVAL},
		{"mmap of too much", func() error { _, err := d.Mmap(offset, 2*o.Size); return err }, syscall.EINVAL},
		{"mmap of another file's", func() error { _, err := other.Mmap(offset, o.Size); return err }, syscall.EACCES},
	} {
		if err := test.call(); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
		if got := f.Misuse(); len(got) != 1 {
			t.Errorf("%s: misuse %q", test.name, got)
		}
	}
	f.Fail("GEM_CLOSE", syscall.EIO)
	if err := d.CloseHandle(o.Handle); !errors.Is(err, syscall.EIO) {
		t.Errorf("injected: %v", err)
	}
	f.Fail(drmtest.FakeMmap, 0, syscall.ENOMEM)
	m, err := d.Mmap(offset, o.Size)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Mmap(offset, o.Size); !errors.Is(err, syscall.ENOMEM) {
		t.Errorf("injected: %v", err)
	}
	if err := drm.Munmap(m); err != nil {
		t.Error(err)
	}
	card.Unplug()
	if err := d.CloseHandle(o.Handle); !errors.Is(err, drm.ErrGone) {
		t.Errorf("on a card that is gone: %v", err)
	}
}

package prime_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/gemtool/gemtool/drm/drmtest"
	"github.com/gemtool/gemtool/prime"
)

// childFD is where exec.Cmd puts the first of its ExtraFiles.
const childFD = 3

// TestChild passes if a process that was given a buffer's file can map it, and
// what it writes inside a window is seen here.
//
// Case C28
func TestChild(t *testing.T) {
	if os.Getenv("PRIME_TEST_CHILD") != "" {
		child(t)
		return
	}
	drmtest.GuardKernelLog(t)
	drmtest.CheckLeaks(t)
	dev := drmtest.RequireDevice(t, "vgem")
	dumb, err := dev.CreateDumb(64, 64, 32)
	if err != nil {
		t.Fatal(err)
	}
	defer dev.DestroyDumb(dumb.Handle)
	b, err := prime.Export(dev, dumb.Handle)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	m, err := b.Map()
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	m.Bytes()[0] = 1

	f, err := b.File()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^TestChild$")
	cmd.Env = append(os.Environ(), "PRIME_TEST_CHILD=1")
	cmd.ExtraFiles = []*os.File{f}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("child: %v\n%s", err, out)
	}
	if got := m.Bytes()[len(m.Bytes())-1]; got != 2 {
		t.Errorf("the last byte is %d, want the child's 2", got)
	}
}

func child(t *testing.T) {
	f := os.NewFile(childFD, "dma-buf")
	defer f.Close()
	b, err := prime.FromFile(f)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	m, err := b.Map()
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	w, err := b.BeginAccess(t.Context(), prime.ReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer w.End()
	if m.Bytes()[0] != 1 {
		t.Errorf("the first byte is %d, want the parent's 1", m.Bytes()[0])
	}
	m.Bytes()[len(m.Bytes())-1] = 2
}

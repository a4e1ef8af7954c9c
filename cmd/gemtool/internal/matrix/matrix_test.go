package matrix

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"github.com/gemtool/gemtool/cmd/gemtool/internal/pattern"
	"github.com/gemtool/gemtool/cmd/gemtool/internal/touch"
	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/kms"
	"github.com/gemtool/gemtool/prime"
)

// TestClassify passes if an error counts as "not supported" only at the steps
// where that is known, and a broken rule or a lost device never does.
func TestClassify(t *testing.T) {
	errno := func(e syscall.Errno) error { return &drm.Error{Op: "OP", Path: "/dev/dri/card0", Err: e} }
	gone := &drm.Error{Op: "OP", Err: syscall.ENODEV, Kind: drm.ErrGone}
	for _, test := range []struct {
		step string
		err  error
		want Outcome
		code string
	}{
		{StepAllocate, errno(syscall.EOPNOTSUPP), Refused, "EOPNOTSUPP"},
		{StepAllocate, errno(syscall.ENOSYS), Refused, "ENOSYS"},
		{StepAllocate, &prime.Error{Op: "open", Err: syscall.EACCES}, Denied, "EACCES"},
		{StepAllocate, &prime.Error{Op: "create", Err: prime.ErrRange}, Refused, "too-large"},
		{StepAllocate, errno(syscall.EINVAL), Failed, "EINVAL"},
		{StepAllocate, &drm.Error{Op: "create", Err: drm.ErrShortBuffer}, Failed, "short-buffer"},
		{StepMap, errno(syscall.ENOMEM), Failed, "ENOMEM"},
		{StepExport, errno(syscall.ENOSYS), Refused, "ENOSYS"},
		{StepExport, &prime.Error{Op: "export", Err: prime.ErrAccessMode}, Failed, "read-only"},
		{StepImport, errno(syscall.ENODEV), Refused, "ENODEV"},
		{StepImport, errno(syscall.ENOSYS), Refused, "ENOSYS"},
		{StepImport, errno(syscall.EINVAL), Refused, "EINVAL"},
		{StepImport, errno(syscall.ENOMEM), Failed, "ENOMEM"},
		{StepImport, gone, Failed, "ENODEV"},
		{StepRead, fmt.Errorf("%w: 1, not 2", errIdentity), Failed, "other-buffer"},
		{StepRead, errno(syscall.EINVAL), Failed, "EINVAL"},
		{StepRead, &prime.Error{Op: "mmap", Err: syscall.EINVAL, Kind: prime.ErrNotSupported}, Unsupported, "EINVAL"},
		{StepWrite, &pattern.Mismatch{}, Failed, "wrong-pixels"},
		{StepWrite, touch.ErrFault, Failed, "fault"},
		{StepFramebuffer, errno(syscall.EOPNOTSUPP), Unsupported, "EOPNOTSUPP"},
		{StepFramebuffer, errno(syscall.EINVAL), Unsupported, "EINVAL"},
		{StepFramebuffer, errno(syscall.EIO), Failed, "EIO"},
		{StepFramebuffer, notTried("reason"), NotTried, "error"},
		{StepEngine, &drm.Error{Op: "readback", Err: kms.ErrNoWriteback}, Unsupported, "error"},
		{StepEngine, &drm.Error{Op: "SET_MASTER", Err: syscall.EBUSY, Kind: kms.ErrBusy}, NotTried, "EBUSY"},
		{StepEngine, errno(syscall.EINVAL), Failed, "EINVAL"},
		{StepRelease, fmt.Errorf("%w: descriptor 3", errLeak), Failed, "leak"},
		{StepRelease, fs.ErrClosed, Failed, "closed"},
	} {
		if got := classify(test.step, test.err, "vkms"); got != test.want {
			t.Errorf("%s: %v: got %v, want %v", test.step, test.err, got, test.want)
		}
		if got := Code(test.err); got != test.code {
			t.Errorf("%v: got code %q, want %q", test.err, got, test.code)
		}
	}
}

// TestClassifyNVIDIA passes if what nvidia-drm says to memory that it cannot
// attach to is a refusal, and the same of others is not.
func TestClassifyNVIDIA(t *testing.T) {
	for importer, want := range map[string]Outcome{"nvidia-drm": Refused, "i915": Failed} {
		if got := classify(StepImport, syscall.ENOMEM, importer); got != want {
			t.Errorf("%s: got %v", importer, got)
		}
	}
	if got := classify(StepAllocate, syscall.ENOMEM, "nvidia-drm"); got != Failed {
		t.Errorf("at another step: got %v", got)
	}
}

// TestCell passes if a cell shows the worst that happened, else its depth.
func TestCell(t *testing.T) {
	fine := func() error { return nil }
	fails := func(err error) func() error { return func() error { return err } }
	c := &Cell{Depth: CPU, Importer: &Endpoint{}}
	if c.step(StepRead, fine) != OK || c.String() != "cpu" || c.Failure() != nil {
		t.Errorf("got %v", c)
	}
	if c.step(StepFramebuffer, fails(syscall.EOPNOTSUPP)) != Unsupported || c.String() != "cpu" || c.Outcome != OK {
		t.Errorf("after a step that is not supported: %v, %v", c, c.Outcome)
	}
	c.step(StepImport, fails(syscall.ENODEV))
	if c.String() != "import ENODEV" || c.Outcome != Refused {
		t.Errorf("after a refusal: %v, %v", c, c.Outcome)
	}
	c.step(StepRelease, fails(errLeak))
	if c.String() != "release leak" || c.Outcome != Failed {
		t.Errorf("after a refusal and a leak: %v, %v", c, c.Outcome)
	}
	self := &Cell{Self: true, Depth: FB, Importer: &Endpoint{}}
	if self.String() != "self" {
		t.Errorf("self: %v", self)
	}
	if self.step(StepWrite, fails(&pattern.Mismatch{})); self.String() != "write wrong-pixels" {
		t.Errorf("self with wrong pixels: %v", self)
	}
}

// TestExplain passes if each distinct failure has one line, with all of its
// pairs, and what is known about a driver is in it.
func TestExplain(t *testing.T) {
	cell := func(from, to, step string, err error) *Cell {
		c := &Cell{Exporter: &Endpoint{Name: from + " card", Driver: from}, Importer: &Endpoint{Name: to + " card", Driver: to}}
		c.step(step, func() error { return err })
		return c
	}
	lines := Explain([]*Cell{
		cell("vgem", "vkms", StepRead, nil),
		cell("vgem", "virtio_gpu", StepImport, syscall.ENODEV),
		cell("vkms", "virtio_gpu", StepImport, syscall.ENODEV),
		cell("vkms", "bochs-drm", StepImport, syscall.EINVAL),
		cell("vkms", "vc4", StepImport, syscall.EINVAL),
		cell("bochs-drm", "vkms", StepImport, syscall.ENOSYS),
		cell("one", "two", StepImport, syscall.ENOSYS),
		cell("one", "three", StepImport, syscall.ENODEV),
		cell("one", "two", StepMap, syscall.ENOMEM),
		cell("one", "nvidia-drm", StepImport, syscall.ENOMEM),
		cell("one", "two", StepImport, syscall.ENOMEM),
		cell("udmabuf", "amdgpu", StepFramebuffer, syscall.EINVAL),
		cell("vkms", "vgem", StepFramebuffer, syscall.EOPNOTSUPP),
		cell("one", "two", StepRelease, errLeak),
		cell("one", "two", StepEngine, syscall.EIO),
		cell("one", "two", StepImport, &drm.Error{Op: "OP", Err: syscall.ENODEV, Kind: drm.ErrGone}),
	})
	want := []string{
		"import ENODEV, from vgem card, vkms card into virtio_gpu card: ~without blob resources",
		"import EINVAL, from vkms card into bochs-drm card: ~bochs-drm is known to have no import",
		"import EINVAL, from vkms card into vc4 card: ~Known reasons are",
		"import ENOSYS, from bochs-drm card into vkms card: ~keeps buffers in video memory",
		"import ENOSYS, from one card into two card: ~One of the two drivers",
		"import ENODEV, from one card into three card: ~takes only its own",
		"map ENOMEM, from one card into two card: ~not enough memory",
		"import ENOMEM, from one card into nvidia-drm card: ~nvidia-drm refuses memory",
		"import ENOMEM, from one card into two card: ~Try: close handles",
		"framebuffer EINVAL, from udmabuf card into amdgpu card: ~amdgpu shows no memory of other devices",
		"release leak, from one card into two card: ~a bug of gemtool",
		"engine EIO, from one card into two card: ~Nothing is known",
		"import ENODEV, from one card into two card: ~unplugged",
	}
	if len(lines) != len(want) {
		t.Fatalf("got %d lines, want %d:\n%s", len(lines), len(want), strings.Join(lines, "\n"))
	}
	for i, line := range lines {
		prefix, part, _ := strings.Cut(want[i], "~")
		if !strings.HasPrefix(line, prefix) || !strings.Contains(line, part) || strings.Contains(line, "\n") {
			t.Errorf("got  %q\nwant %q", line, want[i])
		}
	}
}

// TestRunDenied passes if nothing is opened for a pair that is not permitted,
// and an endpoint that imports and exports counts once.
func TestRunDenied(t *testing.T) {
	card := &Endpoint{Name: "card", Path: "/dev/null", Err: fs.ErrPermission, device: 0}
	s := &Set{Exporters: []*Endpoint{card}, Importers: []*Endpoint{card}}
	cells, err := Run(t.Context(), s, Config{Width: 16, Height: 16})
	if err != nil || len(cells) != 1 || cells[0].String() != "denied" || len(cells[0].Steps) != 0 {
		t.Errorf("got %v, %v", cells, err)
	}
	if denied, all := s.Denied(); denied != 1 || all != 1 {
		t.Errorf("%d of %d denied", denied, all)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, s, Config{}); !errors.Is(err, context.Canceled) {
		t.Errorf("after cancel: %v", err)
	}
}

// TestRunNoDevice passes if an endpoint that went away meanwhile is a failure
// of its first step, and not a crash.
func TestRunNoDevice(t *testing.T) {
	lost := &Endpoint{Name: "lost", Path: t.TempDir() + "/card0", device: 0}
	cells, err := Run(t.Context(), &Set{Exporters: []*Endpoint{lost}, Importers: []*Endpoint{lost}}, Config{Width: 16, Height: 16})
	if err != nil || len(cells) != 1 || cells[0].Outcome != Failed || cells[0].Failure().Name != StepAllocate {
		t.Errorf("got %v, %v", cells, err)
	}
}

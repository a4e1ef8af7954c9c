package matrix

import (
	"errors"
	"io/fs"
	"syscall"

	"github.com/gemtool/gemtool/cmd/gemtool/internal/pattern"
	"github.com/gemtool/gemtool/cmd/gemtool/internal/touch"
	"github.com/gemtool/gemtool/cmd/gemtool/internal/words"
	"github.com/gemtool/gemtool/drm"
	"github.com/gemtool/gemtool/drm/kms"
	"github.com/gemtool/gemtool/prime"
)

// Broken rules: what the kernel answered is not an error, and is wrong.
var (
	errLeak     = errors.New("left open")
	errIdentity = errors.New("the importer's dma-buf is not the exporter's")
)

// notTried is the error of a step that was left out, and says why.
type notTried string

func (e notTried) Error() string { return string(e) }

// Code names an error in a word: the errno as C names it, or what rule is
// broken.
func Code(err error) string {
	var errno syscall.Errno
	var mismatch *pattern.Mismatch
	switch {
	case errors.As(err, &mismatch):
		return "wrong-pixels"
	case errors.Is(err, errLeak):
		return "leak"
	case errors.Is(err, errIdentity):
		return "other-buffer"
	case errors.Is(err, touch.ErrFault):
		return "fault"
	case errors.As(err, &errno):
		return words.Name(errno)
	case errors.Is(err, drm.ErrShortBuffer):
		return "short-buffer"
	case errors.Is(err, prime.ErrAccessMode):
		return "read-only"
	case errors.Is(err, prime.ErrRange):
		return "too-large"
	case errors.Is(err, errors.ErrUnsupported):
		return "unsupported"
	case errors.Is(err, fs.ErrClosed):
		return "closed"
	}
	return "error"
}

// classify says what an error means for a step with an importer of this driver.
// A device that is gone never is an answer.
func classify(step string, err error, importer string) Outcome {
	var skipped notTried
	switch {
	case err == nil:
		return OK
	case errors.As(err, &skipped):
		return NotTried
	case errors.Is(err, drm.ErrGone):
		return Failed
	case errors.Is(err, errIdentity), errors.Is(err, prime.ErrAccessMode), errors.Is(err, errLeak):
		return Failed
	}
	unsupported := errors.Is(err, errors.ErrUnsupported)
	switch step {
	case StepAllocate:
		switch {
		case errors.Is(err, fs.ErrPermission):
			return Denied
		case unsupported, errors.Is(err, prime.ErrRange):
			return Refused
		}
	case StepMap, StepExport:
		if unsupported {
			return Refused
		}
	case StepImport:
		switch {
		case errors.Is(err, fs.ErrPermission):
			return Denied
		// EINVAL proves nothing by itself. But the kernel has only one
		// argument to look at here, and prime has seen that it is a
		// dma-buf: what is left is a driver that cannot take this one.
		case unsupported, errors.Is(err, syscall.ENODEV), errors.Is(err, syscall.EINVAL):
			return Refused
		// So it says that it cannot attach to memory of others.
		case errors.Is(err, syscall.ENOMEM) && importer == "nvidia-drm":
			return Refused
		}
	case StepRead:
		if unsupported {
			return Unsupported
		}
	case StepFramebuffer:
		// The driver's own buffers are what is left to show: amdgpu takes no
		// others, and some displays not this size.
		if unsupported || errors.Is(err, syscall.EINVAL) {
			return Unsupported
		}
	case StepEngine:
		// A display that cannot be read back, or is not ours to use, says
		// nothing about the import.
		switch {
		case errors.Is(err, kms.ErrBusy), errors.Is(err, fs.ErrPermission):
			return NotTried
		case unsupported, errors.Is(err, kms.ErrNoWriteback), errors.Is(err, drm.ErrRange):
			return Unsupported
		}
	}
	return Failed
}

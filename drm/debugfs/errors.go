package debugfs

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/gemtool/gemtool/drm/internal/textfile"
)

// What an [Error] or a [SyntaxError] means.
var (
	// ErrPermission: debugfs is open to root only.
	ErrPermission = fs.ErrPermission
	// ErrNotSupported: there is no such file. debugfs is not mounted, the
	// kernel lacks it, the device is gone, or its driver has nothing to
	// print: without modesetting there are no framebuffers.
	ErrNotSupported = errors.ErrUnsupported
	// ErrTooLarge: the file is longer than any that makes sense.
	ErrTooLarge = textfile.ErrTooLarge
	// ErrSyntax: the text is not what the kernels that are known print.
	ErrSyntax = errors.New("unknown format")
)

// Error is which file could not be read, and why.
type Error struct {
	Path string
	Err  error
	Kind error // a sentinel that Err does not match by itself, or nil
}

func (e *Error) Error() string {
	if e.Kind != nil {
		return fmt.Sprintf("debugfs: %s: %v: %v", e.Path, e.Err, e.Kind)
	}
	return fmt.Sprintf("debugfs: %s: %v", e.Path, e.Err)
}

// Unwrap makes the errno and the sentinel both match errors.Is.
func (e *Error) Unwrap() []error {
	if e.Kind == nil {
		return []error{e.Err}
	}
	return []error{e.Err, e.Kind}
}

// SyntaxError is where a text was not understood. It matches ErrSyntax.
type SyntaxError struct {
	Offset int    // in bytes
	Want   string // what was expected there
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("debugfs: byte %d: %v: want %s", e.Offset, ErrSyntax, e.Want)
}

// Unwrap returns ErrSyntax.
func (e *SyntaxError) Unwrap() error { return ErrSyntax }

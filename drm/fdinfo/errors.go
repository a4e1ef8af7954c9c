package fdinfo

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/gemtool/gemtool/drm/internal/textfile"
)

// What an [Error] or a [SyntaxError] means.
var (
	// ErrPermission: the process is another user's, or may not be traced.
	ErrPermission = fs.ErrPermission
	// ErrGone: the process has ended, or closed the file.
	ErrGone = fs.ErrNotExist
	// ErrNotSupported: this system has no /proc of this kind.
	ErrNotSupported = errors.ErrUnsupported
	// ErrTooLarge: the text is longer than that of any DRM file or dma-buf.
	ErrTooLarge = textfile.ErrTooLarge
	// ErrSyntax: a key of the standard has a value that is not of its form.
	ErrSyntax = errors.New("unknown format")
)

// Error is which file could not be read, and why.
type Error struct {
	Path string
	Err  error
	Kind error // a sentinel that Err does not match by itself, or nil
}

func newError(path string, err error) *Error {
	if inner, ok := errors.AsType[*fs.PathError](err); ok {
		err = inner.Err
	}
	e := &Error{Path: path, Err: err}
	if errors.Is(err, syscall.ESRCH) {
		e.Kind = ErrGone
	}
	return e
}

func (e *Error) Error() string { return fmt.Sprintf("fdinfo: %s: %v", e.Path, e.Err) }

// Unwrap makes the errno and the sentinel both match errors.Is.
func (e *Error) Unwrap() []error {
	if e.Kind == nil {
		return []error{e.Err}
	}
	return []error{e.Err, e.Kind}
}

// SyntaxError is a line that was not understood. It matches ErrSyntax.
type SyntaxError struct {
	Line int // from 1
	Key  string
	Want string // what was expected
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("fdinfo: line %d: %q: %v: want %s", e.Line, e.Key, ErrSyntax, e.Want)
}

// Unwrap returns ErrSyntax.
func (e *SyntaxError) Unwrap() error { return ErrSyntax }

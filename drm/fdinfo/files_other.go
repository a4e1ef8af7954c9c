//go:build !linux

package fdinfo

import "iter"

// Files yields ErrNotSupported.
func (d Dir) Files(pid int) iter.Seq2[File, error] {
	return func(yield func(File, error) bool) { yield(File{}, newError(d.path(pid, "fd"), ErrNotSupported)) }
}

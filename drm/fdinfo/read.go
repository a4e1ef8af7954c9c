package fdinfo

import (
	"path/filepath"
	"strconv"

	"github.com/gemtool/gemtool/drm/internal/textfile"
)

// Dir is where proc is mounted.
type Dir string

// Default is where systems mount it.
const Default Dir = "/proc"

// maxText is more than any driver prints of a client, by far.
const maxText = 64 << 10

// Read reads the text of a process's open file, for [Parse].
//
// Permissions: to trace the process. Errors: ErrPermission; ErrGone; ErrTooLarge
// for a file of another kind.
func (d Dir) Read(pid, fd int) ([]byte, error) {
	path := d.path(pid, "fdinfo", strconv.Itoa(fd))
	text, err := textfile.Read(path, maxText)
	if err != nil {
		return nil, newError(path, err)
	}
	return text, nil
}

func (d Dir) path(pid int, elem ...string) string {
	return filepath.Join(append([]string{string(d), strconv.Itoa(pid)}, elem...)...)
}

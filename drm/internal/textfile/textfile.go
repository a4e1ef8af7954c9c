// Package textfile reads what the kernel prints into the files of proc and
// debugfs, which have no size, and are as long as what others have made of them.
package textfile

import (
	"errors"
	"io"
	"os"
)

// ErrTooLarge: the file is longer than any that makes sense.
var ErrTooLarge = errors.New("text is too long")

// Read reads a file of at most so many bytes. Its errors are those of os.Open
// and Read, and ErrTooLarge.
func Read(path string, most int) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, int64(most)+1))
	if err == nil && len(text) > most {
		err = ErrTooLarge
	}
	if err != nil {
		return nil, err
	}
	return text, nil
}

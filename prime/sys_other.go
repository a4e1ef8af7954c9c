//go:build !linux

package prime

import (
	"os"

	"github.com/gemtool/gemtool/drm/ioctl"
)

func inspect(int) (attr, error)                 { return attr{}, ErrNotSupported }
func dup(int) (int, error)                      { return -1, ErrNotSupported }
func mmap(int, int, Access) ([]byte, error)     { return nil, ErrNotSupported }
func munmap([]byte) error                       { return ErrNotSupported }
func pollReady(int, bool) (bool, error)         { return false, ErrNotSupported }
func newPollable(int, string) (*os.File, error) { return nil, ErrNotSupported }
func openDevice(string) (int, error)            { return -1, ErrNotSupported }
func memoryTotal() (uint64, bool)               { return 0, false }
func newMemfd(uint64) (int, error)              { return -1, ErrNotSupported }
func newEventfd() (*ioctl.FD, error)            { return nil, ErrNotSupported }
func wake(*ioctl.FD)                            {}
func checkMemory(int, uint64) error             { return ErrNotSupported }
func closeMemfd(int)                            {}

const heapFDFlags = 0

//go:build !linux

package drm

import "os"

// Devices lists the DRM devices of this system. Only Linux has any.
func Devices() ([]Info, error) { return nil, ErrNotSupported }

func pathRdev(string) (uint64, error)                    { return 0, ErrNotSupported }
func checkNode(string) error                             { return ErrNotSupported }
func openNode(string) (int, error)                       { return -1, ErrNotSupported }
func statNode(int) (uint64, uint32, uint32, error)       { return 0, 0, 0, ErrNotSupported }
func dupFile(*os.File) (int, error)                      { return -1, ErrNotSupported }
func mmap(n int, offset int64, size int) ([]byte, error) { return nil, ErrNotSupported }
func sameFile(int, int) bool                             { return false }
func parentOf(uint64) (string, error)                    { return "", ErrNotSupported }
func munmap([]byte) error                                { return ErrNotSupported }

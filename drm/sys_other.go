//go:build !linux

package drm

import "os"

func checkNode(string) error                             { return ErrNotSupported }
func openNode(string) (int, error)                       { return -1, ErrNotSupported }
func statNode(int) (uint64, uint32, uint32, error)       { return 0, 0, 0, ErrNotSupported }
func dupFile(*os.File) (int, error)                      { return -1, ErrNotSupported }
func mmap(n int, offset int64, size int) ([]byte, error) { return nil, ErrNotSupported }
func munmap([]byte) error                                { return ErrNotSupported }

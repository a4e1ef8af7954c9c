//go:build !linux

package ioctl

func closeFD(int) error { return ErrNotSupported }

package ioctl

import "golang.org/x/sys/unix"

func closeFD(n int) error { return unix.Close(n) }

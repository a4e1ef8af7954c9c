package prime

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/gemtool/gemtool/drm/ioctl"
	"github.com/gemtool/gemtool/prime/internal/uapi"
)

const (
	udmabufPath  = "/dev/udmabuf"
	udmabufLimit = "/sys/module/udmabuf/parameters/size_limit_mb"
)

// NewUdmabuf makes a Buffer of at least size bytes of the process's own
// memory, rounded up to whole pages. It is cleared and read-write.
//
// Errors: ErrRange for 0, and for more than the address space or the module's
// parameter size_limit_mb allows, before the kernel is asked; ErrNotSupported
// without /dev/udmabuf; ErrPermission; ENOMEM, EMFILE. Source: udmabuf.c.
func NewUdmabuf(size uint64) (*Buffer, error) {
	op := uapi.OpUdmabufCreate.Name()
	fail := func(err error) *Error {
		return &Error{Op: op, Object: fmt.Sprintf("of %d bytes", size), Err: err}
	}
	rounded, err := wholePages(size)
	if err != nil {
		return nil, fail(err)
	}
	if mib, ok := readParameter(udmabufLimit); ok && rounded > mib<<20 {
		e := fail(ErrRange)
		e.Hint = fmt.Sprintf("the limit is %d bytes: see %s", mib<<20, udmabufLimit)
		return nil, e
	}
	n, err := openDevice(udmabufPath)
	if err != nil {
		return nil, deviceError(udmabufPath, err)
	}
	dev := ioctl.NewFD(n)
	defer dev.Close()
	mem, err := newMemfd(rounded)
	if err != nil {
		return nil, fail(err)
	}
	// The buffer keeps the memory.
	defer closeMemfd(mem)
	arg := uapi.UdmabufCreate{MemFD: uint32(mem), Flags: uapi.UdmabufFlagsCloexec, Size: rounded}
	buf, err := uapi.OpUdmabufCreate.Call(dev, &arg)
	if err != nil {
		return nil, fail(err)
	}
	return New(ioctl.NewFD(buf))
}

// wholePages rounds up to whole pages a size that this process could map.
func wholePages(size uint64) (uint64, error) {
	page := uint64(os.Getpagesize())
	if size == 0 || size > math.MaxInt-(page-1) {
		return 0, ErrRange
	}
	return (size + page - 1) / page * page, nil
}

// readParameter returns a parameter of the module, beyond which the kernel
// answers just EINVAL. Without the file the kernel has to say it.
func readParameter(path string) (n uint64, ok bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	return parseParameter(string(text))
}

func parseParameter(text string) (n uint64, ok bool) {
	// It is a C int; the kernel computes with its 64 bits.
	v, err := strconv.ParseInt(strings.TrimSpace(text), 10, 32)
	if err != nil || v < 0 {
		return 0, false
	}
	return uint64(v), true
}

// deviceError explains why a device that makes buffers cannot be opened.
func deviceError(path string, err error) *Error {
	e := &Error{Op: "open", Object: path, Err: err}
	if isNoDevice(err) {
		e.Kind = ErrNotSupported
		e.Hint = "this kernel does not have it, or its module is not loaded"
	}
	return e
}
